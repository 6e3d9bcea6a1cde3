import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { createHash, createHmac } from "node:crypto"
import type { RequestHeaders } from "../../../src/domain/HeaderRecord.ts"
import type { AwsCredentials } from "../../../src/providers/bedrock/AwsCredentials.ts"
import * as Signature from "../../../src/providers/bedrock/Signature.ts"
import type { SignableRequest } from "../../../src/providers/Translation.ts"
import * as Splits from "../../Splits.ts"
import * as Table from "../../Table.ts"

const secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
const credentials: AwsCredentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: Redacted.make(secret) }
const token =
  "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
const now = Date.UTC(2015, 7, 30, 12, 36)

const request = (parts: Partial<SignableRequest> = {}): SignableRequest => ({
  method: "POST",
  origin: "https://bedrock-runtime.us-east-1.amazonaws.com",
  path: "/model/a/invoke",
  headers: {},
  body: Splits.bytes("{}"),
  ...parts
})

const bedrock: Signature.Scope = { region: "us-east-1", service: "bedrock" }

const signed = (parts: Partial<SignableRequest> = {}, by = credentials, at = now) =>
  Signature.sign(request(parts), by, bedrock, at)

const signedHeaders = (headers: RequestHeaders) => /SignedHeaders=([^,]*),/.exec(headers["authorization"] ?? "")?.[1]

const unreserved = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

