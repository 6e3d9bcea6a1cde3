/** AWS's exceptions as Anthropic's errors: an error answer, and an error in the middle of a stream. Pure. */
import * as AnthropicMessages from "../../dialects/AnthropicMessages.ts"
import type { ResponseHeaders } from "../../domain/HeaderRecord.ts"
import { first } from "../../domain/HeaderRecord.ts"
import * as Json from "../../domain/Json.ts"
import type { AnswerHead } from "../Translation.ts"

/** An answer with its whole body. */
export interface WholeAnswer extends AnswerHead {
  readonly body: Uint8Array
}

/** Anthropic's error and the status that it has in an answer. */
export interface AnthropicError {
  readonly status: number
  /** Its JSON text, on one line. */
  readonly json: string
}

/** An error answer of Bedrock in Anthropic's shape. One that is in this shape already stays as it is. */
export const translate = (head: AnswerHead, body: Uint8Array): WholeAnswer => {
  const text = isEncoded(head.headers) ? "" : decoder.decode(body)
  const json = Json.parse(text)
  if (isAnthropicError(json)) return { ...head, body }
  const exception = exceptionOf(head.headers, json)
  const error = toError(exception, messageOf(json) ?? excerpt(text) ?? bare(head.status, exception), head.status)
  return { status: error.status, headers: asJson(head.headers), body: encoder.encode(error.json) }
}

/**
 * An exception as an error of Anthropic's.
 *
 * @param exception its name, its first letter small or not
 * @param otherwise the status if the name is not a known one
 */
export const toError = (exception: string | undefined, message: string, otherwise: number): AnthropicError => {
  const status = statusByMessage(message) ?? statuses.get(normalized(exception ?? "")) ?? otherwise
  return { status, json: AnthropicMessages.dialect.renderError(status, withoutAccount(withoutSigned(message))) }
}

/**
 * As Bedrock's API reference and AWS's "Common Errors" name them, without their ending; but the statuses are those that say
 * what happened: AWS answers 403 to a wrong signature, 400 to an exhausted quota and 429 to a model that is not loaded yet.
 */
const statuses: ReadonlyMap<string, number> = new Map([
  ["Validation", 400],
  ["ExpiredToken", 401],
  ["IncompleteSignature", 401],
  ["InvalidClientTokenId", 401],
  ["InvalidSignature", 401],
  ["MissingAuthenticationToken", 401],
  ["SignatureDoesNotMatch", 401],
  ["UnrecognizedClient", 401],
  ["AccessDenied", 403],
  ["NotAuthorized", 403],
  ["OptInRequired", 403],
  ["ResourceNotFound", 404],
  ["ModelTimeout", 408],
  ["ServiceQuotaExceeded", 429],
  ["Throttling", 429],
  ["TooManyRequests", 429],
  ["InternalServer", 500],
  ["ModelError", 500],
  ["ModelStreamError", 500],
  // The gateway's clock is wrong: no key is to blame.
  ["RequestExpired", 500],
  ["RequestTimeTooSkewed", 500],
  ["ModelNotReady", 503],
  ["ServiceUnavailable", 503]
])

const normalized = (exception: string): string =>
  exception.charAt(0).toUpperCase() + exception.slice(1).replace(/Exception$/, "")

// Refusals for which no credential is to blame: the gateway's clock is wrong, or the account has not enabled the model.
const statusByMessage = (message: string): number | undefined => {
  if (/^Signature (?:expired|not yet current)/.test(message)) return 500
  return /access to the model/i.test(message) ? 404 : undefined
}

// Callers need not know whose account it is.
const withoutAccount = (message: string): string => message.replace(/(?<=arn:aws[\w-]*:[^:\s]*:[^:\s]*:)\d{12}/g, "...")

// AWS tells what it had expected to be signed, and so a session token; or the header that it could not read.
const withoutSigned = (message: string): string =>
  message.replace(/\s*(?:The Canonical String|The String-to-Sign|Authorization(?: header: |=))[^]*$/, "")

// A name may come with a namespace before it and a place where it is documented behind it.
const exceptionOf = (headers: ResponseHeaders, json: unknown): string | undefined => {
  const name = first(headers, "x-amzn-errortype") ?? text(json, "__type") ?? text(json, "code")
  return name
    ?.replace(/:[^]*$/, "")
    .replace(/^[^]*#/, "")
    .trim()
}

const messageOf = (json: unknown): string | undefined => text(json, "message") ?? text(json, "Message")

const text = (json: unknown, name: string): string | undefined => {
  const value = Json.member(json, name)
  return typeof value === "string" && value.trim() !== "" ? value : undefined
}

const longest = 1000

// A page for people says nothing to a program.
const excerpt = (body: string): string | undefined => {
  const trimmed = body.trim()
  return trimmed === "" || trimmed.startsWith("<") ? undefined : trimmed.slice(0, longest).toWellFormed()
}

const bare = (status: number, exception: string | undefined): string =>
  `Bedrock answered with status ${status}${exception ? ` (${exception})` : ""}`

const isAnthropicError = (json: unknown): boolean => {
  const error = Json.member(json, "error")
  return Json.member(json, "type") === "error" && typeof error === "object" && error !== null
}

const isEncoded = (headers: ResponseHeaders): boolean =>
  (first(headers, "content-encoding") ?? "identity").toLowerCase() !== "identity"

const ofOldBody = new Set(["content-encoding", "content-length", "content-md5", "content-digest", "digest", "etag"])

const asJson = (headers: ResponseHeaders): ResponseHeaders => ({
  ...Object.fromEntries(Object.entries(headers).filter(([name]) => !ofOldBody.has(name))),
  "content-type": "application/json"
})

const decoder = new TextDecoder()
const encoder = new TextEncoder()
