/** Request bodies that several dialects read alike, as rows of tables. */

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** The text of bytes, a byte order mark included. */
export const text = (body: Uint8Array): string => new TextDecoder("utf-8", { ignoreBOM: true }).decode(body)

/** What the gateway reads of a request that has none of it. */
export const saysNothing = { userId: undefined, prompt: undefined, toolResultId: undefined, omitted: undefined }

/** What is no request in any dialect. */
export const refused = [
  { body: "", problem: "it is empty, a JSON object is needed" },
  { body: " ", problem: "it is not JSON" },
  { body: "{", problem: "it is not JSON" },
  { body: `{"model":"a",}`, problem: "it is not JSON" },
  { body: `{"model":"a"}{}`, problem: "it is not JSON" },
  { body: `{"model":"a"/**/}`, problem: "it is not JSON" },
  { body: `{'model':'a'}`, problem: "it is not JSON" },
  { body: "undefined", problem: "it is not JSON" },
  { body: "[]", problem: "it is not a JSON object" },
  { body: `[{"model":"a"}]`, problem: "it is not a JSON object" },
  { body: "true", problem: "it is not a JSON object" },
  { body: "null", problem: "it is not a JSON object" },
  { body: `"model"`, problem: "it is not a JSON object" },
  { body: "1", problem: "it is not a JSON object" },
  { body: "{}", problem: `"model" is missing` },
  { body: `{"Model":"a"}`, problem: `"model" is missing` },
  { body: `{"x":{"model":"a"}}`, problem: `"model" is missing` },
  { body: `{"__proto__":{"model":"a"}}`, problem: `"model" is missing` },
  { body: `{"model":""}`, problem: `"model" must be a non-empty string` },
  { body: `{"model":null}`, problem: `"model" must be a non-empty string` },
  { body: `{"model":1}`, problem: `"model" must be a non-empty string` },
  { body: `{"model":true}`, problem: `"model" must be a non-empty string` },
  { body: `{"model":["a"]}`, problem: `"model" must be a non-empty string` },
  { body: `{"model":{"id":"a"}}`, problem: `"model" must be a non-empty string` },
  { body: `{"model":"a","model":""}`, problem: `"model" must be a non-empty string` }
]

/** What the vendors that read leniently take for a stream, and what not. */
export const streams = [
  { member: `"stream":true`, stream: true },
  { member: `"stream":"true"`, stream: true },
  { member: `"stream":"True"`, stream: true },
  { member: `"stream":"TRUE"`, stream: true },
  { member: `"stream":"t"`, stream: true },
  { member: `"stream":"1"`, stream: true },
  { member: `"stream":1`, stream: true },
  { member: `"stream":-0.5`, stream: true },
  { member: `"stream":false,"stream":true`, stream: true },
  { member: `"str\\u0065am":true`, stream: true },
  { member: `"stream":false`, stream: false },
  { member: `"stream":null`, stream: false },
  { member: `"stream":0`, stream: false },
  { member: `"stream":""`, stream: false },
  { member: `"stream":"false"`, stream: false },
  { member: `"stream":"yes"`, stream: false },
  { member: `"stream":"true "`, stream: false },
  { member: `"stream":[true]`, stream: false },
  { member: `"stream":{"stream":true}`, stream: false },
  { member: `"stream":true,"stream":false`, stream: false },
  { member: `"Stream":true`, stream: false }
]
