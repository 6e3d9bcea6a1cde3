/** HTTP/1.1 requests in the bytes of one connection (RFC 9112), as they were sent: nothing is normalised but header names. */

export interface Received {
  readonly method: string
  /** The request target as it came. */
  readonly target: string
  /** Lower-case names; the values of a repeated header are joined. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export class RequestReader {
  private chunks: Array<Buffer> = []
  private size = 0
  /** How many bytes there must be before it is worth looking again. */
  private needed = 0

  /** The requests that these bytes make complete. */
  push(chunk: Buffer): ReadonlyArray<Received> {
    this.chunks.push(chunk)
    this.size += chunk.length
    const requests: Array<Received> = []
    for (let request = this.take(); request !== undefined; request = this.take()) requests.push(request)
    return requests
  }

  private take(): Received | undefined {
    if (this.size === 0 || this.size < this.needed) return undefined
    const bytes = Buffer.concat(this.chunks)
    const headEnd = bytes.indexOf("\r\n\r\n")
    if (headEnd < 0) return this.wait(bytes, bytes.length + 1)
    const [requestLine = "", ...lines] = bytes.subarray(0, headEnd).toString("latin1").split("\r\n")
    const [method = "", target = ""] = requestLine.split(" ")
    const headers = headersOf(lines)
    const start = headEnd + 4
    const end = start + Number(headers["content-length"] ?? 0)
    if (bytes.length < end) return this.wait(bytes, end)
    this.wait(bytes.subarray(end), 0)
    return { method, target, headers, body: bytes.subarray(start, end) }
  }

  private wait(rest: Buffer, needed: number): undefined {
    this.chunks = [rest]
    this.size = rest.length
    this.needed = needed
  }
}

const headersOf = (lines: ReadonlyArray<string>): Record<string, string> => {
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const colon = line.indexOf(":")
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`
  }
  return headers
}
