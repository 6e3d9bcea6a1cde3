/** The JSON in an event of a stream. */
import * as Result from "effect/Result"
import * as JsonEdit from "./JsonEdit.ts"

/** An event with this name, if it is not empty, and data. */
export const write = (name: string, data: string): Uint8Array => {
  const lines = data.split("\n").map((line) => `data: ${line}\n`)
  return encoder.encode(`${name === "" ? "" : `event: ${name}\n`}${lines.join("")}\n`)
}

/**
 * The event with these changes of its data, which is a JSON object on as many lines as it likes: its name, its other lines and how
 * its lines end stay as they are. `undefined` if a value cannot be written, because it is nested deeper than calls can be.
 */
export const edit = (event: Uint8Array, changes: ReadonlyArray<JsonEdit.Change>): Uint8Array | undefined =>
  Result.getOrUndefined(Result.try(() => edited(event, changes)))

const edited = (event: Uint8Array, changes: ReadonlyArray<JsonEdit.Change>): Uint8Array => {
  const text = decoder.decode(event)
  const mark = text.startsWith(byteOrderMark) ? byteOrderMark : ""
  const lines = text.slice(mark.length).split(lineStart)
  const first = lines.findIndex(isData)
  const start = field.exec(lines[first] ?? "")?.[0] ?? "data: "
  const end = lineEnd.exec(lines[first] ?? "")?.[0] ?? "\n"
  const data = lines
    .filter(isData)
    .map((line) => line.replace(field, "").replace(lineEnd, ""))
    .join("\n")
  const json = decoder.decode(JsonEdit.edit(encoder.encode(data), changes))
  const written = json.split("\n").map((line) => `${start}${line}${end}`)
  const after = lines.slice(first).filter((line) => !isData(line))
  return encoder.encode([mark, ...lines.slice(0, first), ...written, ...after].join(""))
}

const isData = (line: string): boolean => line.startsWith("data:")

const byteOrderMark = "\ufeff"

// As WHATWG HTML has it ("Server-sent events").
const lineStart = /(?<=\n|\r(?!\n))/
const lineEnd = /\r\n$|\r$|\n$/
const field = /^data: ?/

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
