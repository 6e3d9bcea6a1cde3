/** The settings of the admin API: where it is, and who may use it. */
import * as Redacted from "effect/Redacted"
import { fitsHeader } from "../domain/Credential.ts"
import type { Token } from "../inbound/Authenticator.ts"
import type { Config } from "./ConfigSchema.ts"
import type { ConfigSource } from "./ConfigSource.ts"
import * as TokenConfig from "./TokenConfig.ts"

export interface AdminConfig {
  /** `AIBRIDGE_ADMIN_HOST`. Default `127.0.0.1`. */
  readonly host: string
  /** `AIBRIDGE_ADMIN_PORT`, 0 for any free one. Default 8788. */
  readonly port: number
  /** `AIBRIDGE_ADMIN_TOKEN`. Default none: open, on loopback only. */
  readonly token: Redacted.Redacted<string> | undefined
}

/** What else is a secret, and must not be this one as well. */
export interface Others {
  readonly tokens: ReadonlyArray<Token>
  readonly secrets: ReadonlyArray<string>
}

export const resolve = (config: Config, others: Others, source: ConfigSource): AdminConfig => {
  const { adminHost: host = "127.0.0.1", adminPort: port = 8788, adminToken: token } = config
  const path = ["adminToken"]
  if (port !== 0 && port === (config.port ?? 8787) && host === (config.host ?? "127.0.0.1")) {
    source.problem(["adminPort"], `is the port of the gateway itself, ${port}: the admin API needs one of its own`)
  }
  if (token === undefined) {
    if (!isLoopback(host) && !source.hasProblem(path)) {
      const whoever = "without it whoever reaches that address could change what the gateway does"
      source.problem(path, `must be set while ${source.nameOf(["adminHost"])} is ${host}: ${whoever}`)
    }
    return { host, port, token }
  }
  const problem = tokenProblem(token, others)
  if (problem !== undefined) source.problem(path, problem)
  return { host, port, token }
}

/** What is wrong with an admin token, beside these other secrets. */
export const tokenProblem = (token: Redacted.Redacted<string>, { tokens, secrets }: Others): string | undefined => {
  const secret = Redacted.value(token)
  if (!fitsHeader(secret)) return "is empty or has a space, a line break or a character outside ASCII"
  if (tokens.some((caller) => TokenConfig.isToken(secret, caller.token))) {
    return "is also the token of a caller: it must be one of its own"
  }
  return secrets.includes(secret) ? "is also a provider key: it must be one of its own" : undefined
}

/** Whether only this machine can reach an address to listen on. */
export const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host)
