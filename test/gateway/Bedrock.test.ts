import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Failure from "../../src/domain/UpstreamError.ts"
import * as Gateway from "../../src/Gateway.ts"
import * as Authenticator from "../../src/inbound/Authenticator.ts"
import * as Bedrock from "../../src/providers/Bedrock.ts"
import * as Providers from "../../src/providers/Providers.ts"
import * as Recorder from "../../src/record/Recorder.ts"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as BedrockMessages from "./BedrockMessages.ts"
import * as Circuits from "./Circuits.ts"
import * as Logs from "./Logs.ts"
import * as Messages from "./Messages.ts"
import * as Reader from "./Reader.ts"
import * as Setup from "./Setup.ts"
import * as Vendors from "./Vendors.ts"

const { error, exception, fixture, frame, frames } = BedrockMessages
const path = "/bedrock/v1/messages"
const second = Duration.seconds(1)
const vendors = [Vendors.bedrock]

const layer = (script: Parameters<typeof ScriptedUpstream.layer>[0], options: Setup.Options = {}) =>
  Setup.layer(script, { vendors, ...options })

const ask = (body: Readonly<Record<string, unknown>>, headers: Readonly<Record<string, string>> = {}) =>
  TestGateway.fetch(path, { body: { max_tokens: 64, messages: [], ...body }, headers })

/** A gateway whose Bedrock has these options. */
const withOptions = (options: Partial<Bedrock.Options>, script: Parameters<typeof ScriptedUpstream.layer>[0]) =>
  Gateway.layer.pipe(
    Layer.provideMerge([
      Providers.layer([
        Bedrock.make({ region: "us-east-1", model: "big", smallFastModel: "small", ...options }, { name: "bedrock" })
      ]),
      Authenticator.layerLoopback,
      ScriptedUpstream.layer(script),
      Recorder.layerMemory
    ])
  )

const staticCredentials = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: Redacted.make("NEVER-SHOWN") }

