// The benchmark, `npm run bench`: the gateway against a bare proxy that does the same work, in one run on one machine.
import * as Os from "node:os"
import { parseArgs } from "node:util"
import * as Child from "./Child.ts"
import * as Measures from "./Measures.ts"
import * as Table from "./Table.ts"
import * as Target from "./Target.ts"

const measures = new Map([
  ["blocking", Measures.blocking],
  ["burst", Measures.burst],
  ["paced", Measures.paced],
  ["recording", Measures.recording],
  ["latency", Measures.latency],
  ["memory", Measures.memory]
])

const help = `Usage: npm run bench -- [options]

Compares the gateway with a bare proxy (node:http and undici's dispatch) in front of the same scripted upstream.
Rounds alternate between the two. CPU is the target process's own, all threads. The columns "bare" and "gateway" are
medians over the rounds; "ratio" is the median of the rounds' own ratios, and half of those lie within "middle half".
It ends by itself in under 4 minutes. It needs Linux, for /proc.

Measures
  blocking   2 KB JSON answers to 1 KB requests, 32 at a time
  burst      SSE, 200 events of 150 bytes as fast as they go, 16 streams at a time
  paced      SSE, 40 events per second on each of 100 streams
  recording  as blocking, the gateway with records in a new SQLite database ("gateway") against itself without ("bare");
             in half of the rounds requests bring the result of a tool, and answers call one
  latency    one request after the other on one connection, compared with asking the upstream directly
  memory     growth of the resident memory by 1,000 idle streams, after garbage collection, in fresh processes

Options
  --only <measures>  only these, comma-separated
  --quick            shorter rounds, about 30 seconds in all
  --self-check       the bare proxy against a second one: the ratios should be near 1
  --help             this text

Environment
  BENCH_DIST=1       measures dist/main.js instead of src/main.ts

Exit code: 0 when it ran, even if a target was missed; 1 when an answer was wrong or something failed; 2 for a wrong option.
`

const timeLimit = 235_000

const write = (text: string) => process.stdout.write(`${text}\n`)

const leave = (code: number, why: string): never => {
  process.stderr.write(`${why}\n`)
  process.exit(code)
}

const readOptions = () => {
  try {
    return parseArgs({
      options: {
        only: { type: "string", default: Array.from(measures.keys()).join() },
        quick: { type: "boolean", default: false },
        "self-check": { type: "boolean", default: false },
        help: { type: "boolean", default: false }
      }
    }).values
  } catch (error) {
    return leave(2, `${error instanceof Error ? error.message : error}\n\n${help}`)
  }
}

const run = async (options: ReturnType<typeof readOptions>) => {
  const chosen = options.only.split(",").map((name) => {
    const measure = measures.get(name.trim())
    return measure === undefined ? leave(2, `there is no measure "${name}"\n\n${help}`) : { name, measure }
  })
  const begin = performance.now()
  const seconds = () => ((performance.now() - begin) / 1000).toFixed(0)
  const upstream = await Target.startUpstream()
  const pair = await Target.startPair(upstream, options["self-check"])
  const others = `load average ${Os.loadavg()[0]?.toFixed(2)} on ${Os.availableParallelism()} CPUs before the run`
  write(
    `node ${process.version}, ${pair.gateway.name} against ${pair.bare.name}${options.quick ? ", quick" : ""}; ${others}`
  )
  const context: Measures.Context = { upstream, pair, isQuick: options.quick }
  const rows: Array<Table.Row> = []
  const measured = chosen.reduce(async (before, { name, measure }) => {
    await before
    write(`${seconds().padStart(4)} s  ${name} ...`)
    rows.push(...(await measure(context)))
  }, Promise.resolve())
  return measured.finally(() => write(`${seconds().padStart(4)} s  end\n\n${Table.render(rows)}\n`))
}

const options = readOptions()
if (options.help) {
  write(help)
  process.exit(0)
}
process.on("exit", () => {
  Child.killAll()
  Target.removeDatabases()
})
process.on("SIGINT", () => leave(130, "interrupted"))
process.on("SIGTERM", () => leave(143, "terminated"))
setTimeout(() => leave(1, `the bench took longer than ${timeLimit / 1000} s and was stopped`), timeLimit)
run(options).then(
  () => process.exit(0),
  (error: unknown) =>
    leave(1, `the bench failed: ${error instanceof Error ? error.message : error}\n${Child.obituaries()}`)
)
