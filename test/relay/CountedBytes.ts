/** Counts work in steps instead of in time. */

/** These bytes, and a call for every look at some of them. */
export const counting = (chunk: Uint8Array, count: (bytes: number) => void): Uint8Array =>
  new Proxy(chunk, {
    get: (target, property) => {
      if (typeof property === "string" && /^\d+$/.test(property)) {
        count(1)
        return target[Number(property)]
      }
      switch (property) {
        case "indexOf":
        case "includes":
          return (byte: number, from = 0) => {
            const found = target.indexOf(byte, from)
            count((found < 0 ? target.length : found + 1) - from)
            return property === "indexOf" ? found : found >= 0
          }
        case "subarray":
          return (start: number, end: number) => {
            count(end - start)
            return target.subarray(start, end)
          }
        case "length":
          return target.length
        default:
          throw new Error(`not counted: ${String(property)}`)
      }
    }
  })

/** How many bytes are searched, copied and decoded by some synchronous work, whatever arrays it makes: the methods of all arrays count as long as it lasts. */
export const during = (work: () => void): number => {
  let count = 0
  const { set, indexOf, includes, slice } = Uint8Array.prototype
  const { decode } = TextDecoder.prototype
  const counted = {
    set(this: Uint8Array, source: ArrayLike<number>, offset?: number) {
      count += source.length
      set.call(this, source, offset)
    },
    indexOf(this: Uint8Array, byte: number, from = 0) {
      const found = indexOf.call(this, byte, from)
      count += searched(this.length, from, found)
      return found
    },
    includes(this: Uint8Array, byte: number, from = 0) {
      count += searched(this.length, from, indexOf.call(this, byte, from))
      return includes.call(this, byte, from)
    },
    slice(this: Uint8Array, start?: number, end?: number) {
      const copy = slice.call(this, start, end)
      count += copy.length
      return copy
    }
  }
  for (const [name, value] of Object.entries(counted)) {
    Reflect.defineProperty(Uint8Array.prototype, name, { configurable: true, value })
  }
  TextDecoder.prototype.decode = function (this: InstanceType<typeof TextDecoder>, input, options) {
    count += input?.byteLength ?? 0
    return decode.call(this, input, options)
  }
  try {
    work()
  } finally {
    for (const name of Object.keys(counted)) Reflect.deleteProperty(Uint8Array.prototype, name)
    TextDecoder.prototype.decode = decode
  }
  return count
}

const searched = (length: number, from: number, found: number) => (found < 0 ? length : found + 1) - from
