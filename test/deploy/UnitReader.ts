/** Reads a systemd unit. */

export interface Unit {
  /** All values of a directive, in their order; a directive may stand more than once. */
  readonly all: (section: string, name: string) => ReadonlyArray<string>
  /** The last value of a directive, which is the one that counts. */
  readonly value: (section: string, name: string) => string | undefined
  /** Lines that are no section, no directive and no comment. */
  readonly rest: ReadonlyArray<string>
}

export const read = (text: string): Unit => {
  const directives: Array<{ readonly section: string; readonly name: string; readonly value: string }> = []
  const rest: Array<string> = []
  let section = ""
  for (const line of text.split("\n").filter((each) => each !== "" && !each.startsWith("#"))) {
    const [, title] = /^\[(\w+)\]$/.exec(line) ?? []
    const [, name, value = ""] = /^([A-Za-z]+)=(.*)$/.exec(line) ?? []
    if (title !== undefined) section = title
    else if (name === undefined) rest.push(line)
    else directives.push({ section, name, value })
  }
  const all: Unit["all"] = (of, name) =>
    directives.filter((each) => each.section === of && each.name === name).map(({ value }) => value)
  return { all, value: (of, name) => all(of, name).at(-1), rest }
}
