// What the load can be aimed at: the upstream itself, or one of the two proxies in front of it.
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import * as Child from "./Child.ts"

/** Where requests go, and what they have to say there. */
export interface Target extends Child.Child {
  readonly name: string
  readonly path: string
  readonly headers: Record<string, string>
  /** Starts a second process like this one. */
  readonly startAnother: () => Promise<Target>
}

export interface Pair {
  readonly bare: Target
  readonly gateway: Target
}

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url))

const start = async (child: Child.Options, at: Pick<Target, "path" | "headers">): Promise<Target> => ({
  ...(await Child.start(child)),
  ...at,
  name: child.name,
  startAnother: () => start(child, at)
})

const startProxy = (child: Child.Options) => start(child, { path: "/anthropic/v1/messages", headers: {} })

export const startUpstream = (): Promise<Target> =>
  start(
    {
      name: "upstream",
      command: [file("Upstream.ts")],
      environment: (port) => ({ BENCH_PORT: String(port) })
    },
    { path: "/v1/messages", headers: { "x-api-key": "sk-bench-key-direct" } }
  )

const startBareProxy = (name: string, upstream: Target) =>
  startProxy({
    name,
    command: [file("BareProxy.ts")],
    environment: (port) => ({ BENCH_PORT: String(port), BENCH_UPSTREAM: upstream.origin })
  })

/** Where databases were put. */
const directories = new Set<string>()

const freshDatabase = () => {
  const directory = Fs.mkdtempSync(Path.join(Os.tmpdir(), "aibridge-bench-"))
  directories.add(directory)
  return `sqlite:${Path.join(directory, "records.db")}`
}

/** To be called when no process uses them any more. */
export const removeDatabases = () => {
  for (const directory of directories) Fs.rmSync(directory, { recursive: true, force: true })
}

const startService = (upstream: Target, database: () => string = () => "none") => {
  const program = file(process.env["BENCH_DIST"] === "1" ? "../../dist/main.js" : "../../src/main.ts")
  if (!Fs.existsSync(program)) {
    throw new Error(`there is no gateway at ${program}`)
  }
  return startProxy({
    name: "gateway",
    command: [program, "serve"],
    environment: (port) => ({
      AIBRIDGE_HOST: "127.0.0.1",
      AIBRIDGE_PORT: String(port),
      AIBRIDGE_ADMIN_PORT: "0",
      AIBRIDGE_DATABASE_URL: database(),
      AIBRIDGE_PROVIDER_0_TYPE: "anthropic",
      AIBRIDGE_PROVIDER_0_KEYS: "sk-bench-key-one,sk-bench-key-two",
      AIBRIDGE_PROVIDER_0_BASE_URL: upstream.origin
    })
  })
}

/** Starts the gateway without a database, in the bare proxy's place, and with a new one of SQLite. */
export const startRecording = async (upstream: Target): Promise<Pair> => ({
  bare: await startService(upstream),
  gateway: await startService(upstream, freshDatabase)
})

/** Starts the two contenders. In a self-check the gateway's place is taken by a second bare proxy. */
export const startPair = async (upstream: Target, isSelfCheck: boolean): Promise<Pair> => ({
  bare: await startBareProxy("bare proxy", upstream),
  gateway: await (isSelfCheck ? startBareProxy("second bare proxy", upstream) : startService(upstream))
})
