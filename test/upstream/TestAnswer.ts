/** The bytes of HTTP/1.1 answers. */

export type Fields = ReadonlyArray<readonly [name: string, value: string]>

/** Status line and header fields, in this order and spelling. */
export const head = (status: number, fields: Fields = []): string =>
  [`HTTP/1.1 ${status} Scripted`, ...fields.map(([name, value]) => `${name}: ${value}`), "", ""].join("\r\n")

/** An answer with a length. */
export const whole = (status: number, body: string | Uint8Array, fields: Fields = []): Buffer =>
  Buffer.concat([
    Buffer.from(head(status, [...fields, ["content-length", String(Buffer.byteLength(body))]])),
    Buffer.from(body)
  ])

export const json = (status: number, body: unknown, fields: Fields = []): Buffer =>
  whole(status, JSON.stringify(body), [["content-type", "application/json"], ...fields])

/** The head of a chunked stream of events. */
export const eventStreamHead = (fields: Fields = []): string =>
  head(200, [["content-type", "text/event-stream"], ["transfer-encoding", "chunked"], ...fields])

/** One chunk of a chunked body. */
export const chunk = (data: string | Uint8Array): Buffer =>
  Buffer.concat([Buffer.from(`${Buffer.byteLength(data).toString(16)}\r\n`), Buffer.from(data), Buffer.from("\r\n")])

/** The end of a chunked body. */
export const lastChunk = "0\r\n\r\n"
