import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { hint } from "../../src/domain/Credential.ts"
import * as Table from "../Table.ts"
import * as TestHttp from "../service/TestHttp.ts"
import * as TestBedrock from "./TestBedrock.ts"

const { model, message, paths } = TestBedrock

const text = "Hello from the simulated provider. No account was used."

const common = (type: string) => `${type}:http://internal.amazon.com/coral/com.amazon.coral.service/`
const mismatch = "The request signature we calculated does not match the signature you provided."
const unknownKey = "The security token included in the request is invalid."

/** Half a minute ago, as `x-amz-date` has it. */
const earlier = () => new Date(new Date().getTime() - 30_000).toISOString().replace(/[-:]|\.\d+/g, "")

const flipped = (bytes: Uint8Array, index: number): Uint8Array =>
  bytes.map((byte, at) => (at === index ? byte ^ 1 : byte))

const withHeaders = (headers: Record<string, string>) => (signed: TestBedrock.Signed) => ({
  ...signed,
  headers: { ...signed.headers, ...headers }
})

const without = (name: string) => (signed: TestBedrock.Signed) => ({
  ...signed,
  headers: Object.fromEntries(Object.entries(signed.headers).filter(([other]) => other !== name))
})

describe("The simulated Bedrock", () => {
  it.live("is below a path of its own, with all that a gateway must know", () =>
    Effect.gen(function* () {
      const { url, bedrock } = yield* TestBedrock.start
      const { credentials, ...settings } = bedrock

      assert.deepStrictEqual(settings, {
        region: "us-east-1",
        model: "anthropic.claude-sonnet-4-5-20250929-v1:0",
        smallFastModel: "anthropic.claude-haiku-4-5-20251001-v1:0",
        baseUrl: `${url}/bedrock`
      })
      for (const { accessKeyId } of credentials) assert.match(accessKeyId, /^AKIASIMULATED.{7}$/)
      assert.lengthOf(new Set(credentials.map(({ accessKeyId }) => hint(accessKeyId))), 3)
      assert.lengthOf(new Set(credentials.map(({ secretAccessKey }) => Redacted.value(secretAccessKey))), 3)
    })
  )

  it.live("answers with a message from the model in its path", () =>
    Effect.gen(function* () {
      const { ask } = yield* TestBedrock.start

      const { status, headers, json } = yield* ask(2)

      assert.strictEqual(status, 200)
      assert.strictEqual(headers["content-type"], "application/json")
      assert.deepStrictEqual(yield* json, {
        id: "msg_simulated_1",
        type: "message",
        role: "assistant",
        model,
        content: [{ type: "text", text }],
        stop_reason: "end_turn",
        stop_sequence: null,
        usage: { input_tokens: 12, output_tokens: 11 }
      })
    })
  )

  it.live("streams in frames the events of Anthropic, without a ping and with the cost at the end", () =>
    Effect.gen(function* () {
      const { url, ask } = yield* TestBedrock.start
      const body = TestHttp.message({ model, stream: true })
      const headers = { "x-api-key": "sk-simulated-third-0003" }

      const [answer, anthropic] = yield* Effect.all([
        ask(2, { path: paths.stream }),
        TestHttp.send(url, { path: "/v1/messages", body, headers })
      ])
      const frames = TestBedrock.frames(yield* answer.bytes)
      const lines = (yield* anthropic.text).split("\n").filter((line) => line.startsWith("data: "))

      assert.strictEqual(answer.status, 200)
      assert.strictEqual(answer.headers["content-type"], "application/vnd.amazon.eventstream")
      for (const { headers: ofFrame, payload } of frames) {
        assert.deepStrictEqual(ofFrame, {
          ":event-type": "chunk",
          ":content-type": "application/json",
          ":message-type": "event"
        })
        assert.hasAllKeys(payload, ["bytes", "p"])
        assert.match(payload.p, /^abc?/)
      }
      const ofAnthropic = lines
        .map((line): TestBedrock.Event => JSON.parse(line.slice("data: ".length)))
        .filter(({ type }) => type !== "ping")
      assert.lengthOf(ofAnthropic, lines.length - 1)
      assert.deepStrictEqual(frames.map(TestBedrock.eventOf), [
        ...ofAnthropic.slice(0, -1),
        {
          type: "message_stop",
          "amazon-bedrock-invocationMetrics": {
            inputTokenCount: 12,
            outputTokenCount: 11,
            invocationLatency: 500,
            firstByteLatency: 50
          }
        }
      ])
    })
  )

  it.live("streams bit by bit", () =>
    Effect.gen(function* () {
      const { ask } = yield* TestBedrock.start
      const answer = yield* ask(2, { path: paths.stream })

      const first = String(yield* answer.read)

      assert.include(first, ":event-type")
      assert.isAbove((yield* answer.bytes).length, first.length)
    })
  )

  it.live.each([
    ["/bedrock/model/claude/invoke", "claude"],
    ["/bedrock/model/some.model-v1:0/invoke", model],
    ["/bedrock/model/a%2Fb%20c%C3%A9/invoke", "a/b cé"],
    ["/bedrock/model/100%/invoke", "100%"],
    ["/bedrock/model/claude/invoke?a-b=1&a=x%20y", "claude"]
  ])("reads %s as a request to %s", ([path, expected]) =>
    Effect.gen(function* () {
      const { ask } = yield* TestBedrock.start

      const { status, json } = yield* ask(2, { path: String(path) })

      assert.strictEqual(status, 200)
      assert.deepInclude(yield* json, { model: expected })
    })
  )

  it.live("gives each of its answers an id", () =>
    Effect.gen(function* () {
      const { url, ask } = yield* TestBedrock.start

      const answers = yield* Effect.all([
        ask(2),
        ask(2, { path: paths.stream }),
        ask(2, { body: "{}" }),
        ask(2, { path: "/bedrock/elsewhere" }),
        ask(2, { minutesAgo: 6 }),
        TestHttp.send(url, { path: paths.invoke, body: message() })
      ])

      assert.deepStrictEqual(
        answers.map(({ status }) => status),
        [200, 200, 400, 404, 403, 403]
      )
      const ids = answers.map(({ headers }) => String(headers["x-amzn-requestid"]))
      for (const id of ids) assert.match(id, /^[0-9a-f-]{36}$/)
      assert.lengthOf(new Set(ids), ids.length)
    })
  )
})