describe("A request for Bedrock", () => {
  it.effect("goes out to its model's path, with its own headers, an edited body and a signature", () =>
    Effect.gen(function* () {
      yield* TestGateway.fetch(`${path}?beta=true`, {
        headers: {
          "anthropic-beta": "interleaved-thinking-2025-05-14, claude-code-20250219",
          "anthropic-version": "2023-06-01",
          "content-type": "application/json; charset=utf-8",
          "user-agent": "claude-cli/2",
          "x-api-key": "sk-anything",
          "x-amz-security-token": "the caller's",
          "x-amzn-bedrock-trace": "ENABLED"
        },
        body: ` {"model" : "claude-sonnet-4-5","max_tokens":6.4e1, "stream":false,\n "metadata":{"user_id":"u"},"new":[ 1.0 ]} `
      })

      const [request] = yield* Setup.requests
      const { authorization = "", ...headers } = request?.headers ?? {}
      assert.strictEqual(request?.origin, "https://bedrock-runtime.us-east-1.amazonaws.com")
      assert.strictEqual(request?.path, "/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke")
      assert.strictEqual(
        request?.text ?? "",
        ` {"max_tokens":6.4e1, "new":[ 1.0 ],"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["interleaved-thinking-2025-05-14"]} `
      )
      assert.deepStrictEqual(headers, {
        accept: "application/json",
        "accept-encoding": "identity",
        "content-type": "application/json",
        "user-agent": "claude-cli/2",
        "x-amz-date": "19700101T000000Z",
        "x-amzn-bedrock-trace": "ENABLED"
      })
      assert.match(
        authorization,
        /^AWS4-HMAC-SHA256 Credential=sk-0-bedrock-NEVER-SHOWN-0kk\/19700101\/us-east-1\/bedrock\/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amzn-bedrock-trace, Signature=[\da-f]{64}$/
      )
    }).pipe(Effect.provide(layer([fixture.answer200])))
  )

  it.effect.each([
    { model: "claude-haiku-4-5", stream: false, asked: BedrockMessages.smallFastModel, end: "invoke" },
    { model: "Claude 3.5 HAIKU", stream: false, asked: BedrockMessages.smallFastModel, end: "invoke" },
    { model: "claude-opus-4-1", stream: true, asked: BedrockMessages.model, end: "invoke-with-response-stream" },
    { model: "gpt-5", stream: false, asked: BedrockMessages.model, end: "invoke" }
  ])("for $model asks the model that stands for it, which is also recorded", ({ model, stream, asked, end }) =>
    Effect.gen(function* () {
      yield* ask({ model, stream })

      const paths = (yield* Setup.requests).map((request) => request?.path)
      assert.deepStrictEqual(paths, [`/model/${asked.replace(":", "%3A")}/${end}`])
      assert.deepStrictEqual(
        (yield* Setup.started).map((event) => [event.model, event.stream]),
        [[asked, stream]]
      )
    }).pipe(Effect.provide(layer([stream ? fixture.stream200 : fixture.answer200])))
  )

  it.effect(
    "has an ARN in its path, every part of it encoded, and is treated as the family that is named for it",
    () => {
      const model = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1!*'(c)"
      const options = { model, modelFamily: "anthropic.claude-opus-4-7", credentials: [staticCredentials] }
      return Effect.gen(function* () {
        yield* ask({ model: "claude-opus-4-7", thinking: { type: "enabled", budget_tokens: 2000 } })

        const [request] = yield* Setup.requests
        assert.strictEqual(
          request?.path,
          "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aapplication-inference-profile%2Fa1%21%2A%27%28c%29/invoke"
        )
        assert.deepStrictEqual(JSON.parse(request?.text ?? "").thinking, { type: "adaptive" })
      }).pipe(Effect.provide(withOptions(options, [fixture.answer200])))
    }
  )

  it.effect("is treated as configuration says of its models, the small one too", () => {
    const options = {
      smallFastModel: "arn:aws:bedrock:eu-west-1:1:x/y",
      smallFastModelFamily: "anthropic.claude-haiku-9",
      models: { betaFlags: [{ flag: "new-2027", models: ["haiku-9"] }] },
      credentials: [staticCredentials]
    }
    return Effect.gen(function* () {
      yield* ask({ model: "claude-haiku-9" }, { "anthropic-beta": "new-2027" })
      yield* ask({ model: "claude-opus-9" }, { "anthropic-beta": "new-2027" })

      const flags = (yield* Setup.requests).map(({ text }) => JSON.parse(text).anthropic_beta)
      assert.deepStrictEqual(flags, [["new-2027"], undefined])
    }).pipe(Effect.provide(withOptions(options, [fixture.answer200, fixture.answer200])))
  })

  it.effect("for a stream asks for frames", () =>
    Effect.gen(function* () {
      yield* ask({ model: "m", stream: true })

      const [request] = yield* Setup.requests
      assert.strictEqual(request?.headers["accept"], "application/vnd.amazon.eventstream")
    }).pipe(Effect.provide(layer([fixture.stream200])))
  )

  it.effect("that an open circuit refuses is not even translated", () => {
    const adaptive = TestGateway.fetch(path, { body: { model: "m", thinking: { type: "adaptive" } } })
    return Effect.gen(function* () {
      yield* Logs.of(Circuits.statuses(2, { path, request: { body: { model: "m" } } }))
      const lines = yield* Logs.of(adaptive)

      assert.deepStrictEqual(
        lines.map(({ message }) => message),
        ["circuit breaker is open"]
      )
    }).pipe(Effect.provide(Circuits.layer(() => fixture.error(503), {}, { vendors })))
  })

  it.effect.each([
    {
      options: { region: "eu-west-1" },
      origin: "https://bedrock-runtime.eu-west-1.amazonaws.com",
      region: "eu-west-1"
    },
    {
      options: { region: "eu-west-1", baseUrl: "http://127.0.0.1:1234/base" },
      origin: "http://127.0.0.1:1234",
      region: "eu-west-1",
      base: "/base"
    },
    {
      options: { region: "", baseUrl: "https://bedrock-runtime.ap-south-1.amazonaws.com" },
      origin: "https://bedrock-runtime.ap-south-1.amazonaws.com",
      region: "ap-south-1"
    },
    {
      options: { region: "", baseUrl: "https://vpce-1a.bedrock-runtime-fips.us-gov-west-1.vpce.amazonaws.com" },
      origin: "https://vpce-1a.bedrock-runtime-fips.us-gov-west-1.vpce.amazonaws.com",
      region: "us-gov-west-1"
    },
    { options: { region: "", baseUrl: "https://llm.test" }, origin: "https://llm.test", region: "us-east-1" },
    {
      options: { region: "cn-north-1" },
      origin: "https://bedrock-runtime.cn-north-1.amazonaws.com.cn",
      region: "cn-north-1"
    },
    {
      options: { region: "", baseUrl: "https://not-bedrock-runtime.eu-west-1.test" },
      origin: "https://not-bedrock-runtime.eu-west-1.test",
      region: "us-east-1"
    }
  ])("goes to $origin, signed for $region", ({ options, origin, region, base = "" }) =>
    Effect.gen(function* () {
      yield* ask({ model: "m" })

      const [request] = yield* Setup.requests
      assert.strictEqual(request?.origin, origin)
      assert.strictEqual(request?.path, `${base}/model/big/invoke`)
      assert.include(request?.headers["authorization"], `/19700101/${region}/bedrock/aws4_request`)
    }).pipe(Effect.provide(withOptions({ ...options, credentials: [staticCredentials] }, [fixture.answer200])))
  )

  it.effect("carries the session token of its credentials, signed", () => {
    const credentials = [{ ...staticCredentials, sessionToken: Redacted.make("session-token") }]
    return Effect.gen(function* () {
      yield* ask({ model: "m" })

      const [request] = yield* Setup.requests
      assert.strictEqual(request?.headers["x-amz-security-token"], "session-token")
      assert.include(request?.headers["authorization"], ";x-amz-security-token,")
    }).pipe(Effect.provide(withOptions({ credentials }, [fixture.answer200])))
  })

  it.effect("that cannot be translated in one point goes out all the same, and a warning says so", () =>
    Effect.gen(function* () {
      const lines = yield* Logs.of(
        TestGateway.fetch(path, { body: { model: "m", thinking: { type: "adaptive" }, metadata: {} } })
      )

      const [request] = yield* Setup.requests
      assert.deepStrictEqual(JSON.parse(request?.text ?? ""), {
        thinking: { type: "adaptive" },
        anthropic_version: "bedrock-2023-05-31"
      })
      assert.deepStrictEqual(
        lines.map(({ level, message, annotations }) => [level, message, annotations["provider"]]),
        [["WARN", "thinking goes out as it came: max_tokens: field required", "bedrock"]]
      )
    }).pipe(Effect.provide(layer([fixture.answer200])))
  )

  it.effect.each([
    { given: "a key of the caller's own", headers: { "x-aibridge-token": "any", "x-api-key": "sk-own-NEVER-SENT" } },
    {
      given: "a bearer of the caller's own",
      headers: { "x-aibridge-token": "any", authorization: "Bearer NEVER-SENT" }
    }
  ])("uses the pool although it brings $given, which goes nowhere", ({ headers }) =>
    Effect.gen(function* () {
      const { status } = yield* ask({ model: "m" }, headers)

      assert.strictEqual(status, 200)
      assert.deepStrictEqual(yield* Setup.keysSeen, [0])
      assert.notInclude(JSON.stringify(yield* Setup.requests), "NEVER-SENT")
    }).pipe(Effect.provide(layer([fixture.answer200])))
  )

  it.effect.each(["/v1/models", "/v1/messages/count_tokens", "/model/x/invoke"])(
    "to %s is 404: it could not be signed",
    (route) =>
      Effect.gen(function* () {
        assert.strictEqual((yield* TestGateway.fetch(`/bedrock${route}`, { body: {} })).status, 404)
        assert.deepStrictEqual(yield* Setup.requests, [])
      }).pipe(Effect.provide(layer([])))
  )
})

