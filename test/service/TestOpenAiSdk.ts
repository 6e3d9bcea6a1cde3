/** The OpenAI SDK in front of a service, before an upstream that answers in turn. */
import * as Effect from "effect/Effect"
import OpenAI from "openai"
import type { Answer } from "./TestMessages.ts"
import * as TestMessages from "./TestMessages.ts"
import * as TestService from "./TestService.ts"

type Options = ConstructorParameters<typeof OpenAI>[0]

/** A service with keys, an upstream that answers in turn, and the SDK in front; it never tries again, unless told to. */
export const scripted = Effect.fnUntraced(function* (
  keys: number,
  answers: ReadonlyArray<Answer>,
  options: Options = {}
) {
  const { upstream, url } = yield* TestService.withUpstream(keys, { AIBRIDGE_TOKENS: "ada=token-1" }, "openai")
  const seen = yield* TestMessages.script(upstream, answers)
  const client = new OpenAI({ baseURL: `${url}/openai/v1`, apiKey: "token-1", maxRetries: 0, ...options })
  return { client, seen }
})

/** Calls the SDK; whatever it throws is a value. */
export const call = <A>(promise: () => Promise<A>) => Effect.tryPromise({ try: promise, catch: (error) => error })

/** All items of a stream, also in the given list. */
export const collect = async <A>(stream: AsyncIterable<A>, into: Array<A> = []): Promise<ReadonlyArray<A>> => {
  for await (const item of stream) into.push(item)
  return into
}
