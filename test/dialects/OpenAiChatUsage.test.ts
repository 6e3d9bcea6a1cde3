import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { dialect } from "../../src/dialects/OpenAiChat.ts"
import * as Splits from "../Splits.ts"
import * as Bodies from "./Bodies.ts"
import * as RandomJson from "./RandomJson.ts"

const read = (body: Uint8Array) => Result.getOrThrow(dialect.readRequest(body))

const head = `{"model":"gpt","stream":true`
const asked = `"include_usage":true`

describe("Usage in the stream of a chat", () => {
  it.each([
    { body: `${head}}`, sent: `${head},"stream_options":{${asked}}}` },
    { body: `{"model":"gpt","stream":"true"}`, sent: `{"model":"gpt","stream":"true","stream_options":{${asked}}}` },
    { body: `${head} }`, sent: `${head} ,"stream_options":{${asked}}}` },
    { body: `${head}\n}\r\n\t `, sent: `${head}\n,"stream_options":{${asked}}}\r\n\t ` },
    { body: `\ufeff${head}}`, sent: `\ufeff${head},"stream_options":{${asked}}}` },
    {
      body: `${head},"x":{"stream_options":{}}}`,
      sent: `${head},"x":{"stream_options":{}},"stream_options":{${asked}}}`
    },
    { body: `${head},"x":"stream_options"}`, sent: `${head},"x":"stream_options","stream_options":{${asked}}}` },
    { body: `${head},"x":"}\\ud83d"}`, sent: `${head},"x":"}\\ud83d","stream_options":{${asked}}}` },
    { body: `${head},"stream_options":null}`, sent: `${head},"stream_options":{${asked}}}` },
    { body: `${head},"stream_options" : null , "n":1}`, sent: `${head},"stream_options" : {${asked}} , "n":1}` },
    { body: `\ufeff${head},"stream_options":null}`, sent: `\ufeff${head},"stream_options":{${asked}}}` },
    { body: `${head},"stream_options":{}}`, sent: `${head},"stream_options":{${asked}}}` },
    { body: `${head},"stream_options":{ } }\n`, sent: `${head},"stream_options":{ ${asked}} }\n` },
    { body: `${head},"stream\\u005foptions":{}}`, sent: `${head},"stream\\u005foptions":{${asked}}}` },
    { body: `${head},"stream_options":{"include_usage":false}}`, sent: `${head},"stream_options":{${asked}}}` },
    { body: `${head},"stream_options":{"include_usage":null}}`, sent: `${head},"stream_options":{${asked}}}` },
    {
      body: `${head},"stream_options":{"include_usage" :false , "x":1}}`,
      sent: `${head},"stream_options":{"include_usage" :true , "x":1}}`
    },
    {
      body: `${head},"stream_options":{"include\\u005fusage":false}}`,
      sent: `${head},"stream_options":{"include\\u005fusage":true}}`
    },
    {
      body: `${head},"stream_options":{"include_obfuscation":false}}`,
      sent: `${head},"stream_options":{"include_obfuscation":false,${asked}}}`
    },
    {
      body: `${head},"stream_options":{"x":{${asked}}},"y":"ü"}`,
      sent: `${head},"stream_options":{"x":{${asked}},${asked}},"y":"ü"}`
    },
    {
      body: `${head},"x":{"stream_options":{"include_usage":false}},"stream_options":{}}`,
      sent: `${head},"x":{"stream_options":{"include_usage":false}},"stream_options":{${asked}}}`
    },
    {
      body: `${head},"stream_options":null,"stream_options":{}}`,
      sent: `${head},"stream_options":null,"stream_options":{${asked}}}`
    },
    {
      body: `${head},"stream_options":{${asked}},"stream_options":{"include_usage":false}}`,
      sent: `${head},"stream_options":{${asked}},"stream_options":{${asked}}}`
    },
    {
      body: `${head},"stream_options":{},"stream_options":null}`,
      sent: `${head},"stream_options":{},"stream_options":{${asked}}}`
    },
    {
      body: `${head},"stream_options":{${asked},"include_usage":false}}`,
      sent: `${head},"stream_options":{${asked},${asked}}}`
    }
  ])("is asked for on behalf of $body", ({ body, sent }) => {
    const given = Bodies.bytes(body)

    const request = read(given)

    assert.strictEqual(Bodies.text(request.body), sent)
    assert.isDefined(request.omitted)
    assert.strictEqual(Bodies.text(given), body)
  })

  it.each([
    { options: `{${asked}}` },
    { options: `{ "include_usage" : true , "include_obfuscation": false }` },
    { options: `{"include_usage":false,${asked}}` },
    { options: `{"include_usage":"yes"}` },
    { options: `{"include_usage":1}` },
    { options: `{"include_usage":{}}` },
    { options: `"include_usage"` },
    { options: `true` },
    { options: `0` },
    { options: `[]` },
    { options: `[{"include_usage":false}]` },
    { options: `{},"stream_options":{${asked}}` }
  ])("is the client's business with the options $options", ({ options }) => {
    const given = Bodies.bytes(`${head},"stream_options":${options}}`)

    const request = read(given)

    assert.strictEqual(request.body, given)
    assert.isUndefined(request.omitted)
  })
})

describe("A request for usage", () => {
  it("changes no other byte of 1 MiB in odd spelling, wherever the options stand", () => {
    const next = Splits.random(7)
    const large = Array.from({ length: 36_000 }, (_, index) => `"m${index}":${RandomJson.value(next, 4)}`).join(", ")
    const start = `{"model":"gpt", "stream": true,`
    const rows = [
      [`${start}${large}`, "", "}\n", `,"stream_options":{${asked}}`],
      [`${start}"stream_options":`, "null", `,${large}}`, `{${asked}}`],
      [`${start}"stream_options":{"include_usage":`, "false", `,${large}}}`, "true"],
      [`${start}${large},"stream_options":{`, "", `}}`, asked],
      [`${start}"stream_options":{${large}`, "", `},${large}}`, `,${asked}`]
    ] as const

    for (const [before, removed, after, inserted] of rows) {
      const request = read(RandomJson.bytes(before + removed + after))

      assert.isAbove(request.body.length, 1024 * 1024)
      assert.isTrue(RandomJson.text(request.body) === before + inserted + after, before.slice(0, 100))
      assert.isDefined(request.omitted)
    }
  })

  it("changes no other byte of anything nested deeper than calls can be", () => {
    const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`

    const request = read(Bodies.bytes(`${head},"x":${deep},"stream_options":{}}`))

    assert.isTrue(Bodies.text(request.body) === `${head},"x":${deep},"stream_options":{${asked}}}`)
  })
})