describe("A stream of Bedrock", () => {
  const stream = { body: { model: "m", stream: true, max_tokens: 64, messages: [] } }
  const [first = "", ...others] = fixture.events

  it.effect("becomes server-sent events, each as soon as its frame is complete", () => {
    const [head, tail] = [frame(others[0] ?? "").subarray(0, 20), frame(others[0] ?? "").subarray(20)]
    const rest = others.slice(1).map(frame)
    const script = [frames([frame(first), second, head, second, tail, second, ...rest])]
    return Effect.gen(function* () {
      const client = yield* Reader.open(path, stream)
      yield* TestClock.adjust("10 seconds")

      const times = client.chunks.filter(({ text }) => text !== "").map(({ at, text }) => [at, text])
      assert.deepStrictEqual(times.slice(0, 2), [
        [0, first],
        [2_000, others[0]]
      ])
      assert.strictEqual(client.text(), fixture.streamText)
      assert.deepStrictEqual(yield* Setup.reasons, ["complete"])
    }).pipe(Effect.provide(layer(script)))
  })

  it.effect("has the head of one of Anthropic's, and AWS's request id", () =>
    Effect.gen(function* () {
      const { status, headers } = yield* TestGateway.fetch(path, stream)

      assert.strictEqual(status, 200)
      assert.strictEqual(headers["content-type"], "text/event-stream; charset=utf-8")
      assert.strictEqual(headers["x-amzn-requestid"], "r-1")
      assert.strictEqual(headers["cache-control"], "no-cache")
      assert.notProperty(headers, "content-length")
    }).pipe(
      Effect.provide(
        layer([
          ScriptedUpstream.streamed(200, fixture.events.map(frame), {
            "content-type": "application/vnd.amazon.eventstream",
            "content-length": "12345",
            "x-amzn-requestid": "r-1"
          })
        ])
      )
    )
  )

  it.effect("is kept open by pings while it is silent, also within a frame", () => {
    const bytes = frame(others[0] ?? "")
    return Effect.gen(function* () {
      const client = yield* Reader.open(path, stream)
      yield* TestClock.adjust("25 seconds")
      yield* client.leave

      assert.strictEqual(client.text(), first + fixture.ping + fixture.ping)
      assert.deepStrictEqual(
        (yield* Setup.requests).map(({ aborted }) => aborted),
        [true]
      )
    }).pipe(Effect.provide(layer([frames([frame(first), bytes.subarray(0, 30), "hang"])])))
  })

  const broken = frame(others[0] ?? "").map((byte, index) => (index === 40 ? byte ^ 1 : byte))

  it.effect.each([
    { fault: "has a frame with a wrong checksum", steps: [frame(first), broken, ...others.map(frame)] },
    { fault: "ends within a frame", steps: [frame(first), broken.subarray(0, 50)] },
    { fault: "ends without its last event", steps: [frame(first)] },
    { fault: "is cut", steps: [frame(first), Failure.cut("ECONNRESET")] },
    {
      fault: "has a broken frame in the same chunk as a good one",
      steps: [Buffer.concat([frame(first), broken]), "hang" as const]
    }
  ])("that $fault is its complete events and an error event", ({ steps }) =>
    Effect.gen(function* () {
      const { text } = yield* TestGateway.fetch(path, stream)

      assert.strictEqual(text, first + Messages.fixture.cutEvent)
      assert.deepStrictEqual(yield* Setup.reasons, ["upstream_cut"])
    }).pipe(Effect.provide(layer([frames(steps)])))
  )

  it.effect("that has a broken frame is not read on, though the next one came with it", () => {
    const together = Stream.fromArray([frame(first), broken, ...others.map(frame)])
    const headers = { "content-type": "application/vnd.amazon.eventstream" }
    const answer = Effect.succeed({ status: 200, headers, whole: undefined, body: together })
    return Effect.gen(function* () {
      assert.strictEqual((yield* TestGateway.fetch(path, stream)).text, first + Messages.fixture.cutEvent)
    }).pipe(Effect.provide(layer([answer])))
  })

  it.effect("that is compressed, although it was not to be, is a broken one", () =>
    Effect.gen(function* () {
      const { status, text } = yield* TestGateway.fetch(path, stream)

      assert.deepStrictEqual([status, text], [200, Messages.fixture.cutEvent])
    }).pipe(
      Effect.provide(
        layer([
          ScriptedUpstream.streamed(200, ["\u001f\u008b\u0008 not frames, and long enough"], {
            "content-type": "application/vnd.amazon.eventstream",
            "content-encoding": "gzip"
          })
        ])
      )
    )
  )

  it.effect("is over with its last event, whatever comes then", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* TestGateway.fetch(path, stream)).text, fixture.streamText)
    }).pipe(Effect.provide(layer([frames([...fixture.events.map(frame), exception("throttlingException", "late")])])))
  )

  it.effect.each([
    { type: "throttlingException", is: "rate_limit_error" },
    { type: "serviceUnavailableException", is: "overloaded_error" },
    { type: "modelStreamErrorException", is: "api_error" },
    { type: "internalServerException", is: "api_error" },
    { type: "modelTimeoutException", is: "timeout_error" },
    { type: "validationException", is: "invalid_request_error" }
  ])("that ends with a $type ends with an $is, and no key is marked", ({ type, is }) =>
    Effect.gen(function* () {
      const { text } = yield* TestGateway.fetch(path, stream)

      assert.strictEqual(text, `${first}event: error\ndata: ${Messages.errorText(is, "in the middle")}\n\n`)
      assert.deepStrictEqual(yield* Setup.reasons, ["complete"])
      assert.deepStrictEqual(yield* Setup.states(Vendors.bedrock), ["Valid", "Valid"])
    }).pipe(Effect.provide(layer([frames([frame(first), exception(type, "in the middle")])])))
  )

  it.effect("of plain server-sent events, as some gateways before Bedrock have it, passes as it is", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* TestGateway.fetch(path, stream)).text, fixture.streamText)
    }).pipe(Effect.provide(layer([Messages.fixture.stream200])))
  )
})

