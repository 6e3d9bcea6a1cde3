import { assert, describe, it } from "@effect/vitest"
import * as Redacted from "effect/Redacted"
import * as Failure from "../../../src/domain/UpstreamError.ts"
import * as DumpText from "../../../src/upstream/dump/DumpText.ts"
import * as Table from "../../Table.ts"

const secret = Redacted.make("sk-ant-NEVER-SHOWN-0001")
const post = { method: "POST", origin: "https://api.test:8443", path: "/v1/messages?beta=true", headers: {} }

describe("The header lines of a dump", () => {
  it.each([
    { which: "none", headers: {}, lines: "" },
    { which: "one", headers: { accept: "*/*" }, lines: "accept: */*\r\n" },
    { which: "several, by their names", headers: { b: "1", c: "2", a: "3" }, lines: "a: 3\r\nb: 1\r\nc: 2\r\n" },
    { which: "each value of a repeated one", headers: { b: ["2", "1"], a: "3" }, lines: "a: 3\r\nb: 2\r\nb: 1\r\n" },
    { which: "none that is absent", headers: { a: undefined, b: "" }, lines: "b: \r\n" },
    { which: "one in place of another", headers: { a: "1" }, override: { a: "2" }, lines: "a: 2\r\n" },
    { which: "one that was missing", headers: { b: "1" }, override: { a: "2" }, lines: "a: 2\r\nb: 1\r\n" },
    {
      which: "masked ones",
      headers: { authorization: "Bearer sk-12345", a: "b" },
      lines: "a: b\r\nauthorization: Be...45\r\n"
    },
    {
      which: "every value of a masked one",
      headers: { "set-cookie": ["a=12345", "b=1"] },
      lines: "set-cookie: a...5\r\nset-cookie: ...\r\n"
    }
  ])("are $which", ({ headers, override, lines }) => {
    assert.strictEqual(DumpText.headerLines(headers, secret, override), lines)
  })

  const names = [
    "authorization",
    "x-api-key",
    "api-key",
    "x-auth-token",
    "x-goog-api-key",
    "anthropic-api-key",
    "x-custom-token",
    "cf-access-client-secret",
    "x-forwarded-authorization",
    "cookie",
    "proxy-authorization",
    "x-amz-security-token",
    "set-cookie",
    "www-authenticate",
    "proxy-authenticate",
    "x-aibridge-token",
    "Authorization"
  ].map((name) => ({ name }))
  const values = [
    { value: "Bearer sk-abcdefghi12345", masked: "Bear...2345" },
    { value: "secret-and-long-value", masked: "secr...alue" },
    { value: "se-0000000123", masked: "se...23" },
    { value: "Bearer hi i", masked: "Be... i" },
    { value: "abcde", masked: "a...e" },
    { value: "abcd", masked: "..." },
    { value: "", masked: "" }
  ]

  it.each(Table.times(names, values))("have $masked for $value in $name", ({ name, value, masked }) => {
    assert.strictEqual(DumpText.headerLines({ [name]: value }, secret), `${name}: ${masked}\r\n`)
  })

  it("are masked wherever the key that was used stands", () => {
    const headers = { "x-acme": "key=sk-ant-NEVER-SHOWN-0001; v=1", "x-other": "sk-ant-NEVER-SHOWN-000" }

    const lines = DumpText.headerLines(headers, secret)

    assert.strictEqual(lines, "x-acme: key=... v=1\r\nx-other: sk-ant-NEVER-SHOWN-000\r\n")
  })
})

describe("The head of a dumped request", () => {
  it.each([
    { length: undefined, head: "POST /v1/messages?beta=true HTTP/1.1\r\nhost: api.test:8443\r\nx: 1\r\n\r\n" },
    {
      length: 12,
      head: "POST /v1/messages?beta=true HTTP/1.1\r\ncontent-length: 12\r\nhost: api.test:8443\r\nx: 1\r\n\r\n"
    }
  ])("has the target, the host and a length of $length", ({ length, head }) => {
    assert.strictEqual(DumpText.requestHead({ ...post, headers: { x: "1" } }, length, secret), head)
  })

  it("has no key in its target", () => {
    const path = `/v1/models/${Redacted.value(secret)}?key=${Redacted.value(secret)}`

    assert.strictEqual(
      DumpText.requestHead({ ...post, path }, undefined, secret),
      "POST /v1/models/sk-a...0001?key=sk-a...0001 HTTP/1.1\r\nhost: api.test:8443\r\n\r\n"
    )
  })
})

