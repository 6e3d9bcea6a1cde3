/** The credentials that AWS requests are signed with: given ones, or those that AWS's own tools would find. */
import type { defaultProvider } from "@aws-sdk/credential-provider-node"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as UpstreamError from "../../domain/UpstreamError.ts"

export interface AwsCredentials {
  /** Not a secret: it is part of every signature. */
  readonly accessKeyId: string
  readonly secretAccessKey: Redacted.Redacted<string>
  /** Temporary credentials have one. */
  readonly sessionToken?: Redacted.Redacted<string> | undefined
  readonly expiration?: Date | undefined
}

/** Where credentials come from. Both fail with `NoCredentials`. */
export interface Source {
  /** Asked once per attempt. */
  readonly current: Effect.Effect<AwsCredentials, UpstreamError.UpstreamError>
  /** Asked once the others were refused: looks again, where `current` may remember. */
  readonly renewed: Effect.Effect<AwsCredentials, UpstreamError.UpstreamError>
}

/** These, for ever. */
export const fixed = (credentials: AwsCredentials): Source => {
  const current = Effect.succeed(credentials)
  return { current, renewed: current }
}

/**
 * The default chain of the AWS SDKs: environment, shared files (roles and SSO included), `credential_process`, web identity,
 * container, instance. Loaded when it is first used. What was found is kept until shortly before it expires; what was not
 * is looked for again by the next request. Bind it once: each call makes a chain of its own.
 *
 * @param region where roles are assumed, unless the profile names another one
 */
export const defaultChain = (region: string): Source => {
  let chain: Chain | undefined
  const load = () =>
    import("@aws-sdk/credential-provider-node").then(
      // Without the files' cache a chain that failed sees what was put into them since.
      (module) => (chain ??= module.defaultProvider({ parentClientConfig: { region }, ignoreCache: true }))
    )
  // Whoever is interrupted or waits too long only stops waiting: the search goes on for the others, and there is one at a time.
  const search = (forceRefresh: boolean) =>
    Effect.tryPromise({
      try: async () => redacted(await (chain ?? (await load()))({ forceRefresh })),
      catch: (cause) => none(safeReason(cause))
    }).pipe(
      Effect.timeoutOrElse({ duration: longestSearch, orElse: () => Effect.fail(none("the search takes too long")) })
    )
  return { current: search(false), renewed: search(true) }
}

const longestSearch = "10 seconds"

const none = (detail: string) => UpstreamError.noCredentials("no AWS credentials found", detail)

type Chain = ReturnType<typeof defaultProvider>

const redacted = ({ accessKeyId, secretAccessKey, sessionToken, expiration }: Awaited<ReturnType<Chain>>) => ({
  accessKeyId,
  secretAccessKey: Redacted.make(secretAccessKey),
  sessionToken: sessionToken === undefined ? undefined : Redacted.make(sessionToken),
  expiration
})

const longest = 200

// A command may hold secrets, and so may the piece that a JSON parser quotes of what it could not read.
const safeReason = (cause: unknown): string => {
  const message = cause instanceof Error ? cause.message : ""
  if (message.includes("Command failed")) return "credential_process failed"
  if (/ in JSON at | is not valid JSON/.test(message)) return "what was found is not valid JSON"
  const line = message.replaceAll(/[\s\p{Cc}]+/gu, " ").trim()
  return line === "" ? "unknown error" : line.slice(0, longest).toWellFormed()
}
