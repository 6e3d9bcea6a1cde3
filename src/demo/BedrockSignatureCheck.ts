/**
 * Whether a request was signed by somebody who knows the secret, checked against what came over the wire. Written from "AWS
 * Signature Version 4 for API requests" in the IAM User Guide, for services that encode the path twice (all but S3).
 */
import { createHash, createHmac } from "node:crypto"
import { posix } from "node:path"
import { unescape } from "node:querystring"
import type { SentRequest } from "./SimulatedVendor.ts"

export interface Options {
  readonly secretAccessKey: string
  readonly region: string
  readonly service: string
  readonly now: Date
}

/** What AWS says to a signature that is another one than its own. */
export const mismatch = "The request signature we calculated does not match the signature you provided."

/** The access key that a request says it is signed with; `undefined` if it does not say so. */
export const accessKeyId = (request: SentRequest): string | undefined => authorization(request)?.accessKeyId

/** What is wrong with the signature of a request, in the words of AWS; `undefined` if it is good. */
export const problem = (request: SentRequest, options: Options): string | undefined => {
  const { region, service, now } = options
  const signed = authorization(request)
  const [date = ""] = valuesOf(request, "x-amz-date")
  const day = date.slice(0, 8)
  const scope = [day, region, service, "aws4_request"].join("/")
  if (signed === undefined || signed.scope !== scope || !namesAll(request, signed.headers)) return mismatch
  const skew = now.getTime() - timeOf(date)
  if (Number.isNaN(skew)) return mismatch
  if (skew > tolerance) return expired(date, now)
  if (skew < -tolerance) return notYetCurrent(date, now)
  const stringToSign = [algorithm, date, scope, sha256(canonical(request, signed.headers))].join("\n")
  const key = [day, region, service, "aws4_request"].reduce<string | Buffer>(
    (secret, part) => hmac(secret, part).digest(),
    `AWS4${options.secretAccessKey}`
  )
  return hmac(key, stringToSign).digest("hex") === signed.signature ? undefined : mismatch
}

const algorithm = "AWS4-HMAC-SHA256"

/** How far the date of a request may be from now, in milliseconds. */
const tolerance = 5 * 60_000

const authorization = (request: SentRequest) => {
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/,\s]+)\/([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})$/.exec(
      valuesOf(request, "authorization").join()
    )
  if (match === null) return undefined
  const [, id = "", scope = "", headers = "", signature = ""] = match
  return { accessKeyId: id, scope, headers: headers.split(";"), signature }
}

/** Whether the signed headers are all there, and the ones that must be signed are among them. */
const namesAll = (request: SentRequest, signed: ReadonlyArray<string>): boolean => {
  const sent = namesOf(request)
  const needed = ["host", ...sent.filter((name) => name.startsWith("x-amz-"))]
  return signed.every((name) => sent.includes(name)) && needed.every((name) => signed.includes(name))
}

const canonical = (request: SentRequest, signed: ReadonlyArray<string>): string => {
  const [path = "", ...query] = request.target.split("?")
  const names = signed.toSorted()
  return [
    request.method,
    posix.normalize(path).split("/").map(encode).join("/"),
    canonicalQuery(query.join("?")),
    ...names.map((name) => `${name}:${valuesOf(request, name).join()}`),
    "",
    names.join(";"),
    sha256(request.bytes)
  ].join("\n")
}

// Sorted by name, and only then by value.
const canonicalQuery = (query: string): string =>
  query
    .split("&")
    .filter((parameter) => parameter !== "")
    .map((parameter) => {
      const [name = "", ...value] = parameter.split("=")
      return [name, value.join("=")].map((part) => encode(unescape(part)))
    })
    .toSorted(([name = "", value = ""], [otherName = "", otherValue = ""]) =>
      name === otherName ? compare(value, otherValue) : compare(name, otherName)
    )
    .map((pair) => pair.join("="))
    .join("&")

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)

/** All but letters, digits, and `-._~`. */
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`)

const namesOf = ({ rawHeaders }: SentRequest): ReadonlyArray<string> =>
  rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase())

const valuesOf = (request: SentRequest, name: string): ReadonlyArray<string> =>
  namesOf(request).flatMap((other, index) =>
    other === name ? [(request.rawHeaders[index * 2 + 1] ?? "").trim().replace(/ +/g, " ")] : []
  )

// Node reads each byte of a header as a character.
const sha256 = (data: string | Uint8Array): string =>
  createHash("sha256")
    .update(typeof data === "string" ? Buffer.from(data, "latin1") : data)
    .digest("hex")

const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text)

/** The time of a date such as `20260101T000000Z`, in milliseconds since 1970; `NaN` if it is none. */
const timeOf = (date: string): number => {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date)
  if (parts === null) return Number.NaN
  const [, year, month, day, hours, minutes, seconds] = parts
  return Date.parse(`${year}-${month}-${day}T${hours}:${minutes}:${seconds}Z`)
}

const dateOf = (time: number): string => new Date(time).toISOString().replace(/[-:]|\.\d+/g, "")

const expired = (date: string, now: Date): string => {
  const current = now.getTime()
  return `Signature expired: ${date} is now earlier than ${dateOf(current - tolerance)} (${dateOf(current)} - 5 min.)`
}

const notYetCurrent = (date: string, now: Date): string => {
  const current = now.getTime()
  return `Signature not yet current: ${date} is still later than ${dateOf(current + tolerance)} (${dateOf(current)} + 5 min.)`
}
