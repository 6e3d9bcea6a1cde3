/** Which program calls, and where it says which of its sessions a request belongs to: one row for each that we know. */
import type { RequestHeaders } from "../domain/HeaderRecord.ts"
import * as Json from "../domain/Json.ts"

/** A program that calls us. */
export interface Client {
  readonly name: string
  /**
   * Its id for the session, trimmed; `undefined` if it says none.
   *
   * @param userId what the body says on whose behalf it comes, see `BridgedRequest`
   */
  readonly sessionId: (headers: RequestHeaders, userId: string | undefined) => string | undefined
}

/** The first row that fits these headers, else `Unknown`, whose session nobody knows. */
export const detect = (headers: RequestHeaders): Client => {
  const userAgent = headers["user-agent"]?.toLowerCase() ?? ""
  return clients.find(({ isMeant }) => isMeant(userAgent, headers)) ?? unknown
}

interface Row extends Client {
  /** `userAgent` is in lower case. */
  readonly isMeant: (userAgent: string, headers: RequestHeaders) => boolean
}

const startsWith =
  (...prefixes: ReadonlyArray<string>): Row["isMeant"] =>
  (userAgent) =>
    prefixes.some((prefix) => userAgent.startsWith(prefix))

// Some extensions of editors leave the editor's user agent and name themselves here.
const startsWithOrOriginatesFrom =
  (prefix: string, originator: string): Row["isMeant"] =>
  (userAgent, headers) =>
    userAgent.startsWith(prefix) || headers["originator"] === originator

const none: Client["sessionId"] = () => undefined

/** The first of these headers that is not blank. */
const inHeader =
  (...names: ReadonlyArray<string>): Client["sessionId"] =>
  (headers) => {
    for (const name of names) {
      const value = headers[name]?.trim()
      if (value) return value
    }
    return undefined
  }

const inClaudeHeader = inHeader("x-claude-code-session-id")

/** The table, in the order in which it is read. Order, prefixes and places are those that the programs are known to have. */
const clients: ReadonlyArray<Row> = [
  { name: "Mux", isMeant: startsWith("mux/"), sessionId: inHeader("x-mux-workspace-id") },
  { name: "Xum", isMeant: startsWith("xum/"), sessionId: inHeader("x-mux-workspace-id") },
  {
    name: "Claude Code",
    isMeant: startsWith("claude"),
    sessionId: (headers, userId) => inClaudeHeader(headers, userId) ?? sessionInUserId(userId)
  },
  { name: "Codex", isMeant: startsWith("codex"), sessionId: inHeader("session-id", "session_id") },
  { name: "Zed", isMeant: startsWith("zed/"), sessionId: none },
  {
    name: "GitHub Copilot (VS Code)",
    isMeant: startsWith("githubcopilotchat/"),
    sessionId: inHeader("x-interaction-id")
  },
  { name: "GitHub Copilot (CLI)", isMeant: startsWith("copilot/"), sessionId: inHeader("x-client-session-id") },
  {
    name: "Kilo Code",
    isMeant: startsWithOrOriginatesFrom("kilo-code/", "kilo-code"),
    sessionId: inHeader("x-kilocode-taskid")
  },
  { name: "Roo Code", isMeant: startsWithOrOriginatesFrom("roo-code/", "roo-code"), sessionId: none },
  { name: "Coder Agents", isMeant: startsWith("coder-agents/"), sessionId: inHeader("x-coder-chat-id") },
  { name: "Charm Crush", isMeant: startsWith("charm-crush/", "charm crush/"), sessionId: none },
  {
    name: "OpenCode",
    isMeant: startsWith("opencode/"),
    sessionId: inHeader("x-opencode-session", "x-session-affinity", "x-session-id")
  },
  { name: "Junie", isMeant: startsWith("junie:"), sessionId: none },
  {
    name: "Cursor",
    isMeant: (_, headers) => Boolean(headers["x-cursor-client-version"]?.trim()),
    sessionId: none
  },
  { name: "Anthropic SDK", isMeant: startsWith("anthropic/", "asyncanthropic/"), sessionId: none },
  { name: "OpenAI SDK", isMeant: startsWith("openai/", "asyncopenai/"), sessionId: none }
]

const unknown: Client = { name: "Unknown", sessionId: none }

// Claude Code before 2.1.86: JSON with such a member, and before that "user_<hash>_account_<id>_session_<id>".
const sessionInUserId = (userId: string | undefined): string | undefined => {
  if (userId === undefined) return undefined
  const id = Json.member(Json.parse(userId), "session_id") ?? /_session_(.*)$/s.exec(userId)?.[1]
  return typeof id === "string" ? id.trim() || undefined : undefined
}
