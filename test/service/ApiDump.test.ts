import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import * as TestAnswer from "../upstream/TestAnswer.ts"
import * as TestDump from "../upstream/TestDump.ts"
import * as TestHttp from "./TestHttp.ts"
import * as TestMessages from "./TestMessages.ts"
import * as TestService from "./TestService.ts"

const secrets = "NEVER-SHOWN"

/** The line about a dump's directory, and no other line about dumps. */
const announced = (lines: ReadonlyArray<string>) => lines.filter((line) => line.includes("dump"))

describe("The dump of the service", () => {
  it.live("has each attempt as it was sent and what came back, and no key", () =>
    Effect.gen(function* () {
      const directory = yield* TestDump.directory
      const token = "gate-NEVER-SHOWN-token"
      const words = ["Grüße, ", "世界", " 👋"]
      const { answer, seen, lines } = yield* Effect.scoped(
        Effect.gen(function* () {
          const {
            upstream,
            url,
            lines: logged
          } = yield* TestService.withUpstream(2, {
            AIBRIDGE_DUMP_DIR: directory,
            AIBRIDGE_TOKENS: `ada=${token}`
          })
          const requests = yield* TestMessages.script(upstream, [
            TestAnswer.json(429, { type: "error" }, [["set-cookie", `a=${secrets}-cookie`]]),
            TestMessages.streamed(words)
          ])
          const sent = { headers: { authorization: `Bearer ${token}` }, body: TestHttp.message({ stream: true }) }
          const client = yield* Effect.flatMap(TestHttp.send(url, sent), ({ bytes }) => bytes)
          return { answer: client, seen: requests, lines: logged() }
        })
      )

      const files = TestDump.filesIn(directory)
      const stem = "anthropic/claude-test/T-I"
      assert.deepStrictEqual(
        TestDump.shapes(files),
        [1, 2].flatMap((attempt) => [`${stem}-${attempt}.req.txt`, `${stem}-${attempt}.resp.txt`])
      )
      for (const [index, { method, target, headers, body }] of seen.entries()) {
        const dump = TestDump.parse(TestDump.only(files, `-${index + 1}.req.txt`))
        assert.strictEqual(dump.start, `${method} ${target} HTTP/1.1`)
        assert.deepStrictEqual(JSON.parse(dump.body.toString()), JSON.parse(body.toString()))
        const { connection: _, "content-length": __, "x-api-key": key, ...others } = headers
        assert.deepInclude(dump.headers, others)
        assert.strictEqual(key, TestService.key(index))
        assert.strictEqual(dump.headers["x-api-key"], `sk-t...-${index}kk`)
      }
      const [limited, good] = [1, 2].map((attempt) => TestDump.parse(TestDump.only(files, `-${attempt}.resp.txt`)))
      assert.strictEqual(limited?.start, "HTTP/1.1 429 Too Many Requests")
      assert.strictEqual(limited?.body.toString(), `{"type":"error"}`)
      assert.strictEqual(good?.start, "HTTP/1.1 200 OK")
      assert.isTrue(good?.body.equals(answer))
      assert.include(answer.toString(), "世界")
      for (const { bytes, mode } of files) {
        assert.notInclude(bytes.toString(), secrets)
        assert.strictEqual(mode, 0o600)
      }
      assert.lengthOf(announced(lines), 1)
      assert.include(announced(lines)[0] ?? "", `directory=${directory}`)
      assert.include(announced(lines)[0] ?? "", "level=WARN")
    })
  )

  it.live("has what came by the time a client left", () =>
    Effect.gen(function* () {
      const directory = yield* TestDump.directory
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { upstream, url } = yield* TestService.withUpstream(1, { AIBRIDGE_PROVIDER_0_DUMP_DIR: directory })
          yield* Effect.scoped(
            Effect.gen(function* () {
              yield* TestMessages.script(upstream, [
                (exchange) =>
                  exchange.write(TestAnswer.eventStreamHead() + TestAnswer.chunk("event: ping\ndata: {}\n\n"))
              ])
              const { read } = yield* TestHttp.send(url, { body: TestHttp.message({ stream: true }) })
              while (!(yield* read)?.includes("ping")) yield* Effect.yieldNow
            })
          )
        })
      )

      const files = TestDump.filesIn(directory)
      assert.lengthOf(files, 2)
      const { body } = TestDump.parse(TestDump.only(files, ".resp.txt"))
      assert.strictEqual(body.toString(), "event: ping\ndata: {}\n\n")
    })
  )

  it.live("that cannot be written is two lines in the log, and no client notices", () =>
    Effect.gen(function* () {
      const directory = yield* TestDump.directory
      writeFileSync(join(directory, "file"), "")
      const { upstream, url, lines } = yield* TestService.withUpstream(1, {
        AIBRIDGE_DUMP_DIR: join(directory, "file", "below")
      })
      yield* TestMessages.script(
        upstream,
        [1, 2, 3].map((turn) => TestMessages.blocking(`${turn}`))
      )

      for (const turn of [1, 2, 3]) {
        const { status, text } = yield* TestHttp.send(url, { body: TestHttp.message() })
        assert.strictEqual(status, 200)
        assert.deepStrictEqual(JSON.parse(yield* text), TestMessages.message(`${turn}`))
      }

      const [first, second, ...more] = announced(lines())
      assert.include(first ?? "", "in the clear")
      assert.include(second ?? "", "code=ENOTDIR")
      assert.deepStrictEqual(more, [])
    })
  )

  it.live("of simulated providers goes where that of all goes", () =>
    Effect.gen(function* () {
      const directory = yield* TestDump.directory
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { url } = yield* TestService.start({ AIBRIDGE_DUMP_DIR: directory })
          const { text } = yield* TestHttp.send(url, { path: "/openai/v1/models" })
          yield* text
        })
      )

      const files = TestDump.shapes(TestDump.filesIn(directory))
      assert.include(files, "openai/passthrough/T-openai-v1-models-R-1.req.txt")
      assert.include(files, "openai/passthrough/T-openai-v1-models-R-1.resp.txt")
    })
  )
})