describe("A signature", () => {
  // AWS's published test suite for Signature Version 4.
  it.effect.each([
    { vector: "get-vanilla", signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
    {
      vector: "get-unreserved",
      path: `/${unreserved}`,
      signature: "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"
    },
    {
      vector: "get-utf8",
      path: "/ሴ",
      signature: "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"
    },
    {
      vector: "get-space",
      path: "/example space/",
      signature: "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"
    },
    {
      vector: "get-slashes",
      path: "//example//",
      signature: "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"
    },
    {
      vector: "get-slash-pointless-dot",
      path: "/./example",
      signature: "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"
    },
    {
      vector: "get-relative",
      path: "/example/..",
      signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
    },
    {
      vector: "get-vanilla-query-order-key-case",
      path: "/?Param2=value2&Param1=value1",
      signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
    },
    {
      vector: "get-vanilla-query-order-value",
      path: "/?Param1=value2&Param1=value1",
      signature: "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694"
    },
    {
      vector: "get-vanilla-query-unreserved",
      path: `/?${unreserved}=${unreserved}`,
      signature: "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"
    },
    {
      vector: "get-vanilla-utf8-query",
      path: "/?ሴ=bar",
      signature: "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"
    },
    {
      vector: "get-header-value-trim",
      headers: { "my-header1": " value1", "my-header2": ` "a   b   c"` },
      signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"
    },
    {
      vector: "get-header-value-order",
      headers: { "my-header1": "value4,value1,value3,value2" },
      signature: "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"
    },
    {
      vector: "get-header-key-duplicate",
      headers: { "my-header1": "value2,value2,value1" },
      signature: "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"
    },
    {
      vector: "post-vanilla",
      method: "POST",
      signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
    },
    {
      vector: "post-vanilla-query",
      method: "POST",
      path: "/?Param1=value1",
      signature: "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"
    },
    {
      vector: "post-header-key-sort",
      method: "POST",
      headers: { "my-header1": "value1" },
      signature: "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"
    },
    {
      vector: "post-header-value-case",
      method: "POST",
      headers: { "my-header1": "VALUE1" },
      signature: "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"
    },
    {
      vector: "post-x-www-form-urlencoded",
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: "Param1=value1",
      signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"
    },
    {
      vector: "post-x-www-form-urlencoded-parameters",
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded; charset=utf8" },
      body: "Param1=value1",
      signature: "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe"
    },
    {
      vector: "post-sts-header-before",
      method: "POST",
      sessionToken: token,
      signature: "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"
    },
    // The example of AWS's documentation.
    {
      vector: "ListUsers",
      origin: "https://iam.amazonaws.com",
      service: "iam",
      path: "/?Action=ListUsers&Version=2010-05-08",
      headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
      signature: "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
    }
  ])(
    "is the one that AWS published for $vector",
    ({ method = "GET", origin, path = "/", headers = {}, body = "", service = "service", sessionToken, signature }) =>
      Effect.gen(function* () {
        const answer = yield* Signature.sign(
          { method, origin: origin ?? "https://example.amazonaws.com", path, headers, body: Splits.bytes(body) },
          { ...credentials, sessionToken: sessionToken === undefined ? undefined : Redacted.make(sessionToken) },
          { region: "us-east-1", service, signedHeaders: ["my-header1", "my-header2"] },
          now
        )

        assert.match(answer["authorization"] ?? "", new RegExp(`, Signature=${signature}$`))
      })
  )

  const paths = [
    { path: "/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke" },
    { path: "/model/us.anthropic.claude-opus-4-5-20251101-v1:0/invoke-with-response-stream" },
    {
      path: "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aapplication-inference-profile%2Fabc123/invoke"
    },
    { path: "/model/mod%C3%A8le%20%25%21'()*/invoke" },
    { path: "/base/path/model/a/invoke" }
  ]
  const bodies = [
    { content: "nothing", body: Splits.bytes("") },
    { content: "JSON", body: Splits.bytes(`{"anthropic_version":"bedrock-2023-05-31","messages":[]}`) },
    { content: "1 MB of text", body: Splits.bytes("grüße 👋 ".repeat(80_000)) },
    { content: "bytes that are no text", body: Uint8Array.from({ length: 512 }, (_, index) => index) }
  ]
  const origins = [
    { origin: "https://bedrock-runtime.us-east-1.amazonaws.com" },
    { origin: "https://gateway.example:8443" },
    { origin: "https://gateway.example:443" },
    { origin: "http://127.0.0.1:8080" },
    { origin: "http://127.0.0.1:80" }
  ]
  const credentialsOf = [
    { kind: "fixed", by: credentials },
    { kind: "temporary", by: { ...credentials, sessionToken: Redacted.make(token) } }
  ]

  it.effect.each(Table.times(Table.times(paths, bodies), Table.times(origins, credentialsOf)))(
    "is valid for $content at $origin$path with $kind credentials",
    ({ path, body, origin, by }) =>
      Effect.gen(function* () {
        const sent = request({ path, body, origin, headers: { ...ordinary, "x-amzn-bedrock-trace": "  a   b " } })

        const headers = yield* Signature.sign(sent, by, { region: "eu-west-3", service: "bedrock" }, now)

        assert.strictEqual(headers["authorization"], expected({ ...sent, headers }, "eu-west-3", "bedrock"))
      })
  )

  it.effect.each([
    { at: Date.UTC(2015, 7, 30, 23, 59, 59, 999), date: "20150830T235959Z", day: "20150830" },
    { at: Date.UTC(2015, 7, 31), date: "20150831T000000Z", day: "20150831" },
    { at: Date.UTC(2024, 1, 29, 4, 5, 6), date: "20240229T040506Z", day: "20240229" }
  ])("has its time in UTC: $date", ({ at, date, day }) =>
    Effect.gen(function* () {
      const headers = yield* signed({}, credentials, at)

      assert.strictEqual(headers["x-amz-date"], date)
      assert.include(headers["authorization"], `Credential=AKIDEXAMPLE/${day}/us-east-1/bedrock/aws4_request, `)
    })
  )
})

const ordinary = {
  "content-type": "application/json",
  accept: "text/event-stream",
  "user-agent": "test/1.0 (x; y)",
  "x-stainless-retry-count": "0"
}

describe("A signed request", () => {
  it.effect("keeps its headers, and has only what must be signed in the signature", () =>
    Effect.gen(function* () {
      const guardrail = { "x-amzn-bedrock-guardrailidentifier": "g1", "x-amzn-bedrock-guardrailversion": "DRAFT" }

      const headers = yield* signed({ headers: { ...ordinary, ...guardrail } })

      assert.deepInclude(headers, { ...ordinary, ...guardrail })
      assert.strictEqual(
        signedHeaders(headers),
        "content-type;host;x-amz-date;x-amzn-bedrock-guardrailidentifier;x-amzn-bedrock-guardrailversion"
      )
    })
  )

  it.effect.each([
    { name: "authorization", value: "Bearer own" },
    { name: "x-amz-content-sha256", value: "UNSIGNED-PAYLOAD" },
    { name: "x-amz-security-token", value: "own" },
    { name: "x-amz-target", value: "own" },
    { name: "x-amz-date", value: "20200101T000000Z" },
    { name: "host", value: "own.example" }
  ])("has nothing of a $name that came with it", ({ name, value }) =>
    Effect.gen(function* () {
      const without = yield* signed({ headers: ordinary })

      const headers = yield* signed({ headers: { ...ordinary, [name]: value } })

      assert.deepStrictEqual(headers, without)
    })
  )

  it.effect("has its session token, signed, if there is one", () =>
    Effect.gen(function* () {
      const by = { ...credentials, sessionToken: Redacted.make("session") }

      const headers = yield* signed({ headers: { "x-amz-security-token": "own" } }, by)

      assert.strictEqual(headers["x-amz-security-token"], "session")
      assert.strictEqual(signedHeaders(headers), "host;x-amz-date;x-amz-security-token")
    })
  )

  it.effect.each([
    { name: "x-amzn-trace-id", value: "Root=1-2-3" },
    { name: "x-amzn-bedrock-trace", value: "modèle" },
    { name: "content-type", value: "application/json; x=\u00a0" },
    { name: "user-agent", value: "test" },
    { name: "anthropic-version", value: "2023-06-01" }
  ])("has $name: $value, which others may change, but does not sign it", ({ name, value }) =>
    Effect.gen(function* () {
      const headers = yield* signed({ headers: { [name]: value } })

      assert.strictEqual(headers[name], value)
      assert.strictEqual(signedHeaders(headers), "host;x-amz-date")
    })
  )

  it.effect("names no host: the upstream client has the same one by itself", () =>
    Effect.gen(function* () {
      const headers = yield* signed()

      assert.notProperty(headers, "host")
    })
  )
})

const sha256 = (data: string | Uint8Array) => createHash("sha256").update(data).digest("hex")
const hmac = (key: string | Uint8Array, data: string) => createHmac("sha256", key).update(data).digest()

/** A part of a path once more percent-encoded, as AWS does it for all services but S3. */
const encoded = (part: string) =>
  encodeURIComponent(part).replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

/** What `Authorization` must be, worked out as AWS specifies it ("Create a signed AWS API request") from what is sent. */
const expected = ({ method, origin, path, headers, body }: SignableRequest, region: string, service: string) => {
  const { hostname, port, protocol } = new URL(origin)
  const host = port === "" || port === { "https:": "443", "http:": "80" }[protocol] ? hostname : `${hostname}:${port}`
  const present = Object.entries({ ...headers, host })
    .filter(([name]) => name === "host" || name === "content-type" || name.startsWith("x-amz"))
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
  const names = present.map(([name]) => name).join(";")
  const canonical = [
    method,
    path.split("/").map(encoded).join("/"),
    "",
    ...present.map(([name, value]) => `${name}:${value.trim().replaceAll(/ +/g, " ")}`),
    "",
    names,
    sha256(body)
  ].join("\n")
  const date = headers["x-amz-date"] ?? ""
  const scope = `${date.slice(0, 8)}/${region}/${service}/aws4_request`
  const toSign = ["AWS4-HMAC-SHA256", date, scope, sha256(canonical)].join("\n")
  const key = scope.split("/").reduce<string | Uint8Array>(hmac, `AWS4${secret}`)
  const signature = hmac(key, toSign).toString("hex")
  return `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/${scope}, SignedHeaders=${names}, Signature=${signature}`
}