describe("A signature for the simulated Bedrock", () => {
  it.live.each<{ readonly what: string } & TestBedrock.Options>([
    { what: "headers that were added unsigned", tamper: withHeaders({ "user-agent": "x" }) },
    { what: "signed headers", headers: { "x-amz-meta": "a   b", accept: "x" } },
    {
      what: "a header in UTF-8",
      headers: { "x-amz-meta": "é" },
      tamper: withHeaders({ "x-amz-meta": Buffer.from("é").toString("latin1") })
    },
    { what: "a body in UTF-8", body: message({ messages: [{ role: "user", content: "Grüße" }] }) },
    { what: "a date almost 5 minutes ago", minutesAgo: 4.9 },
    { what: "a date in almost 5 minutes", minutesAgo: -4.9 }
  ])("is good with $what", (options) =>
    Effect.gen(function* () {
      const { ask } = yield* TestBedrock.start

      assert.strictEqual((yield* ask(2, options)).status, 200)
    })
  )

  const tampered: ReadonlyArray<{ readonly what: string } & TestBedrock.Options> = [
    { what: "another byte in the body", tamper: (signed) => ({ ...signed, body: flipped(signed.body, 40) }) },
    { what: "another path", tamper: (signed) => ({ ...signed, path: "/bedrock/model/other/invoke" }) },
    {
      what: "the colon in the path as it is",
      tamper: (signed) => ({ ...signed, path: signed.path.replace("%3A", ":") })
    },
    { what: "a query added", tamper: (signed) => ({ ...signed, path: `${signed.path}?beta=true` }) },
    { what: "another method", tamper: (signed) => ({ ...signed, method: "PUT" }) },
    { what: "another value of a signed header", tamper: withHeaders({ "content-type": "application/json; x" }) },
    { what: "another host", tamper: withHeaders({ host: "bedrock-runtime.us-east-1.amazonaws.com" }) },
    { what: "another date", tamper: (signed) => withHeaders({ "x-amz-date": earlier() })(signed) },
    { what: "an x-amz header added", tamper: withHeaders({ "x-amz-meta": "x" }) },
    { what: "an x-amz header that is not signed", headers: { "x-amz-meta": "x" }, unsigned: ["x-amz-meta"] },
    { what: "a host that is not signed", unsigned: ["host"] },
    { what: "a signed header taken away", headers: { accept: "" }, tamper: without("accept") },
    { what: "no signature", tamper: withHeaders({ authorization: "" }) },
    { what: "a bearer token", tamper: withHeaders({ authorization: "Bearer x" }) },
    { what: "another secret", credential: { accessKeyId: "AKIASIMULATED0002002", secretAccessKey: "other" } },
    { what: "another region", region: "eu-central-1" },
    { what: "another service", service: "bedrock-runtime" }
  ]

  it.live.each(tampered)("is refused with $what, and takes no use from the key", (options) =>
    Effect.gen(function* () {
      const { ask } = yield* TestBedrock.start

      const { status, headers, json } = yield* ask(1, options)
      const good = yield* ask(1)

      assert.strictEqual(status, 403)
      assert.strictEqual(headers["x-amzn-errortype"], common("InvalidSignatureException"))
      assert.deepStrictEqual(yield* json, { message: mismatch })
      assert.strictEqual(good.status, 200)
    })
  )

  it.live.each([
    { what: "expired", minutesAgo: 5.1, expected: /^Signature expired: \d{8}T\d{6}Z is now earlier than / },
    {
      what: "not yet current",
      minutesAgo: -5.1,
      expected: /^Signature not yet current: \d{8}T\d{6}Z is still later than /
    }
  ])("is refused once it is $what, and takes no use from the key", ({ minutesAgo, expected }) =>
    Effect.gen(function* () {
      const { ask } = yield* TestBedrock.start

      const { status, headers, text: body } = yield* ask(1, { minutesAgo })
      const good = yield* ask(1)

      assert.strictEqual(status, 403)
      assert.strictEqual(headers["x-amzn-errortype"], common("InvalidSignatureException"))
      assert.match(JSON.parse(yield* body).message, expected)
      assert.strictEqual(good.status, 200)
    })
  )

  it.live("is refused for its key if that is unknown", () =>
    Effect.gen(function* () {
      const { ask, credential } = yield* TestBedrock.start
      const { secretAccessKey } = credential(2)

      const { status, headers, json } = yield* ask(2, {
        credential: { accessKeyId: "AKIASIMULATED0009999", secretAccessKey }
      })

      assert.strictEqual(status, 403)
      assert.strictEqual(headers["x-amzn-errortype"], common("UnrecognizedClientException"))
      assert.deepStrictEqual(yield* json, { message: unknownKey })
    })
  )
})

