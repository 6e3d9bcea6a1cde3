import { assert, describe, it } from "@effect/vitest"
import * as Client from "../../src/inbound/Client.ts"

type Headers = Readonly<Record<string, string>>

interface Row {
  readonly headers: Headers
  readonly name: string
  /** What the body says on whose behalf it comes. */
  readonly userId?: string
  readonly session?: string
}

const agent = (userAgent: string, others: Headers = {}): Headers => ({ "user-agent": userAgent, ...others })

const claude = agent("claude-cli/2.1.197 (external, sdk-cli)", { "x-app": "cli" })
const json = JSON.stringify({ device_id: "d", account_uuid: "", session_id: "3e8a-4711" })
const legacy = "user_0123abcd_account__session_3e8a-4711"

const rows: ReadonlyArray<Row> = [
  { headers: agent("mux/0.9.0"), name: "Mux" },
  { headers: agent("MUX/0.9.0", { "x-mux-workspace-id": "w-1" }), name: "Mux", session: "w-1" },
  { headers: agent("xum/1.0", { "x-mux-workspace-id": "w-1" }), name: "Xum", session: "w-1" },

  { headers: claude, name: "Claude Code" },
  { headers: agent("Claude-Code/1.0"), name: "Claude Code" },
  { headers: { ...claude, "x-claude-code-session-id": " 3e8a " }, name: "Claude Code", session: "3e8a" },
  {
    headers: { ...claude, "x-claude-code-session-id": "of-the-header" },
    userId: json,
    name: "Claude Code",
    session: "of-the-header"
  },
  { headers: { ...claude, "x-claude-code-session-id": "" }, userId: json, name: "Claude Code", session: "3e8a-4711" },
  { headers: { ...claude, "x-claude-code-session-id": "  " }, userId: json, name: "Claude Code", session: "3e8a-4711" },
  { headers: claude, userId: json, name: "Claude Code", session: "3e8a-4711" },
  { headers: claude, userId: legacy, name: "Claude Code", session: "3e8a-4711" },
  { headers: claude, userId: `${legacy} \n`, name: "Claude Code", session: "3e8a-4711" },
  { headers: claude, userId: `{"session_id":" "}`, name: "Claude Code" },
  { headers: claude, userId: `{"session_id":"","x":"_session_y"}`, name: "Claude Code" },
  { headers: claude, userId: `{"session_id":7}`, name: "Claude Code" },
  { headers: claude, userId: `{"device_id":"d"}`, name: "Claude Code" },
  { headers: claude, userId: `["session_id"]`, name: "Claude Code" },
  { headers: claude, userId: "null", name: "Claude Code" },
  { headers: claude, userId: "user_0123abcd_account_x", name: "Claude Code" },
  { headers: claude, userId: "user_x_session_", name: "Claude Code" },
  { headers: claude, userId: "", name: "Claude Code" },
  { headers: { ...claude, "session-id": "of-codex", "x-session-id": "of-opencode" }, name: "Claude Code" },

  { headers: agent("codex_exec/0.169.0 (Debian 12.0.0; x86_64) dumb (codex_exec; 0.169.0)"), name: "Codex" },
  { headers: agent("codex_cli_rs/0.50.0", { session_id: " 019a " }), name: "Codex", session: "019a" },
  { headers: agent("codex_exec/0.169.0", { "session-id": "019a" }), name: "Codex", session: "019a" },
  {
    headers: agent("codex_exec/0.169.0", { session_id: "older", "session-id": "newer" }),
    name: "Codex",
    session: "newer"
  },
  { headers: agent("codex_exec/0.169.0", { session_id: "older", "session-id": "" }), name: "Codex", session: "older" },
  { headers: agent("codex_exec/0.169.0"), userId: json, name: "Codex" },

  { headers: agent("Zed/0.200.0+stable (linux; x86_64)"), name: "Zed" },
  {
    headers: agent("Zed/0.200.0", { "x-mux-workspace-id": "w", session_id: "s", "x-session-id": "o" }),
    userId: legacy,
    name: "Zed"
  },

  { headers: agent("GitHubCopilotChat/0.37.2026"), name: "GitHub Copilot (VS Code)" },
  {
    headers: agent("GitHubCopilotChat/0.37", { "x-interaction-id": "i-1", "vscode-sessionid": "v-1" }),
    name: "GitHub Copilot (VS Code)",
    session: "i-1"
  },
  { headers: agent("GitHubCopilotChat/0.37", { "vscode-sessionid": "v-1" }), name: "GitHub Copilot (VS Code)" },
  { headers: agent("copilot/0.0.403 (client/cli linux v24.0.0)"), name: "GitHub Copilot (CLI)" },
  {
    headers: agent("copilot/0.0.403", { "x-client-session-id": "c-1" }),
    name: "GitHub Copilot (CLI)",
    session: "c-1"
  },

  { headers: agent("Kilo-Code/5.1.0"), name: "Kilo Code" },
  { headers: agent("kilo-code/5.1.0", { "x-kilocode-taskid": "k-1" }), name: "Kilo Code", session: "k-1" },
  {
    headers: agent("node", { originator: "kilo-code", "x-kilocode-taskid": "k-1" }),
    name: "Kilo Code",
    session: "k-1"
  },
  { headers: agent("node", { originator: "Kilo-Code" }), name: "Unknown" },
  { headers: agent("RooCode/3.0"), name: "Unknown" },
  { headers: agent("Roo-Code/3.47.3", { "x-kilocode-taskid": "k-1" }), name: "Roo Code" },
  { headers: { originator: "roo-code" }, name: "Roo Code" },

  { headers: agent("coder-agents/v2.24.0"), name: "Coder Agents" },
  {
    headers: agent("coder-agents/v2.24.0-devel+1a2b", { "x-coder-chat-id": "chat-1" }),
    name: "Coder Agents",
    session: "chat-1"
  },

  { headers: agent("Charm-Crush/0.35.0 (https://charm.land/crush)"), name: "Charm Crush" },
  { headers: agent("Charm Crush/0.1.0", { "x-session-id": "s" }), name: "Charm Crush" },

  { headers: agent("opencode/1.18.33 ai-sdk/provider-utils/4.0.46 runtime/bun/1.3.14"), name: "OpenCode" },
  {
    headers: agent("opencode/1.18.33", { "x-session-id": "ses_1", "x-session-affinity": "ses_1" }),
    name: "OpenCode",
    session: "ses_1"
  },
  { headers: agent("opencode/1.18.33", { "x-session-affinity": "ses_2" }), name: "OpenCode", session: "ses_2" },
  {
    headers: agent("opencode/1.18.33", { "x-session-affinity": "ses_2", "x-opencode-session": "ses_3" }),
    name: "OpenCode",
    session: "ses_3"
  },

  { headers: agent("junie: 1.0", { "x-session-id": "s" }), name: "Junie" },

  { headers: { "x-cursor-client-version": "2.0.1" }, name: "Cursor" },
  { headers: agent("OpenAI/JS 6.49.0", { "x-cursor-client-version": "2.0.1", "x-session-id": "s" }), name: "Cursor" },
  { headers: agent("connect-es/1.6.1", { "x-cursor-client-version": " " }), name: "Unknown" },

  { headers: agent("Anthropic/JS 1.12.0"), name: "Anthropic SDK" },
  { headers: agent("AsyncAnthropic/Python 0.75.0", { "x-session-id": "s" }), userId: json, name: "Anthropic SDK" },
  { headers: agent("OpenAI/JS 6.49.0"), name: "OpenAI SDK" },
  { headers: agent("AsyncOpenAI/Python 2.8.0"), name: "OpenAI SDK" },

  { headers: {}, name: "Unknown" },
  { headers: agent(""), name: "Unknown" },
  { headers: agent("ccclaude-cli/1.0"), name: "Unknown" },
  { headers: agent(" codex/1.0"), name: "Unknown" },
  ...["muxx/1", "xumm/1", "zedd/1", "copilotx/1", "kilo-codex/1", "opencoder/1", "juniee: 1", "openaix/1"].map(
    (userAgent) => ({ headers: agent(userAgent), name: "Unknown" })
  ),
  { headers: agent("Bun/1.4.0"), name: "Unknown" },
  {
    headers: agent("curl/8.0", { "x-claude-code-session-id": "a", "session-id": "b", "x-session-id": "c" }),
    userId: legacy,
    name: "Unknown"
  }
]

describe("A client", () => {
  it.each(rows)("with $headers and $userId is $name in session $session", ({ headers, name, userId, session }) => {
    const client = Client.detect(headers)

    assert.strictEqual(client.name, name)
    assert.strictEqual(client.sessionId(headers, userId), session)
  })
})
