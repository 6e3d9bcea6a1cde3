/**
 * JSON in all its spellings, the same for the same seed: white space, escapes, doubled names, lone surrogates and bytes that are
 * no UTF-8. One character a byte.
 */

export type Next = (limit: number) => number

export const pick = <A>(next: Next, some: readonly [A, ...ReadonlyArray<A>]): A => some[next(some.length)] ?? some[0]

/** The bytes of such a text. */
export const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"))

/** The text of such bytes. */
export const text = (body: Uint8Array): string => Buffer.from(body).toString("latin1")

/** A byte order mark and white space, or less. */
export const lead = (next: Next): string => pick(next, ["", "", "\xef\xbb\xbf"]) + space(next)

export const space = (next: Next): string => pick(next, ["", "", "", " ", "\n  ", "\t", "\r\n"])

const escaped = String.raw`a { } [ ] , : ' // usage \u0078 \ud83d \ud83d\udc4b \" \\ \\\" \n \/`.split(" ")
const letters = [" ", "\x7f", "\xc3\xbc", "\xe4\xb8\x96", "\xf0\x9f\x91\x8b", "\xff", "\xc3", "\xf0\x9f", ...escaped]

const string = (next: Next): string =>
  `"${Array.from({ length: next(6) }, () => letters[next(letters.length)]).join("")}"`

export const value = (next: Next, depth = 3): string => {
  switch (next(depth > 0 ? 8 : 5)) {
    case 0:
      return pick(next, ["true", "false", "null"])
    case 1:
      return pick(next, ["0", "-1", "1.50", "2E+3", "-0.0e-1"])
    case 2:
    case 3:
    case 4:
      return string(next)
    case 5:
      return `[${list(next, () => space(next) + value(next, depth - 1) + space(next))}]`
    default:
      return object(next, depth - 1)
  }
}

/** Names that are not `wanted`, and names that are. Both may be spelled in odd ways. */
const others = ["a", "Wanted", "wante", "wanted ", "\\\\u0077anted", "inner", "stream_options", "\xfcber", ""] as const
const wanted = ["wanted", "wanted", "\\u0077anted", "w\\u0061nted", "wante\\u0064"] as const

export const wantedName = (next: Next): string => member(next, pick(next, wanted))

export const otherName = (next: Next): string => member(next, pick(next, others))

const member = (next: Next, name: string): string => `${space(next)}"${name}"${space(next)}:${space(next)}`

/** A member of another name with white space around it. */
export const other = (next: Next, depth = 3): string => otherName(next) + value(next, depth) + space(next)

/** A member of either kind of name. */
export const any = (next: Next, depth = 3): string =>
  next(3) === 0 ? wantedName(next) + value(next, depth) + space(next) : other(next, depth)

/** An object with up to three members. */
export const object = (next: Next, depth: number): string => `{${list(next, () => any(next, depth)) || space(next)}}`

/** Up to three of them with commas between. */
export const list = (next: Next, make: () => string): string => Array.from({ length: next(4) }, make).join(",")
