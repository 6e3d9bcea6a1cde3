import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Table from "../Table.ts"
import * as Calls from "./Calls.ts"
import * as Setup from "./Setup.ts"

interface Row {
  readonly behaviour: string
  readonly headers: Readonly<Record<string, string>>
  /** What the body says on whose behalf it comes. */
  readonly userId?: string
  readonly client: string
  readonly session: string | undefined
}

const claude = "claude-cli/2.0.30 (external, cli)"
const codex = "codex_cli_rs/0.63.0 (Mac OS 15.1; arm64) Apple_Terminal"
const opencode = "opencode/1.0.90 ai-sdk/provider-utils/3.0.9"

const messages: ReadonlyArray<Row> = [
  {
    behaviour: "Claude Code by its header",
    headers: { "user-agent": claude, "x-claude-code-session-id": " 3e8a-1 " },
    client: "Claude Code",
    session: "3e8a-1"
  },
  {
    behaviour: "Claude Code by its header before its body",
    headers: { "user-agent": claude, "x-claude-code-session-id": "3e8a-1" },
    userId: `{"device_id":"d","account_uuid":"a","session_id":"of the body"}`,
    client: "Claude Code",
    session: "3e8a-1"
  },
  {
    behaviour: "Claude Code by JSON in its body",
    headers: { "user-agent": claude },
    userId: `{"device_id":"d","account_uuid":"a","session_id":"3e8a-2"}`,
    client: "Claude Code",
    session: "3e8a-2"
  },
  {
    behaviour: "Claude Code by the text in its body",
    headers: { "user-agent": claude },
    userId: "user_0a1b_account_7f-7_session_3e8a-3",
    client: "Claude Code",
    session: "3e8a-3"
  },
  {
    behaviour: "Claude Code without a session",
    headers: { "user-agent": claude },
    userId: "user_0a1b",
    client: "Claude Code",
    session: undefined
  },
  {
    behaviour: "another client with the body of Claude Code",
    headers: { "user-agent": "curl/8.7.1" },
    userId: "user_0a1b_account_7f-7_session_3e8a-3",
    client: "Unknown",
    session: undefined
  }
]

const anywhere: ReadonlyArray<Row> = [
  {
    behaviour: "Codex",
    headers: { "user-agent": codex, "session-id": "0199-1" },
    client: "Codex",
    session: "0199-1"
  },
  {
    behaviour: "Codex in its older spelling",
    headers: { "user-agent": codex, session_id: "0199-2" },
    client: "Codex",
    session: "0199-2"
  },
  {
    behaviour: "opencode",
    headers: { "user-agent": opencode, "x-opencode-session": "ses_1" },
    client: "OpenCode",
    session: "ses_1"
  },
  {
    behaviour: "an SDK",
    headers: { "user-agent": "OpenAI/JS 7.57.0", "session-id": "not of a session that we know" },
    client: "OpenAI SDK",
    session: undefined
  },
  { behaviour: "nobody that we know", headers: {}, client: "Unknown", session: undefined }
]

const withUserId = ({ request }: Pick<Calls.Call, "request">, userId: string | undefined) =>
  typeof request.body === "object" && userId !== undefined
    ? { ...request.body, metadata: { user_id: userId } }
    : request.body

const messageCalls = Calls.bridged.filter(({ fixture }) => fixture === Calls.blocking.fixture)

describe("The record of a start", () => {
  it.effect.each([...Table.times(messageCalls, messages), ...Table.times(Calls.bridged, anywhere)])(
    "says who called and in which session, for $call of $behaviour",
    ({ path, headers, userId, client, session, ...call }) =>
      Effect.gen(function* () {
        yield* TestGateway.fetch(path, { headers, body: withUserId(call, userId) })

        const facts = (yield* Setup.started).map((event) => [event.client, event.userAgent, event.clientSessionId])
        assert.deepStrictEqual(facts, [[client, headers["user-agent"], session]])
      }).pipe(Effect.provide(Setup.layer([call.good])))
  )
})