describe("The credentials of the simulated Bedrock", () => {
  it.live(
    "wear off: the first is throttled now and then, the second revoked after a use, the third is always good",
    () =>
      Effect.gen(function* () {
        const { ask } = yield* TestBedrock.start
        const statusesOf = (index: number) =>
          Effect.forEach([1, 2, 3, 4, 5], () => Effect.map(ask(index), ({ status }) => status))

        assert.deepStrictEqual(yield* statusesOf(0), [200, 429, 200, 200, 429])
        assert.deepStrictEqual(yield* statusesOf(1), [200, 403, 403, 403, 403])
        assert.deepStrictEqual(yield* statusesOf(2), [200, 200, 200, 200, 200])
      })
  )

  it.live("are throttled and revoked in the words of AWS, without a time to wait", () =>
    Effect.gen(function* () {
      const { ask } = yield* TestBedrock.start
      yield* Effect.all([ask(0), ask(1)])

      const [throttled, revoked] = yield* Effect.all([ask(0), ask(1)])

      assert.deepInclude(throttled.headers, { "x-amzn-errortype": "ThrottlingException" })
      assert.notProperty(throttled.headers, "retry-after")
      assert.deepStrictEqual(yield* throttled.json, {
        message: "Too many requests, please wait before trying again."
      })
      assert.deepInclude(revoked.headers, { "x-amzn-errortype": common("UnrecognizedClientException") })
      assert.deepStrictEqual(yield* revoked.json, { message: unknownKey })
    })
  )
})

describe("The simulated Bedrock refuses", () => {
  const refusals = [
    { what: "a body that is no JSON", body: "Hello", problem: "required key [anthropic_version] not found" },
    {
      what: "no version",
      body: message({ anthropic_version: undefined }),
      problem: "required key [anthropic_version] not found"
    },
    {
      what: "the version of Anthropic",
      body: message({ anthropic_version: "2023-06-01" }),
      problem: 'anthropic_version: "2023-06-01" is not valid'
    },
    { what: "no max_tokens", body: message({ max_tokens: undefined }), problem: "required key [max_tokens] not found" },
    ...[
      { model: "claude" },
      { stream: false },
      { metadata: null },
      { service_tier: "auto" },
      { container: "x" },
      { inference_geo: "eu" }
    ].map((members) => ({
      what: JSON.stringify(members),
      body: message(members),
      problem: `extraneous key [${Object.keys(members).join()}] is not permitted`
    }))
  ]

  it.live.each(Table.times(refusals, [{ path: paths.invoke }, { path: paths.stream }]))(
    "$what at $path",
    ({ body, path, problem }) =>
      Effect.gen(function* () {
        const { ask } = yield* TestBedrock.start

        const { status, headers, json } = yield* ask(2, { path, body })

        assert.strictEqual(status, 400)
        assert.strictEqual(headers["x-amzn-errortype"], "ValidationException")
        assert.deepStrictEqual(yield* json, {
          message: `Malformed input request: #: ${problem}, please reformat your input and try again.`
        })
      })
  )

  it.live.each(["/bedrock/model/x/converse", "/bedrock/v1/messages", "/bedrock/model/x/y/invoke"])(
    "a request to %s, which it does not have",
    (path) =>
      Effect.gen(function* () {
        const { ask } = yield* TestBedrock.start

        const { status, headers } = yield* ask(2, { path })

        assert.strictEqual(status, 404)
        assert.strictEqual(headers["x-amzn-errortype"], "UnknownOperationException")
      })
  )
})
