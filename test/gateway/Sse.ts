/** Reads a stream of server-sent events as strictly as no client does. */

export interface Event {
  readonly name: string | undefined
  /** A value, or the one text that is no JSON. */
  readonly data: unknown
}

/** The events; an error about the first thing that is not an event with a name or none, and with JSON data or "[DONE]". */
export const parse = (text: string): ReadonlyArray<Event> => {
  const blocks = text.split("\n\n")
  const rest = blocks.pop()
  if (rest !== "") throw new Error(`half an event at the end: ${rest}`)
  return blocks.map((block) => {
    const match = /^(?:event: ([\w.]+)\n)?data: (.+)$/.exec(block)
    if (match === null) throw new Error(`not an event: ${block}`)
    const [, name, data = ""] = match
    return { name, data: data === "[DONE]" ? data : JSON.parse(data) }
  })
}
