/** The simulated provider as its callers know it: a base URL and keys for each vendor. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as SimulatedProvider from "../../src/demo/SimulatedProvider.ts"
import * as TestHttp from "../service/TestHttp.ts"

export type Type = SimulatedProvider.SimulatedProvider["providers"][number]["type"]

export interface Vendor {
  readonly type: Type
  /** Behind the base URL. */
  readonly path: string
  readonly headers: (credential: string) => Record<string, string>
}

const bearer = (credential: string) => ({ authorization: `Bearer ${credential}` })

export const anthropic: Vendor = {
  type: "anthropic",
  path: "/v1/messages",
  headers: (credential) => ({ "x-api-key": credential })
}
export const openai: Vendor = { type: "openai", path: "/chat/completions", headers: bearer }
export const copilot: Vendor = { type: "copilot", path: "/chat/completions", headers: bearer }

/** What a vendor has for its callers. Copilot has no keys: there each index is a credential that somebody made up. */
export const start = Effect.gen(function* () {
  const { url, providers } = yield* SimulatedProvider.start
  const of = ({ type }: Vendor) => {
    const { baseUrl = "", keys } = providers.find((provider) => provider.type === type) ?? {}
    const redacted = (index: number) => keys?.[index] ?? Redacted.make(`made-up-${index}`)
    return { baseUrl, key: (index: number) => Redacted.value(redacted(index)) }
  }
  /** The answer to a question with this credential. */
  const ask = Effect.fnUntraced(function* (
    vendor: Vendor,
    credential: string | undefined,
    request: TestHttp.Request = {}
  ) {
    const { path = vendor.path, ...rest } = request
    const answer = yield* TestHttp.send(url, {
      body: TestHttp.message(),
      headers: credential === undefined ? {} : vendor.headers(credential),
      path: of(vendor).baseUrl.slice(url.length) + path,
      ...rest
    })
    return { ...answer, json: Effect.map(answer.text, (text): unknown => JSON.parse(text)) }
  })
  return { url, providers, of, ask }
})