describe("The head of a dumped answer", () => {
  it.each([
    { status: 200, headers: { b: ["1", "2"] }, head: "HTTP/1.1 200 OK\r\nb: 1\r\nb: 2\r\n\r\n" },
    { status: 529, headers: {}, head: "HTTP/1.1 529 \r\n\r\n" },
    {
      status: 401,
      headers: { "www-authenticate": "Bearer realm=abcdefghijkl", "transfer-encoding": "chunked" },
      head: "HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Bear...ijkl\r\n\r\n"
    }
  ])("is that of $status", ({ status, headers, head }) => {
    assert.strictEqual(DumpText.responseHead({ status, headers }, secret), head)
  })
})

describe("A dumped failure", () => {
  it.each([
    { error: Failure.unreachable("ECONNREFUSED"), text: "upstream unreachable (ECONNREFUSED)\n" },
    { error: Failure.cut("ECONNRESET"), text: "upstream closed the stream early (ECONNRESET)\n" },
    { error: Failure.timedOut(), text: "upstream timed out\n" }
  ])("says $text", ({ error, text }) => {
    assert.strictEqual(DumpText.failure(error), text)
  })
})

describe("A name for a file", () => {
  it.each([
    { name: "claude-sonnet-4-5", segment: "claude-sonnet-4-5" },
    { name: "vendor/model", segment: "vendor-model" },
    { name: "gpt-4.1_mini@2025+x=y,z", segment: "gpt-4.1_mini@2025+x=y,z" },
    { name: "eu.anthropic.claude-v1:0", segment: "eu.anthropic.claude-v1-0" },
    { name: "..", segment: "--" },
    { name: ".", segment: "-" },
    { name: ".hidden", segment: "-hidden" },
    { name: "...", segment: "---" },
    { name: "../../etc/passwd", segment: "------etc-passwd" },
    { name: "a/../b", segment: "a----b" },
    { name: "a..b", segment: "a--b" },
    { name: "..\\..\\a", segment: "------a" },
    { name: "/etc", segment: "-etc" },
    { name: "a\0b\nc\u001b[2J", segment: "a-b-c--2J" },
    { name: "C:\\x", segment: "C--x" },
    { name: 'a b*?"<>|%2f', segment: "a-b-------2f" },
    { name: "模型👋", segment: "----" },
    { name: "", segment: "-" },
    { name: "m".repeat(101), segment: "m".repeat(100) },
    { name: `${"m".repeat(99)}..`, segment: `${"m".repeat(99)}.` }
  ])("is $segment of $name", ({ name, segment }) => {
    assert.strictEqual(DumpText.segment(name), segment)
  })
})

describe("The place of an attempt's files", () => {
  const known = { begun: 1_700_000_000_000, random: "0a1b2c3d", number: 2 }
  const attempt = { request: { ...post, body: undefined }, secret }

  it("is below the model, by time, interception and attempt", () => {
    const facts = { provider: "p", interception: { id: "7f6c", model: "vendor/model" } }

    assert.deepStrictEqual(DumpText.place(facts, attempt, known), ["vendor-model", "1700000000000-7f6c-2"])
  })

  it.each([
    { path: "/v1/models?limit=1", stem: "v1-models" },
    { path: "//v1/models/a%2f..", stem: "v1-models-a-2f--" },
    { path: "/", stem: "-" },
    { path: "?a/b", stem: "-" },
    { path: `/v1/models/${Redacted.value(secret)}`, stem: "v1-models-sk-a---0001" },
    { path: `/${"a".repeat(300)}`, stem: "a".repeat(100) }
  ])("is that of $path if it is relayed blind", ({ path, stem }) => {
    const relayed = { ...attempt, request: { ...attempt.request, path } }

    assert.deepStrictEqual(DumpText.place({ provider: "p" }, relayed, known), [
      "passthrough",
      `1700000000000-${stem}-0a1b2c3d-2`
    ])
  })
})
