/** The service as it runs, in this process on a free port, and what it says. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Stream from "effect/Stream"
import * as SimulatedProvider from "../../src/demo/SimulatedProvider.ts"
import { ConfigFiles } from "../../src/service/ConfigFiles.ts"
import * as Service from "../../src/service/Service.ts"
import type { Environment } from "../../src/service/ServiceConfig.ts"
import * as ServiceConfig from "../../src/service/ServiceConfig.ts"
import * as TestServer from "../upstream/TestServer.ts"

export interface TestService {
  /** Such as `http://127.0.0.1:40123`. */
  readonly url: string
  /** Of the admin API. */
  readonly adminUrl: string
  readonly banner: string
  /** The log lines so far. */
  readonly lines: () => ReadonlyArray<string>
}

/** The pool's key at an index, as a test looks for it. */
export const key = (index: number): string => `sk-test-${index}-NEVER-SHOWN-${index}kk`

/** Any free ports and no database, unless the test says otherwise. */
const onFreePorts = (environment: Environment): Environment => ({
  AIBRIDGE_PORT: "0",
  AIBRIDGE_ADMIN_PORT: "0",
  AIBRIDGE_DATABASE_URL: "none",
  ...environment
})

/**
 * Runs until the scope closes. Its configuration is read again when the file has changed, or `signals` say so; `none`: it cannot
 * be read again.
 */
export const start = Effect.fnUntraced(function* (
  environment: Environment,
  reloadFrom: { readonly file?: string; readonly signals?: Stream.Stream<string> } | "none" = {}
) {
  const { file, signals = Stream.never } = reloadFrom === "none" ? {} : reloadFrom
  const source = { environment: onFreePorts(environment), file, files: new ConfigFiles() }
  const config = yield* ServiceConfig.load({ ...source, readFile: source.files.readFile })
  const lines: Array<string> = []
  let banner = ""
  const service = Service.layer({
    config,
    ...(reloadFrom !== "none" && { reloadFrom: { ...source, signals } }),
    version: "0.0.0",
    nodeVersion: "v0.0.0",
    simulated: SimulatedProvider.start,
    onListening: (text) =>
      Effect.sync(() => {
        banner = text
      })
  })
  yield* Layer.build(service).pipe(
    Effect.provide(Logger.layer([Logger.map(Logger.formatLogFmt, (line) => void lines.push(line))]))
  )
  const url = /listens on (\S+)/.exec(banner)?.[1] ?? "no URL in the banner"
  const adminUrl = /admin +(\S+)/.exec(banner)?.[1] ?? "no URL of the admin API in the banner"
  return { url, adminUrl, banner, lines: () => lines }
})

export type WithUpstream = Effect.Success<ReturnType<typeof withUpstream>>

/** A service with so many keys for an upstream that the test plays, mounted at `/anthropic` or at `/openai/v1`. */
export const withUpstream = Effect.fnUntraced(function* (
  keys?: number,
  environment?: Environment,
  type?: "anthropic" | "openai"
) {
  const upstream = yield* TestServer.start
  return { upstream, ...(yield* before(upstream, keys, environment, type)) }
})

/** The same, for an upstream that is there already. */
export const before = (
  upstream: TestServer.TestServer,
  keys = 1,
  environment: Environment = {},
  type: "anthropic" | "openai" = "anthropic"
) =>
  start({
    AIBRIDGE_PROVIDER_0_TYPE: type,
    AIBRIDGE_PROVIDER_0_KEYS: Array.from({ length: keys }, (_, index) => key(index)).join(","),
    AIBRIDGE_PROVIDER_0_BASE_URL: type === "openai" ? `${upstream.origin}/v1` : upstream.origin,
    ...environment
  })
