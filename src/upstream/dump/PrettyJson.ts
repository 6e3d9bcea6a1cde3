/** JSON text for people: new white space and nothing else, so that numbers, escapes and members with one name stay as they are. */

/**
 * Prints it with two spaces for each level, piece by piece, so that who prints a long one can do other things in between. Answers
 * at the end whether that has worked: not with a text that is not JSON, nor with one that is so nested that it would become
 * several times as long.
 */
export function* print(text: string): Generator<string, boolean> {
  const limit = text.length * 4 + 1024 * 1024
  // The closing characters of what is open, the innermost last.
  const open: Array<"}" | "]"> = []
  let expected: Expected = "value"
  let written = 0
  let piece = ""
  const line = () => "\n" + "  ".repeat(open.length)
  for (let at = afterSpace(text, 0); at < text.length; at = afterSpace(text, at)) {
    const end = tokenEnd(text, at)
    if (end === undefined) return false
    const token = text.slice(at, end)
    const inner: string | undefined = open.at(-1)
    at = end
    switch (token) {
      case ":":
        if (expected !== "colon") return false
        piece += ": "
        expected = "value"
        break
      case ",":
        if (expected !== "after" || inner === undefined) return false
        piece += "," + line()
        expected = inner === "}" ? "name" : "value"
        break
      case "}":
      case "]":
        if (inner !== token || (expected !== "first" && expected !== "after")) return false
        open.pop()
        piece += expected === "first" ? token : line() + token
        expected = "after"
        break
      default: {
        if (expected === "colon" || expected === "after") return false
        const isName: boolean = inner === "}" && expected !== "value"
        if (isName && !token.startsWith(`"`)) return false
        if (expected === "first") piece += line()
        piece += token
        expected = isName ? "colon" : "after"
        if (token !== "{" && token !== "[") break
        open.push(token === "{" ? "}" : "]")
        expected = "first"
      }
    }
    if (written + piece.length > limit) return false
    if (piece.length < pieceLength) continue
    yield piece
    written += piece.length
    piece = ""
  }
  if (expected !== "after" || open.length > 0) return false
  yield piece
  return true
}

/** Where a value must come, the first of an array or object or its end, a name, a colon, or a comma or end. */
type Expected = "value" | "first" | "name" | "colon" | "after"

const pieceLength = 64 * 1024

const afterSpace = (text: string, start: number): number => {
  space.lastIndex = start
  space.test(text)
  return space.lastIndex
}

const tokenEnd = (text: string, start: number): number | undefined => {
  if (text[start] === `"`) return stringEnd(text, start)
  token.lastIndex = start
  return token.test(text) ? token.lastIndex : undefined
}

// Step by step: a single pattern for a whole string would need a stack as long as it.
const stringEnd = (text: string, start: number): number | undefined => {
  for (let at = start + 1; ;) {
    plain.lastIndex = at
    plain.test(text)
    at = plain.lastIndex
    if (text[at] === `"`) return at + 1
    escape.lastIndex = at
    if (!escape.test(text)) return undefined
    at = escape.lastIndex
  }
}

// RFC 8259.
const space = /[ \t\n\r]*/y
const token = /[{}[\]:,]|true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
// All but quotes, backslashes and control characters.
const plain = /[ !#-[\]-\uffff]*/y
const escape = /\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4})/y
