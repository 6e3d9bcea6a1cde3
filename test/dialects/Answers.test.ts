import { assert, describe, it } from "@effect/vitest"
import type { Dialect } from "../../src/dialects/Dialect.ts"
import type { Answer } from "../../src/domain/Usage.ts"
import { after, nothing } from "../fixtures/AnswerFixture.ts"
import * as Answers from "../fixtures/Answers.ts"
import * as Splits from "../Splits.ts"
import * as Bodies from "./Bodies.ts"

const read = (dialect: Dialect, events: ReadonlyArray<string>): Answer => {
  const reader = dialect.answerReader()
  for (const data of events) reader.event(data)
  return reader.answer()
}

describe("A streamed answer", () => {
  it.each(Answers.streams)("says what has come of it, wherever it breaks off ($name)", (fixture) => {
    const data = fixture.steps.map((step) => step.data)
    const counts = Array.from({ length: data.length + 1 }, (_, count) => count)

    const answers = counts.map((count) => read(fixture.dialect, data.slice(0, count)))

    assert.deepStrictEqual(
      answers,
      counts.map((count) => after(fixture, count))
    )
  })

  it.each(Answers.streams)("may be asked after each event, and what it said then stays ($name)", (fixture) => {
    const reader = fixture.dialect.answerReader()

    const answers = fixture.steps.map(({ data }) => {
      reader.event(data)
      return [reader.answer(), reader.answer()]
    })

    assert.deepStrictEqual(
      answers,
      answers.map((_, index) => [after(fixture, index + 1), after(fixture, index + 1)])
    )
  })

  it.each(Answers.streams)("says the same in another spelling of JSON ($name)", (fixture) => {
    const pretty = fixture.steps.map(({ data }) =>
      data.startsWith("{") ? JSON.stringify(JSON.parse(data), null, 1) : data
    )

    assert.deepStrictEqual(read(fixture.dialect, pretty), after(fixture, pretty.length))
  })

  it.each(Answers.streams)("says the same with what is malformed or unknown between its events ($name)", (fixture) => {
    const odd = ["", " ", "{", "[]", "null", "1", `"x"`, "nonsense", `{"type":"new_event","usage":1}`, `{"type":null}`]
    const events = fixture.steps.flatMap(({ data }) => [...odd, data, ...odd])

    assert.deepStrictEqual(read(fixture.dialect, events), after(fixture, fixture.steps.length))
  })
})

describe("A whole answer", () => {
  it.each(Answers.bodies)("says all at once ($name)", ({ dialect, body, says }) => {
    assert.deepStrictEqual(dialect.readAnswer(Bodies.bytes(body)), { ...nothing, ...says })
  })

  const dialects = [...new Set(Answers.bodies.map(({ dialect }) => dialect))]
  const empty = ["", " ", "{", "{}", "[]", "null", "1", `"x"`, "<html>", "[{}]", `{"usage":null}`, `{"usage":[1]}`]

  it.each(dialects.flatMap((dialect) => empty.map((body) => ({ name: dialect.name, dialect, body }))))(
    "says nothing if it is $body ($name)",
    ({ dialect, body }) => {
      assert.deepStrictEqual(dialect.readAnswer(Bodies.bytes(body)), nothing)
    }
  )

  it.each(Answers.bodies)("says nothing if it was cut, wherever ($name)", ({ dialect, body }) => {
    const whole = Bodies.bytes(body)
    for (let end = 0; end < whole.length; end++) {
      assert.deepStrictEqual(dialect.readAnswer(whole.subarray(0, end)), nothing)
    }
  })
})

describe("Numbers that are none", () => {
  const odd = [`"12"`, "-1", "1.5", "1e400", "9007199254740992", "null", "true", "[1]", "{}"]
  const rows = [
    { member: "input_tokens", body: (value: string) => `{"type":"message","usage":{"input_tokens":${value}}}` },
    { member: "prompt_tokens", body: (value: string) => `{"choices":[],"usage":{"prompt_tokens":${value}}}` }
  ]

  it.each(odd.map((value) => ({ value })))("are as good as absent: $value", ({ value }) => {
    for (const dialect of new Set(Answers.bodies.map((body) => body.dialect))) {
      for (const { body } of rows) {
        assert.deepStrictEqual(dialect.readAnswer(Bodies.bytes(body(value))), nothing)
        assert.deepStrictEqual(read(dialect, [body(value)]), nothing)
      }
    }
  })
})

/** Values that a tolerant reader must live with. */
const values = [null, true, 0, -1, 1.5, "", "x", [], [null], {}, { type: 1 }, [[]]]

/** The same JSON with something wrong somewhere. */
const damaged = (value: unknown, next: (limit: number) => number): unknown => {
  if (next(8) === 0) return values[next(values.length)]
  if (Array.isArray(value)) return value.flatMap((one) => (next(9) === 0 ? [] : [damaged(one, next)]))
  if (typeof value !== "object" || value === null) return value
  const members = Object.entries(value).filter(() => next(12) > 0)
  return Object.fromEntries(members.map(([name, member]) => [name, damaged(member, next)]))
}

const isAnswer = ({ messageId, usage, quality, toolCalls, thoughts }: Answer): boolean => {
  const numbers = usage === undefined ? [] : [usage.input, usage.output, usage.cacheRead, usage.cacheWrite]
  const texts = [...toolCalls.flatMap(({ id, name, args }) => [id, name, args]), ...thoughts.map(({ text }) => text)]
  return (
    (messageId === undefined || messageId.length > 0) &&
    (quality === "none") === (usage === undefined) &&
    [...numbers, ...Object.values(usage?.extra ?? {})].every((count) => Number.isSafeInteger(count) && count >= 0) &&
    texts.every((text) => typeof text === "string") &&
    thoughts.every(({ text }) => text !== "") &&
    toolCalls.every(({ name }) => name !== "")
  )
}

describe("An answer with something wrong in it", () => {
  it.each(Answers.streams)("is read without a failure, in 200 variations ($name)", ({ dialect, steps }) => {
    for (let seed = 0; seed < 200; seed++) {
      const next = Splits.random(seed)
      const events = steps.flatMap(({ data }) => {
        if (!data.startsWith("{") || next(6) === 0) return [data.slice(0, next(data.length + 1)), data]
        return [JSON.stringify(damaged(JSON.parse(data), next) ?? null)]
      })

      assert.isTrue(isAnswer(read(dialect, events)), `seed ${seed}`)
    }
  })

  it.each(Answers.bodies)("is read as a whole, too ($name)", ({ dialect, body }) => {
    for (let seed = 0; seed < 200; seed++) {
      const wrong = JSON.stringify(damaged(JSON.parse(body), Splits.random(seed)))

      assert.isTrue(isAnswer(dialect.readAnswer(Bodies.bytes(wrong))), `seed ${seed}`)
    }
  })

  it.each(Answers.streams)("is read by the other dialects, too ($name)", ({ steps }) => {
    for (const dialect of new Set(Answers.streams.map((fixture) => fixture.dialect))) {
      assert.isTrue(
        isAnswer(
          read(
            dialect,
            steps.map(({ data }) => data)
          )
        )
      )
    }
  })
})
