// What a process has used, read from Linux's /proc: it needs no cooperation, so every target is measured alike.
import * as Fs from "node:fs"

const nanosPerTick = 10_000_000

const schedulerNanos = (pid: number) => {
  let total = 0
  for (const thread of Fs.readdirSync(`/proc/${pid}/task`)) {
    total += Number(Fs.readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "latin1").split(" ")[0])
  }
  return total
}

const statNanos = (pid: number) => {
  // The command's name may hold spaces and ends at the last parenthesis; utime and stime are fields 14 and 15.
  const fields = Fs.readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)?.split(" ") ?? []
  return (Number(fields[11]) + Number(fields[12])) * nanosPerTick
}

const hasSchedulerStatistics = Fs.existsSync("/proc/self/schedstat") && schedulerNanos(process.pid) > 0

/** The CPU time of all threads of a process so far, in nanoseconds (in steps of 10 ms where the kernel keeps no schedstat). */
export const cpuNanos = (pid: number): number => (hasSchedulerStatistics ? schedulerNanos(pid) : statNanos(pid))

/** The memory of a process that is in RAM, in bytes. */
export const residentBytes = (pid: number): number => {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(Fs.readFileSync(`/proc/${pid}/status`, "latin1"))?.[1]
  if (kib === undefined) {
    throw new Error(`/proc/${pid}/status has no VmRSS`)
  }
  return Number(kib) * 1024
}
