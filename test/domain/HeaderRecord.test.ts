import { assert, describe, it } from "@effect/vitest"
import * as HeaderRecord from "../../src/domain/HeaderRecord.ts"

describe("HeaderRecord.first", () => {
  it.each([
    { behaviour: "gives the value of a header that came once", value: "5", first: "5" },
    { behaviour: "trims the value", value: " 5\t", first: "5" },
    { behaviour: "gives the first of several values", value: ["5", "10"], first: "5" },
    { behaviour: "trims the first of several values", value: [" 5 ", "10"], first: "5" },
    { behaviour: "gives nothing for a blank header", value: "  ", first: undefined },
    { behaviour: "gives nothing for an empty header", value: "", first: undefined },
    { behaviour: "gives nothing for a header without values", value: [], first: undefined },
    { behaviour: "gives nothing for a header that is there but undefined", value: undefined, first: undefined }
  ])("$behaviour", ({ value, first }) => {
    assert.strictEqual(HeaderRecord.first({ "retry-after": value, other: "1" }, "retry-after"), first)
  })

  it("gives nothing for an absent header", () => {
    assert.isUndefined(HeaderRecord.first({}, "retry-after"))
  })
})

describe("HeaderRecord.hopByHop", () => {
  it("has the headers of one connection, in lower case", () => {
    assert.deepStrictEqual([...HeaderRecord.hopByHop].toSorted(), [
      "connection",
      "keep-alive",
      "proxy-authenticate",
      "proxy-authorization",
      "proxy-connection",
      "te",
      "trailer",
      "transfer-encoding",
      "upgrade"
    ])
  })

  it("leaves end-to-end headers alone", () => {
    for (const name of ["content-type", "content-length", "content-encoding", "retry-after", "x-should-retry"]) {
      assert.isFalse(HeaderRecord.hopByHop.has(name))
    }
  })
})

describe("HeaderRecord.namedByConnection", () => {
  it.each([
    { behaviour: "names nothing without a Connection header", connection: undefined, named: [] },
    { behaviour: "names nothing for keep-alive", connection: "keep-alive", named: [] },
    { behaviour: "names nothing for close", connection: "close", named: [] },
    { behaviour: "names a further header", connection: "x-trace", named: ["x-trace"] },
    {
      behaviour: "names every header of a list, in lower case and trimmed",
      connection: "close,  X-Trace ,X-Hop",
      named: ["close", "x-hop", "x-trace"]
    },
    {
      behaviour: "reads a repeated Connection header as one list",
      connection: ["x-trace", "x-hop, close"],
      named: ["close", "x-hop", "x-trace"]
    }
  ])("$behaviour", ({ connection, named }) => {
    assert.deepStrictEqual([...HeaderRecord.namedByConnection({ connection })].toSorted(), named)
  })
})
