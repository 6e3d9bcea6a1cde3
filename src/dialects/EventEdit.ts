/** Events of a stream that are written anew because their data was edited. */
import * as JsonEdit from "./JsonEdit.ts"

/** An event with this name, if it is not empty, and data. */
export const write = (name: string, data: string): Uint8Array => {
  const lines = data.split("\n").map((line) => `data: ${line}\n`)
  return encoder.encode(`${name === "" ? "" : `event: ${name}\n`}${lines.join("")}\n`)
}

/** The same with these changes of its data, which is a JSON object. */
export const edit = (name: string, data: string, changes: ReadonlyArray<JsonEdit.Change>): Uint8Array =>
  write(name, decoder.decode(JsonEdit.edit(encoder.encode(data), changes)))

const encoder = new TextEncoder()
const decoder = new TextDecoder()
