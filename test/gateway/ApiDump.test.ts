import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { existsSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import * as Failure from "../../src/domain/UpstreamError.ts"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as ApiDump from "../../src/upstream/ApiDump.ts"
import * as ApiDumpFiles from "../../src/upstream/ApiDumpFiles.ts"
import * as TestDump from "../upstream/TestDump.ts"
import * as BedrockMessages from "./BedrockMessages.ts"
import * as Calls from "./Calls.ts"
import * as Logs from "./Logs.ts"
import * as Reader from "./Reader.ts"
import * as Setup from "./Setup.ts"
import * as Vendors from "./Vendors.ts"

type Script = Parameters<typeof Setup.layer>[0]

interface Options extends Setup.Options {
  /** Default: the dump's directory is for all providers. */
  readonly dump?: (directory: string) => ApiDumpFiles.DirectoryOf
}

/** Runs with a gateway that dumps, stops it, and says what it has left. */
const dumped = <A, E>(
  script: Script,
  run: Effect.Effect<A, E, Layer.Success<ReturnType<typeof Setup.layer>>>,
  { dump = (directory) => () => directory, ...options }: Options = {}
) =>
  Effect.gen(function* () {
    const directory = yield* TestDump.directory
    const gateway = Setup.layer(script, { ...options, limits: ApiDumpFiles.layer(dump(directory)) })
    const lines: Array<Logs.Line> = []
    const result = yield* run.pipe(Effect.provide(gateway), Effect.provide(Logs.into(lines)))
    return { result, directory, lines, files: TestDump.filesIn(directory) }
  })

/** The log lines about dumps that are not as they should be. */
const complaints = (lines: ReadonlyArray<Logs.Line>) =>
  lines.filter(({ message }) => message.startsWith("dump") && !message.startsWith("dumps are on"))

/** A directory in which there is a file where one should be. */
const broken = (directory: string): ApiDumpFiles.DirectoryOf => {
  writeFileSync(join(directory, "file"), "")
  return () => join(directory, "file", "below")
}

const providersIn = (files: ReadonlyArray<TestDump.DumpFile>) =>
  Array.from(new Set(files.map(({ path }) => path.split("/passthrough")[0])))

describe("A dump", () => {
  it.effect.each([...Calls.all, ...Calls.of(Vendors.copilot)])(
    "has the request and the answer of $call",
    ({ path, request, good, text, vendor, isBridged, fixture }) =>
      Effect.gen(function* () {
        const own = vendor.hasPool ? {} : vendor.credential("gho-own-NEVER-SHOWN-key")
        const { result, files } = yield* dumped(
          [good],
          Effect.all({ client: TestGateway.fetch(path, { ...request, headers: own }), seen: Setup.requests })
        )

        const [sent] = result.seen
        const model = fixture.model.replaceAll(":", "-")
        const stem = isBridged
          ? `${vendor.name}/${model}/T-I-1`
          : `${vendor.name}/passthrough/T-${sent?.path.slice(1).replaceAll("/", "-")}-R-1`
        assert.deepStrictEqual(TestDump.shapes(files), [`${stem}.req.txt`, `${stem}.resp.txt`])
        const asked = TestDump.parse(TestDump.only(files, ".req.txt"))
        const { headers } = asked
        assert.strictEqual(asked.start, `${sent?.method} ${sent?.path} HTTP/1.1`)
        assert.strictEqual(`https://${headers["host"]}`, sent?.origin)
        assert.deepStrictEqual(Object.keys(headers), Object.keys(headers).toSorted())
        for (const [name, value] of Object.entries(sent?.headers ?? {})) {
          const isSecret = value.includes("NEVER-SHOWN")
          if (isSecret) assert.match(headers[name] ?? "", /^.{4}\.\.\..{4}$/)
          else assert.strictEqual(headers[name], value)
        }
        if (sent?.text) {
          const shown = asked.body.subarray(0, -1).toString()
          assert.deepStrictEqual(JSON.parse(shown), JSON.parse(sent.text))
          assert.isAbove(shown.split("\n").length, 3)
          assert.strictEqual(headers["content-length"], String(Buffer.byteLength(shown)))
        }
        const answered = TestDump.parse(TestDump.only(files, ".resp.txt"))
        assert.strictEqual(answered.start, "HTTP/1.1 200 OK")
        assert.isString(answered.headers["content-type"])
        if (vendor.name !== "bedrock") assert.strictEqual(answered.body.toString(), text)
        for (const { bytes } of files) assert.notInclude(bytes.toString(), "NEVER-SHOWN")
        assert.strictEqual(result.client.text, text)
      })
  )

  it.effect("has the frames of a stream of Bedrock's, and its signature masked", () =>
    Effect.gen(function* () {
      const frames = Buffer.concat(BedrockMessages.fixture.events.map(BedrockMessages.frame))
      const { path, request, good } = Calls.streams.find(({ vendor }) => vendor.name === "bedrock") ?? Calls.streaming

      const { files } = yield* dumped([good], TestGateway.fetch(path, request))

      const { headers } = TestDump.parse(TestDump.only(files, ".req.txt"))
      assert.isTrue(TestDump.parse(TestDump.only(files, ".resp.txt")).body.equals(frames))
      assert.match(headers["authorization"] ?? "", /^AWS4\.\.\.[0-9a-f]{4}$/)
      assert.isString(headers["x-amz-date"])
    })
  )

  it.effect("has what came of a stream, bit for bit, chunk by chunk", () => {
    const chunks = Array.from({ length: 200 }, (_, index) =>
      Uint8Array.from({ length: (index * 37) % 300 }, (_none, at) => (at * index) % 256)
    )
    const bytes = Buffer.concat(chunks)
    const answer = ScriptedUpstream.streamed(200, chunks, { "content-type": "application/octet-stream" })
    return Effect.gen(function* () {
      const { result, files } = yield* dumped(
        [answer],
        Effect.scoped(
          Effect.gen(function* () {
            const response = yield* TestGateway.request("/anthropic/v1/models")
            return yield* Stream.runCollect(response.stream)
          })
        )
      )

      assert.isTrue(Buffer.concat(result).equals(bytes))
      assert.isTrue(TestDump.parse(TestDump.only(files, ".resp.txt")).body.equals(bytes))
    })
  })

  it.effect.each(Calls.unchangedStreams)(
    "lets every chunk of $call pass as soon as it comes",
    ({ path, request, fixture }) => {
      const script = [
        ScriptedUpstream.events(
          fixture.events.flatMap((event) => [event.slice(0, 9), Duration.seconds(3), event.slice(9)])
        )
      ]
      const read = Effect.gen(function* () {
        const client = yield* Reader.open(path, request)
        yield* TestClock.adjust("1 minute")
        return client.chunks.map(({ at, text }) => [at - (client.chunks[0]?.at ?? 0), text])
      })
      return Effect.gen(function* () {
        const plain = yield* read.pipe(Effect.provide(Setup.layer(script)))

        const { result } = yield* dumped(script, read)

        assert.deepStrictEqual(result, plain)
        assert.isAbove(result.length, 3)
      })
    }
  )

  it.effect("has files of its own for each attempt of a failover", () =>
    Effect.gen(function* () {
      const { path, request, fixture, good, text } = Calls.streaming

      const { files } = yield* dumped(
        [fixture.error(429), fixture.error(401), good],
        TestGateway.fetch(path, request),
        {
          keys: 3
        }
      )

      const stem = `anthropic/${fixture.model}/T-I`
      assert.deepStrictEqual(
        TestDump.shapes(files),
        [1, 2, 3].flatMap((attempt) => [`${stem}-${attempt}.req.txt`, `${stem}-${attempt}.resp.txt`])
      )
      const starts = files
        .filter(({ path: each }) => each.endsWith(".resp.txt"))
        .map(({ bytes }) => TestDump.parse(bytes))
      assert.deepStrictEqual(
        starts.map(({ start }) => start),
        ["HTTP/1.1 429 Too Many Requests", "HTTP/1.1 401 Unauthorized", "HTTP/1.1 200 OK"]
      )
      assert.strictEqual(starts[2]?.body.toString(), text)
      assert.lengthOf(new Set(files.map(({ path: each }) => each.replace(/-\d\.\w+\.txt$/, ""))), 1)
      const keys = files
        .filter(({ path: each }) => each.endsWith(".req.txt"))
        .map(({ bytes }) => TestDump.parse(bytes).headers["x-api-key"])
      assert.deepStrictEqual(keys, [0, 1, 2].map(Setup.hint))
    })
  )

  it.effect("keeps two requests of one path apart", () =>
    Effect.gen(function* () {
      const { path, request, good } = Calls.passthrough

      const { files } = yield* dumped(
        [good, good],
        Effect.all([TestGateway.fetch(path, request), TestGateway.fetch(path, request)])
      )

      assert.lengthOf(files, 4)
    })
  )

  it.effect.each([
    { what: "no JSON", body: "not json", shown: "not json\n" },
    { what: "a big number", body: `{"n":12345678901234567890}`, shown: `{\n  "n": 12345678901234567890\n}\n` },
    { what: "nothing", body: undefined, shown: "\n" },
    { what: "an empty text", body: "", shown: "\n" }
  ])("shows a body that is $what as such", ({ body, shown }) =>
    Effect.gen(function* () {
      const { result, files } = yield* dumped(
        [ScriptedUpstream.json(200, {})],
        Effect.andThen(
          TestGateway.fetch("/anthropic/v1/messages/count_tokens", {
            method: "POST",
            ...(body !== undefined && { body })
          }),
          Setup.requests
        )
      )

      assert.strictEqual(TestDump.parse(TestDump.only(files, ".req.txt")).body.toString(), shown)
      assert.strictEqual(result[0]?.text, body ?? "")
    })
  )

  it.effect("has the key of no caller", () =>
    Effect.gen(function* () {
      const own = "sk-ant-own-NEVER-SHOWN-key"
      const { path, request, good } = Calls.blocking
      const headers = {
        "x-aibridge-token": "gate-NEVER-SHOWN-token",
        "x-api-key": own,
        "x-copy": `a ${own}`,
        cookie: own
      }

      const { files } = yield* dumped([good], TestGateway.fetch(path, { ...request, headers }), {
        tokens: { ada: "gate-NEVER-SHOWN-token" }
      })

      const shown = TestDump.parse(TestDump.only(files, ".req.txt")).headers
      assert.deepInclude(shown, { "x-api-key": "sk-a...-key", "x-copy": "a sk...-key" })
      for (const { bytes } of files) assert.notInclude(bytes.toString(), "NEVER-SHOWN")
    })
  )

  it.effect("masks what an upstream sets or repeats of secrets", () =>
    Effect.gen(function* () {
      const { path, request } = Calls.blocking
      const headers = { "set-cookie": "session=NEVER-SHOWN-1", "x-echo": Setup.key(0), "x-plain": "shown" }

      const { files } = yield* dumped([ScriptedUpstream.json(200, {}, headers)], TestGateway.fetch(path, request))

      const shown = TestDump.parse(TestDump.only(files, ".resp.txt")).headers
      assert.deepInclude(shown, { "set-cookie": "sess...WN-1", "x-echo": Setup.hint(0), "x-plain": "shown" })
    })
  )

  const failures = [
    {
      what: "there is no answer",
      answer: ScriptedUpstream.failure(Failure.unreachable("ECONNREFUSED")),
      endings: ["req", "req_error"],
      text: "upstream unreachable (ECONNREFUSED)\n"
    },
    {
      what: "an upstream is silent",
      answer: ScriptedUpstream.failure(Failure.timedOut()),
      endings: ["req", "req_error"],
      text: "upstream timed out\n"
    },
    {
      what: "an answer breaks off",
      answer: ScriptedUpstream.streamed(200, ["{", Failure.cut("ECONNRESET")]),
      endings: ["req", "resp", "resp_error"],
      text: "upstream closed the stream early (ECONNRESET)\n"
    }
  ]

  it.effect.each(failures)("says why, if $what", ({ answer, endings, text }) =>
    Effect.gen(function* () {
      const { files } = yield* dumped([answer], Effect.exit(TestGateway.fetch("/anthropic/v1/models")))

      const stem = "anthropic/passthrough/T-v1-models-R-1"
      assert.deepStrictEqual(
        TestDump.shapes(files),
        endings.map((ending) => `${stem}.${ending}.txt`)
      )
      assert.strictEqual(TestDump.only(files, "_error.txt").toString(), text)
      if (endings.includes("resp")) {
        assert.strictEqual(TestDump.parse(TestDump.only(files, ".resp.txt")).body.toString(), "{")
      }
    })
  )

  const departures = [
    { moment: "before the head", script: [ScriptedUpstream.silence], after: "1 second", came: undefined },
    { moment: "with the head", script: [ScriptedUpstream.streamed(200, ["hang"])], after: "1 second", came: "" },
    {
      moment: "within the answer",
      script: [ScriptedUpstream.streamed(200, ["abc", Duration.seconds(1), "def", "hang"])],
      after: "1500 millis",
      came: "abcdef"
    }
  ] as const

  it.effect.each(departures)("has what came before a client left $moment", ({ script, after, came }) =>
    Effect.gen(function* () {
      const { files } = yield* dumped(
        script,
        Effect.gen(function* () {
          const client = yield* Reader.open("/anthropic/v1/models", {})
          yield* TestClock.adjust(after)
          yield* client.leave
        })
      )

      const endings = files.map(({ path }) => path.replace(/^.*-1\./, ""))
      assert.deepStrictEqual(endings, came === undefined ? ["req.txt"] : ["req.txt", "resp.txt"])
      if (came !== undefined) {
        assert.strictEqual(TestDump.parse(TestDump.only(files, ".resp.txt")).body.toString(), came)
      }
    })
  )

  it.effect.each(["../../../outside", "..", ".", "/etc/passwd", "..\\..\\x", "a\0b", "m".repeat(5_000), "a/../../b"])(
    "stays in its directory for the model %j",
    (model) =>
      Effect.gen(function* () {
        const { directory, files, lines } = yield* dumped(
          [Calls.blocking.good],
          TestGateway.fetch(Calls.blocking.path, { body: { model, messages: [] } })
        )

        assert.lengthOf(files, 2)
        for (const { path } of files) {
          const [provider, name = "", file, ...more] = path.split("/")
          assert.deepStrictEqual([provider, more], ["anthropic", []])
          assert.match(name, /^[^.][\w.+@=,-]{0,99}$|^-$/)
          assert.match(file ?? "", /^\d+-[0-9a-f-]{36}-1\.re(?:q|sp)\.txt$/)
        }
        assert.isFalse(existsSync(join(dirname(directory), "outside")))
        assert.deepStrictEqual(complaints(lines), [])
      })
  )

  it.effect.each([
    "/anthropic/v1/models/..%5c..%5cx",
    "/anthropic/v1/models/%00",
    "/anthropic/v1/models/a..b",
    `/anthropic/v1/models/${"a".repeat(5_000)}`,
    "/anthropic/v1/models/.hidden"
  ])("stays in its directory for the path %s, if it is relayed at all", (path) =>
    Effect.gen(function* () {
      const { result, files, lines } = yield* dumped(
        () => Calls.passthrough.good,
        Effect.andThen(TestGateway.fetch(path), Setup.requests)
      )

      assert.lengthOf(files, result.length * 2)
      for (const file of files) {
        assert.strictEqual(dirname(file.path), "anthropic/passthrough")
        assert.match(basename(file.path), /^\d+-[\w+@=,-][\w.+@=,-]{0,99}-[0-9a-f]{8}-1\.\w+\.txt$/)
        assert.notInclude(file.path, "..")
      }
      assert.deepStrictEqual(complaints(lines), [])
    })
  )

  it.effect("is for nobody but its owner", () =>
    Effect.gen(function* () {
      const { path, request, good } = Calls.streaming
      const { directory, files } = yield* dumped([good], TestGateway.fetch(path, request), {
        dump: (above) => () => join(above, "new", "deep")
      })

      assert.deepStrictEqual(
        files.map(({ mode }) => mode),
        [0o600, 0o600]
      )
      assert.deepStrictEqual(TestDump.directoryModes(directory), [0o700, 0o700, 0o700, 0o700])
    })
  )
})

describe("A dump that cannot be written", () => {
  it.effect.each(Calls.all)(
    "changes nothing of $call, and is one line in the log",
    ({ path, request, good, text, vendor }) =>
      Effect.gen(function* () {
        const { result, directory, lines } = yield* dumped(
          () => good,
          Effect.forEach([1, 2, 3], () => TestGateway.fetch(path, request)),
          { dump: broken }
        )

        assert.deepStrictEqual(
          result.map((answer) => [answer.status, answer.text]),
          [1, 2, 3].map(() => [200, text])
        )
        assert.deepStrictEqual(complaints(lines), [
          {
            level: "WARN",
            message: "dumps cannot be written; requests go on without them",
            annotations: {
              provider: vendor.name,
              directory: join(directory, "file", "below", vendor.name),
              code: "ENOTDIR"
            }
          }
        ])
      })
  )

  it.effect("is no reason for other dumps to fail", () =>
    Effect.gen(function* () {
      const { files, lines } = yield* dumped(
        () => Calls.passthrough.good,
        Effect.all([TestGateway.fetch("/anthropic/v1/models"), TestGateway.fetch("/openai/v1/models")]),
        {
          dump: (directory) => {
            const none = broken(directory)
            return (provider) => (provider === "anthropic" ? none(provider) : directory)
          }
        }
      )

      assert.deepStrictEqual(
        TestDump.shapes(files).filter((path) => path !== "file"),
        ["openai/passthrough/T-v1-models-R-1.req.txt", "openai/passthrough/T-v1-models-R-1.resp.txt"]
      )
      assert.lengthOf(complaints(lines), 1)
    })
  )

  it.effect("does not fill the memory: it ends with a line that says so", () =>
    Effect.gen(function* () {
      const large = new Uint8Array(9 * 1024 * 1024)
      const { result, files, lines } = yield* dumped(
        [ScriptedUpstream.streamed(200, ["first,", large, "last"])],
        TestGateway.fetch("/anthropic/v1/models")
      )

      assert.strictEqual(result.text.length, large.length + "first,last".length)
      assert.strictEqual(
        TestDump.parse(TestDump.only(files, ".resp.txt")).body.toString(),
        "first,\n[the dump ends here: too much was waiting to be written]\n"
      )
      assert.deepStrictEqual(
        complaints(lines).map(({ level, message }) => [level, message]),
        [["WARN", "dumps are not complete: the disk is slower than what comes"]]
      )
    })
  )
})

describe("Where dumps go", () => {
  const both = Effect.all([TestGateway.fetch("/anthropic/v1/models"), TestGateway.fetch("/openai/v1/models")])
  it.effect.each([
    { dump: (directory: string) => () => directory, places: ["anthropic", "openai"] },
    {
      dump: (directory: string) => (provider: string) => (provider === "openai" ? join(directory, "own") : directory),
      places: ["anthropic", "own/openai"]
    },
    {
      dump: (directory: string) => (provider: string) => (provider === "openai" ? undefined : directory),
      places: ["anthropic"]
    },
    { dump: () => () => undefined, places: [] }
  ])("is $places", ({ dump, places }) =>
    Effect.gen(function* () {
      const { files } = yield* dumped(() => Calls.passthrough.good, both, { dump })

      assert.deepStrictEqual(providersIn(files), places)
    })
  )

  it.effect("is said in one line for each when it begins, as they hold prompts", () =>
    Effect.gen(function* () {
      const { directory, lines } = yield* dumped(
        () => Calls.passthrough.fixture.error(429),
        Effect.andThen(both, both),
        {}
      )

      const told = lines.filter(({ message }) => String(message).startsWith("dumps are on"))
      assert.deepStrictEqual(
        told,
        ["anthropic", "openai"].map((provider) => ({
          level: "WARN",
          message: "dumps are on: requests and answers are written to files, with all prompts in the clear",
          annotations: { provider, directory: join(directory, provider) }
        }))
      )
    })
  )
})

describe("Without a dump", () => {
  const upstream = { send: () => Effect.die("not sent") }
  const key = { value: Redacted.make("secret") }

  it("nothing stands before the upstream", () => {
    assert.strictEqual(ApiDump.over(undefined, upstream)({ provider: "anthropic" })(key), upstream)
  })

  it("nothing stands before the upstream of a provider that has none", () => {
    const dump: ApiDump.ApiDump = { request: () => undefined }

    assert.strictEqual(ApiDump.over(dump, upstream)({ provider: "anthropic" })(key), upstream)
  })
})