describe("An error of Bedrock", () => {
  const marks = [
    { type: "ThrottlingException", upstream: 429, state: "Temporary" },
    { type: "ThrottlingException", upstream: 400, state: "Temporary" },
    { type: "TooManyRequestsException", upstream: 429, state: "Temporary" },
    { type: "ServiceQuotaExceededException", upstream: 400, state: "Temporary" },
    { type: "ExpiredTokenException", upstream: 403, state: "Permanent" },
    { type: "ExpiredTokenException", upstream: 400, state: "Permanent" },
    { type: "UnrecognizedClientException", upstream: 403, state: "Permanent" },
    { type: "InvalidSignatureException", upstream: 403, state: "Permanent" },
    { type: "AccessDeniedException", upstream: 403, state: "Permanent" }
  ]

  it.effect.each(marks)("$upstream $type makes a credential $state, and the next one answers", (row) =>
    Effect.gen(function* () {
      const { status } = yield* ask({ model: "m" })

      assert.strictEqual(status, 200)
      assert.deepStrictEqual(yield* Setup.keysSeen, [0, 1])
      assert.deepStrictEqual(yield* Setup.states(Vendors.bedrock), [row.state, "Valid"])
    }).pipe(Effect.provide(layer([error(row.upstream, row.type, "no"), fixture.answer200])))
  )

  it.effect.each([
    { type: "ValidationException", upstream: 400, status: 400, is: "invalid_request_error" },
    { type: "ResourceNotFoundException", upstream: 404, status: 404, is: "not_found_error" },
    { type: "ModelTimeoutException", upstream: 408, status: 408, is: "timeout_error" },
    { type: "ModelErrorException", upstream: 424, status: 500, is: "api_error" },
    { type: "ModelNotReadyException", upstream: 429, status: 503, is: "overloaded_error" },
    { type: "ServiceUnavailableException", upstream: 503, status: 503, is: "overloaded_error" },
    { type: "InternalServerException", upstream: 500, status: 500, is: "api_error" }
  ])("$upstream $type is the client's, in Anthropic's shape", ({ type, upstream, status, is }) =>
    Effect.gen(function* () {
      const answer = yield* ask({ model: "m" })

      assert.deepStrictEqual([answer.status, answer.text], [status, Messages.errorText(is, "why")])
      assert.strictEqual(answer.headers["content-type"], "application/json")
      assert.strictEqual(answer.headers["content-length"], String(answer.text.length))
      assert.deepStrictEqual(yield* Setup.states(Vendors.bedrock), ["Valid", "Valid"])
      assert.deepStrictEqual(yield* Setup.reasons, ["complete"])
    }).pipe(Effect.provide(layer([error(upstream, type, "why")])))
  )

  it.effect("about the gateway's clock is nobody's key", () =>
    Effect.gen(function* () {
      const { status } = yield* ask({ model: "m" })

      assert.strictEqual(status, 500)
      assert.deepStrictEqual(yield* Setup.states(Vendors.bedrock), ["Valid", "Valid"])
    }).pipe(
      Effect.provide(
        layer([error(403, "InvalidSignatureException", "Signature expired: 20261124T000000Z is now earlier than ...")])
      )
    )
  )

  it.effect.each([
    { fault: "comes in pieces", steps: [`{"mess`, Duration.millis(500), `age":"why"}`], message: "why" },
    { fault: "does not come to its end within a second", steps: ["partly", "hang" as const], message: "partly" },
    { fault: "breaks off", steps: ["partly", Failure.cut("ECONNRESET")], message: "partly" },
    { fault: "is a page", steps: ["<html>no</html>"], message: "Bedrock answered with status 502" }
  ])("whose body $fault is told as far as it is known", ({ steps, message }) =>
    Effect.gen(function* () {
      const client = yield* Reader.open(path, { body: { model: "m" } })
      yield* TestClock.adjust("1 second")

      assert.strictEqual(client.text(), Messages.errorText("api_error", message))
    }).pipe(Effect.provide(layer([ScriptedUpstream.streamed(502, steps)])))
  )

  it.effect("is not read further than 64 KiB", () =>
    Effect.gen(function* () {
      const client = yield* Reader.open(path, { body: { model: "m" } })
      yield* Effect.yieldNow
      yield* TestClock.adjust(0)

      assert.strictEqual(client.text(), Messages.errorText("api_error", "x".repeat(1000)))
    }).pipe(Effect.provide(layer([ScriptedUpstream.streamed(502, ["x".repeat(70_000), "y", "hang"])])))
  )

  it.effect("about a model that the account has not enabled is about the model, and names no account", () => {
    const why = "You don't have access to the model with arn:aws:bedrock:us-east-1:123456789012:x/y."
    return Effect.gen(function* () {
      const { status, text } = yield* ask({ model: "m" })

      assert.deepStrictEqual(
        [status, text],
        [404, Messages.errorText("not_found_error", why.replace("123456789012", "..."))]
      )
      assert.deepStrictEqual(yield* Setup.states(Vendors.bedrock), ["Valid", "Valid"])
    }).pipe(Effect.provide(layer([error(403, "AccessDeniedException", why)])))
  })

  it.effect("that throttles lets a credential rest for 5 seconds, for a row of them longer", () => {
    const script = [error(429, "ThrottlingException", "x"), error(429, "ThrottlingException", "x"), fixture.answer200]
    return Effect.gen(function* () {
      const answers = [yield* ask({ model: "m" })]
      for (const pause of ["4.999 seconds", "1 millis", "10 seconds"] as const) {
        yield* TestClock.adjust(pause)
        answers.push(yield* ask({ model: "m" }))
      }

      const told = answers.map(({ status, headers }) => [status, headers["retry-after"]])
      assert.deepStrictEqual(told, [
        [429, "5"],
        [429, "1"],
        [429, "10"],
        [200, undefined]
      ])
    }).pipe(Effect.provide(withOptions({ credentials: [staticCredentials] }, script)))
  })

  it.effect("counts for the circuit of the model that was asked, whatever the client has called it", () =>
    Effect.gen(function* () {
      const models = ["claude-opus-4", "claude-sonnet-4", "gpt-5", "claude-haiku-4-5"]
      const answers = yield* Effect.forEach(models, (model) => ask({ model }))

      const isOpen = answers.map(({ text }) => text.includes("circuit breaker is open"))
      assert.deepStrictEqual(isOpen, [false, false, true, false])
    }).pipe(Effect.provide(Circuits.layer(() => error(429, "ModelNotReadyException", "loading"), {}, { vendors })))
  )
})

