/** What is said in one dialect: by a client, by an upstream, and by the gateway where it has something to say itself. */
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import type * as TestGateway from "../../src/testing/TestGateway.ts"

/** What differs between dialects. */
export interface Words {
  readonly dialect: string
  readonly model: string
  /** A request for a whole answer. */
  readonly blocking: TestGateway.RequestOptions
  /** A request for a stream. */
  readonly streaming: TestGateway.RequestOptions
  readonly answerText: string
  /** A short stream, event by event, up to its last one. */
  readonly events: ReadonlyArray<string>
  /** The body of an error answer with this status. */
  readonly errorText: (status: number, message: string) => string
  /** The event that ends a stream which broke off. */
  readonly errorEvent: (message: string) => string
  /** An error that the upstream itself sends within a stream. */
  readonly upstreamErrorEvent: string
  /** The keep-alive event, if the dialect has one. */
  readonly ping: string | undefined
  readonly modelsText: string
}

export interface Fixture extends Words {
  readonly streamText: string
  readonly cutEvent: string
  readonly upstreamErrorText: (status: number) => string
  /** An error answer as the provider makes it. */
  readonly error: (status: number, retryAfter?: string) => ScriptedUpstream.Answer
  /** The good answers. */
  readonly answer200: ScriptedUpstream.Answer
  readonly models200: ScriptedUpstream.Answer
  readonly stream200: ScriptedUpstream.Answer
}

export const make = (words: Words): Fixture => {
  const upstreamErrorText = (status: number) => words.errorText(status, `the upstream's own ${status}`)
  return {
    ...words,
    streamText: words.events.join(""),
    cutEvent: words.errorEvent("upstream closed the stream early"),
    upstreamErrorText,
    error: (status, retryAfter) =>
      ScriptedUpstream.text(status, upstreamErrorText(status), {
        ...json,
        ...(retryAfter !== undefined && { "retry-after": retryAfter })
      }),
    answer200: ScriptedUpstream.text(200, words.answerText, json),
    models200: ScriptedUpstream.text(200, words.modelsText, json),
    stream200: ScriptedUpstream.events(words.events)
  }
}

/** One event with a name on the wire, its name in its data too. */
export const event = (name: string, data: Readonly<Record<string, unknown>> = {}): string =>
  `event: ${name}\ndata: ${JSON.stringify({ type: name, ...data })}\n\n`

const json = { "content-type": "application/json" }
