/** The settings of what is kept: where, what of it, and for how long. */
import * as Duration from "effect/Duration"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { GatewayOptions } from "../GatewayOptions.ts"
import * as DatabaseUrl from "../record/sql/DatabaseUrl.ts"
import type { Config } from "./ConfigSchema.ts"
import * as Setting from "./Setting.ts"
import type { Reading } from "./Setting.ts"

export interface RecordConfig {
  /** `AIBRIDGE_DATABASE_URL`: `sqlite:<path>`, `postgres://...` or `none`. Default `sqlite:data/aibridge.db`. */
  readonly url: Redacted.Redacted
  /** `AIBRIDGE_RECORD_CONTENT`: whether prompts, tool arguments and thoughts are kept, too. Default true. */
  readonly content: boolean
  /** `AIBRIDGE_RECORD_FAILURE`: what becomes of requests that cannot be recorded. Default `refuse`. */
  readonly failure: GatewayOptions["recordFailure"]
  /** `AIBRIDGE_CLIENT_GONE`: what becomes of an answer whose client has left. Default `abort`. */
  readonly clientGone: GatewayOptions["clientGone"]
  /** `AIBRIDGE_RETENTION`: how long interceptions are kept. Default 60 days; without end if it is infinite. */
  readonly retention: Duration.Duration
}

/** Never repeats the URL, in which a password may stand. */
export const databaseUrl = Setting.textAs((value): Reading<Redacted.Redacted> =>
  Result.map(DatabaseUrl.parse(value), () => Redacted.make(value))
)

export const recordFailure = Setting.textAs((value): Reading<GatewayOptions["recordFailure"]> =>
  value === "refuse" || value === "continue" ? Result.succeed(value) : Result.fail("must be refuse or continue")
)

export const clientGone = Setting.textAs((value): Reading<GatewayOptions["clientGone"]> =>
  value === "abort" || value === "drain" ? Result.succeed(value) : Result.fail("must be abort or drain")
)

export const resolve = (config: Config): RecordConfig => {
  const { retention = Duration.days(60) } = config
  return {
    url: config.databaseUrl ?? Redacted.make(DatabaseUrl.byDefault),
    content: config.recordContent ?? true,
    failure: config.recordFailure ?? "refuse",
    clientGone: config.clientGone ?? "abort",
    retention: Duration.isZero(retention) ? Duration.infinity : retention
  }
}

/** Where it is, without who may enter. */
export const show = (url: Redacted.Redacted): string => {
  const text = Redacted.value(url)
  const parsed = /^postgres/i.test(text) ? URL.parse(text) : null
  return parsed === null ? text : `postgres://...@${parsed.host}${parsed.pathname}`
}