describe("Credentials of the default chain", () => {
  const found = { accessKeyId: "ASIACHAIN00000000001", secretAccessKey: Redacted.make("NEVER-SHOWN") }
  const none = Effect.fail(Failure.noCredentials("no AWS credentials found", "role/NEVER-TOLD is gone"))

  it.effect("are a pool of one that is not called by a key", () =>
    Effect.gen(function* () {
      yield* ask({ model: "m" })

      const [ended] = yield* Setup.ended
      assert.strictEqual(ended?.credentialHint, "<aws chain>")
      const [request] = yield* Setup.requests
      assert.include(request?.headers["authorization"], "Credential=ASIACHAIN00000000001/")
    }).pipe(
      Effect.provide(
        withOptions({ defaultChain: { current: Effect.succeed(found), renewed: none } }, [fixture.answer200])
      )
    )
  )

  it.effect("that are not there are a 502, whose reason is in the log alone, and are looked for again", () => {
    let looks = 0
    const current = Effect.suspend(() => (looks++ === 0 ? none : Effect.succeed(found)))
    return Effect.gen(function* () {
      const lines: Array<Logs.Line> = []
      const answer = yield* Effect.provide(ask({ model: "m" }), Logs.into(lines))
      const next = yield* ask({ model: "m" })

      assert.deepStrictEqual(
        [answer.status, answer.text],
        [502, Messages.errorText("api_error", "no AWS credentials found")]
      )
      assert.deepStrictEqual(
        lines.map(({ message, annotations }) => [message, annotations["detail"]]),
        [["no AWS credentials found", "role/NEVER-TOLD is gone"]]
      )
      assert.deepStrictEqual(yield* Setup.reasons, ["upstream_error", "complete"])
      assert.strictEqual(next.status, 200)
    }).pipe(Effect.provide(withOptions({ defaultChain: { current, renewed: none } }, [fixture.answer200])))
  })

  it.effect("that were refused are tried again after another time if the provider says so", () => {
    const chain = { current: Effect.succeed(found), renewed: Effect.succeed(found) }
    const bedrock = { region: "us-east-1", model: "big", smallFastModel: "small", defaultChain: chain }
    const gateway = Gateway.layer.pipe(
      Layer.provideMerge([
        Providers.layer([Bedrock.make(bedrock, { name: "bedrock", recheck: Schedule.spaced("5 seconds") })]),
        Authenticator.layerLoopback,
        ScriptedUpstream.layer([error(403, "ExpiredTokenException", "expired"), fixture.answer200]),
        Recorder.layerMemory
      ])
    )
    return Effect.gen(function* () {
      yield* ask({ model: "m" })
      yield* TestClock.adjust("5 seconds")

      assert.strictEqual((yield* ask({ model: "m" })).status, 200)
    }).pipe(Effect.provide(gateway))
  })

  it.effect("that were refused are renewed and tried again after a minute", () => {
    const renewed = Effect.succeed({ ...found, accessKeyId: "ASIARENEWED000000002" })
    const script = [error(403, "ExpiredTokenException", "expired"), fixture.answer200]
    return Effect.gen(function* () {
      const refused = yield* ask({ model: "m" })
      yield* TestClock.adjust("59.999 seconds")
      const early = yield* ask({ model: "m" })
      yield* TestClock.adjust("1 millis")
      const late = yield* ask({ model: "m" })

      assert.deepStrictEqual([refused.status, early.status, late.status], [502, 502, 200])
      assert.deepStrictEqual(yield* Setup.keysSeen, ["ASIACHAIN00000000001", "ASIARENEWED000000002"])
    }).pipe(Effect.provide(withOptions({ defaultChain: { current: Effect.succeed(found), renewed } }, script)))
  })
})
