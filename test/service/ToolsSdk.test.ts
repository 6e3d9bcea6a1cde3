/** The vendors' own SDKs before a service that runs tools of an MCP server: they see one answer, as if there were no tools. */
import { Anthropic } from "@anthropic-ai/sdk"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import OpenAI from "openai"
import type * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as ToolTalk from "../gateway/ToolTalk.ts"
import * as TestMcp from "../tools/TestMcp.ts"
import * as TestAnswer from "../upstream/TestAnswer.ts"
import * as TestServer from "../upstream/TestServer.ts"
import * as TestMessages from "./TestMessages.ts"
import * as TestOpenAi from "./TestOpenAi.ts"
import { call, collect } from "./TestOpenAiSdk.ts"
import * as TestService from "./TestService.ts"

/** What a client reads of an answer: its text, its tokens, and all of it as JSON. */
interface Read {
  readonly text: string
  readonly usage: readonly [input: unknown, output: unknown]
  readonly all: string
}

const messages = [{ role: "user" as const, content: "Hello" }]

const ofMessage = (message: Anthropic.Message): Read => ({
  text: message.content.map((block) => (block.type === "text" ? block.text : "?")).join("|"),
  usage: [message.usage.input_tokens, message.usage.output_tokens],
  all: JSON.stringify(message)
})

const ofResponse = (response: OpenAI.Responses.Response): Read => ({
  text: response.output_text,
  usage: [response.usage?.input_tokens, response.usage?.output_tokens],
  all: JSON.stringify(response)
})

const anthropic = (url: string) => new Anthropic({ baseURL: `${url}/anthropic`, apiKey: "any", maxRetries: 0 })
const openAi = (url: string) => new OpenAI({ baseURL: `${url}/openai/v1`, apiKey: "any", maxRetries: 0 })

const [ofMessages, ofChat, ofResponses] = ToolTalk.all

interface Way {
  readonly way: string
  readonly talk: ToolTalk.Talk | undefined
  readonly stream: boolean
  readonly read: (url: string) => Promise<Read>
  readonly expected: Omit<Read, "all">
}

const ways: ReadonlyArray<Way> = [
  {
    way: "a message",
    talk: ofMessages,
    stream: false,
    read: async (url) =>
      ofMessage(await anthropic(url).messages.create({ model: "a-model", max_tokens: 100, messages })),
    expected: { text: "I look.|Here.", usage: [20, 4] }
  },
  {
    way: "a stream of a message",
    talk: ofMessages,
    stream: true,
    read: async (url) =>
      ofMessage(await anthropic(url).messages.stream({ model: "a-model", max_tokens: 100, messages }).finalMessage()),
    expected: { text: "I look.|Here.", usage: [20, 4] }
  },
  {
    way: "a completion",
    talk: ofChat,
    stream: false,
    read: async (url) => {
      const { choices, usage, ...others } = await openAi(url).chat.completions.create({ model: "a-model", messages })
      return {
        text: choices[0]?.message.content ?? "",
        usage: [usage?.prompt_tokens, usage?.completion_tokens],
        all: JSON.stringify([choices, others])
      }
    },
    expected: { text: "I look.\n\nHere.", usage: [20, 4] }
  },
  {
    way: "chunks of a completion",
    talk: ofChat,
    stream: true,
    read: async (url) => {
      const options = { model: "a-model", messages, stream: true, stream_options: { include_usage: true } } as const
      const chunks = await collect(await openAi(url).chat.completions.create(options))
      const usage = chunks.at(-1)?.usage
      return {
        text: chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join(""),
        usage: [usage?.prompt_tokens, usage?.completion_tokens],
        all: JSON.stringify(chunks)
      }
    },
    expected: { text: "I look.\n\nHere.", usage: [20, 4] }
  },
  {
    way: "a completion, put together of its chunks",
    talk: ofChat,
    stream: true,
    read: async (url) => {
      const runner = openAi(url).chat.completions.stream({ model: "a-model", messages })
      const { choices, ...others } = await runner.finalChatCompletion()
      const [choice] = choices
      const role = `${choice?.message.role} ${choice?.finish_reason}`
      return { text: choice?.message.content ?? "", usage: [role, 0], all: JSON.stringify([choices, others]) }
    },
    expected: { text: "I look.\n\nHere.", usage: ["assistant stop", 0] }
  },
  {
    way: "a response",
    talk: ofResponses,
    stream: false,
    read: async (url) => ofResponse(await openAi(url).responses.create({ model: "a-model", input: "Hello" })),
    expected: { text: "Here.", usage: [10, 2] }
  },
  {
    way: "a streamed response",
    talk: ofResponses,
    stream: true,
    read: async (url) =>
      ofResponse(await openAi(url).responses.stream({ model: "a-model", input: "Hello" }).finalResponse()),
    expected: { text: "Here.", usage: [10, 2] }
  }
]

/** The same on a connection. */
const onTheWire = (answer: ScriptedUpstream.Answer, stream: boolean) =>
  Effect.flatMap(answer, ({ body }) =>
    Effect.map(Stream.mkString(Stream.decodeText(body)), (text) =>
      stream ? TestOpenAi.streamed([text]) : TestAnswer.json(200, JSON.parse(text))
    )
  )

describe("An SDK, with tools of an MCP server behind it,", () => {
  it.live.each(ways)("gets $way", ({ talk, stream, read, expected }) =>
    Effect.gen(function* () {
      assert.isDefined(talk)
      const mcp = yield* TestMcp.serve("2026-07-28")
      const upstream = yield* TestServer.start
      const calls = yield* onTheWire(talk.calls(stream, "I look.", ["bmcp_srv_echo", `{"owner":"admin"}`]), stream)
      const seen = yield* TestMessages.script(upstream, [calls, yield* onTheWire(talk.says(stream, "Here."), stream)])
      const type = talk.path.startsWith("/anthropic") ? "anthropic" : "openai"
      const { url, lines } = yield* TestService.before(
        upstream,
        1,
        { AIBRIDGE_MCP_0_NAME: "srv", AIBRIDGE_MCP_0_URL: `http://127.0.0.1:${mcp.port}/mcp` },
        type
      )
      yield* TestMcp.until(() => lines().some((line) => line.includes("MCP server srv is there")))

      const { text, usage, all } = yield* call(() => read(url))

      assert.deepStrictEqual({ text, usage }, expected)
      assert.notInclude(all, "bmcp_")
      assert.deepStrictEqual(
        seen.map(({ body }) => talk.results(JSON.parse(body.toString()))),
        [[], [["call_0", `{"owner":"admin"}`]]]
      )
    })
  )
})
