// A child process of the bench: started on a free loopback port, waited for, and never left behind.
import * as ChildProcess from "node:child_process"
import { once } from "node:events"
import * as Net from "node:net"
import * as Timers from "node:timers/promises"
import { fileURLToPath } from "node:url"

export interface Child {
  readonly pid: number
  readonly origin: string
  /** Makes the process collect its garbage and give the memory back. */
  readonly collect: () => Promise<void>
  readonly stop: () => Promise<void>
}

export interface Options {
  readonly name: string
  /** The program and its arguments. */
  readonly command: ReadonlyArray<string>
  /** The whole environment but `PATH`, given the port to listen on: proxies and options of the caller's shell stay out. */
  readonly environment: (port: number) => Record<string, string>
}

interface Running {
  readonly name: string
  readonly process: ChildProcess.ChildProcess
  output: string
}

const readyTimeout = 20_000
const keptOutput = 4000
const leash = fileURLToPath(new URL("Leash.ts", import.meta.url))
const running = new Set<Running>()

const freePort = async () => {
  const server = Net.createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  server.close()
  await once(server, "close")
  if (address === null || typeof address === "string") {
    throw new Error("no free port")
  }
  return address.port
}

const hasEnded = (child: Running) => child.process.exitCode !== null || child.process.signalCode !== null

const isReady = (origin: string) =>
  fetch(origin, { signal: AbortSignal.timeout(1000) }).then(
    (response) => response.status === 200,
    () => false
  )

const waitUntilReady = async (child: Running, origin: string) => {
  const deadline = performance.now() + readyTimeout
  for await (const _ of Timers.setInterval(50)) {
    if (await isReady(origin)) {
      return
    }
    if (hasEnded(child)) {
      throw new Error(`the ${child.name} did not start`)
    }
    if (performance.now() > deadline) {
      throw new Error(`the ${child.name} did not get ready in time:\n${child.output}`)
    }
  }
}

export const start = async (options: Options): Promise<Child> => {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const spawned = ChildProcess.spawn(process.execPath, ["--expose-gc", "--import", leash, ...options.command], {
    env: { PATH: process.env["PATH"], ...options.environment(port) },
    stdio: ["ignore", "pipe", "pipe", "ipc"]
  })
  const child: Running = { name: options.name, process: spawned, output: "" }
  running.add(child)
  const keep = (text: string) => {
    child.output = (child.output + text).slice(-keptOutput)
  }
  spawned.stdout?.setEncoding("utf8").on("data", keep)
  spawned.stderr?.setEncoding("utf8").on("data", keep)
  spawned.on("error", (error) => keep(error.message))
  await waitUntilReady(child, origin)
  return {
    pid: spawned.pid ?? 0,
    origin,
    async collect() {
      const collected = once(spawned, "message", { signal: AbortSignal.timeout(10_000) })
      spawned.send("collect")
      await collected
    },
    async stop() {
      running.delete(child)
      if (!hasEnded(child)) {
        const exit = once(spawned, "exit")
        spawned.kill("SIGKILL")
        await exit
      }
    }
  }
}

/** Ends every child at once; what is called when the bench itself ends. */
export const killAll = () => {
  for (const child of running) {
    child.process.kill("SIGKILL")
  }
}

/** The last words of the children that ended on their own. */
export const obituaries = (): string =>
  Array.from(running)
    .filter(hasEnded)
    .map(
      (child) =>
        `the ${child.name} ended with ${child.process.exitCode ?? child.process.signalCode}:\n${child.output}\n`
    )
    .join("")
