/** The simulated Bedrock: messages of Anthropic's models behind signatures, and streams of them in the frames of AWS. */
import { fromUtf8, toUtf8 } from "@smithy/core/serde"
import { EventStreamCodec } from "@smithy/eventstream-codec"
import * as Redacted from "effect/Redacted"
import { unescape } from "node:querystring"
import { member } from "../domain/Json.ts"
import * as BedrockSignatureCheck from "./BedrockSignatureCheck.ts"
import * as SimulatedMessages from "./SimulatedMessages.ts"
import * as SimulatedTurn from "./SimulatedTurn.ts"
import type { Answer, SentRequest, SimulatedVendor } from "./SimulatedVendor.ts"
import { inputTokens, json } from "./SimulatedVendor.ts"

/** What a gateway needs to know of it besides its base URL. */
export interface Settings {
  readonly region: string
  readonly model: string
  readonly smallFastModel: string
  /** Made up: nothing but this provider takes them. */
  readonly credentials: ReadonlyArray<{
    readonly accessKeyId: string
    readonly secretAccessKey: Redacted.Redacted<string>
  }>
}

const region = "us-east-1"

const keys = ["AKIASIMULATED0002001", "AKIASIMULATED0002002", "AKIASIMULATED0002003"] as const

const secrets = new Map<string, string>(keys.map((key) => [key, `simulated/secret+of/${key}`]))

export const settings: Settings = {
  region,
  model: "anthropic.claude-sonnet-4-5-20250929-v1:0",
  smallFastModel: "anthropic.claude-haiku-4-5-20251001-v1:0",
  credentials: Array.from(secrets, ([accessKeyId, secret]) => ({ accessKeyId, secretAccessKey: Redacted.make(secret) }))
}

export const vendor: SimulatedVendor = {
  name: "bedrock",
  type: "anthropic",
  path: "/bedrock",
  keys,
  requestIdHeader: "x-amzn-requestid",
  credential: BedrockSignatureCheck.accessKeyId,
  check,
  refused: error(403, common("UnrecognizedClientException"), "The security token included in the request is invalid."),
  limited: error(429, "ThrottlingException", "Too many requests, please wait before trying again."),
  answer: ({ route, body }) => {
    const [, encodedModel = "", operation] = /^POST \/model\/([^/]+)\/([^/]+)$/.exec(route) ?? []
    const model = unescape(encodedModel)
    switch (operation) {
      case "invoke":
        return refusal(body) ?? json(200, SimulatedMessages.message(model, SimulatedTurn.of(body)))
      case "invoke-with-response-stream":
        return refusal(body) ?? frames(model, SimulatedTurn.of(body))
      default:
        return error(404, "UnknownOperationException", `There is no operation at ${route}.`)
    }
  }
}

function check(request: SentRequest, now: Date): Answer | undefined {
  const accessKeyId = BedrockSignatureCheck.accessKeyId(request)
  const secretAccessKey = secrets.get(accessKeyId ?? "")
  // The signature of an unknown key cannot be checked: it is refused for the key.
  if (accessKeyId !== undefined && secretAccessKey === undefined) return undefined
  const problem =
    secretAccessKey === undefined
      ? BedrockSignatureCheck.mismatch
      : BedrockSignatureCheck.problem(request, { secretAccessKey, region, service: "bedrock", now })
  return problem === undefined ? undefined : error(403, common("InvalidSignatureException"), problem)
}

/** Members of Anthropic's own API. */
const extraneous = ["model", "stream", "metadata", "service_tier", "container", "inference_geo"]

const refusal = (body: unknown): Answer | undefined => {
  const version = member(body, "anthropic_version")
  if (version === undefined) return malformed("required key [anthropic_version] not found")
  if (version !== "bedrock-2023-05-31") return malformed(`anthropic_version: ${JSON.stringify(version)} is not valid`)
  if (member(body, "max_tokens") === undefined) return malformed("required key [max_tokens] not found")
  const key = extraneous.find((name) => member(body, name) !== undefined)
  return key === undefined ? undefined : malformed(`extraneous key [${key}] is not permitted`)
}

const malformed = (problem: string): Answer =>
  error(400, "ValidationException", `Malformed input request: #: ${problem}, please reformat your input and try again.`)

const codec = new EventStreamCodec(toUtf8, fromUtf8)

// Bedrock drops the pings, and tells the cost once more at the end.
const frames = (model: string, turn: SimulatedTurn.Turn): Answer => {
  const metrics = {
    inputTokenCount: inputTokens,
    outputTokenCount: SimulatedMessages.outputTokens(turn),
    invocationLatency: 500,
    firstByteLatency: 50
  }
  return {
    _tag: "Events",
    contentType: "application/vnd.amazon.eventstream",
    events: SimulatedMessages.stream(model, turn)
      .filter(({ type }) => type !== "ping")
      .map((event) =>
        frame(event.type === "message_stop" ? { ...event, "amazon-bedrock-invocationMetrics": metrics } : event)
      )
  }
}

const frame = (event: SimulatedMessages.Event): Uint8Array => {
  const bytes = Buffer.from(JSON.stringify(event)).toString("base64")
  const p = padding.slice(0, 1 + (bytes.length % padding.length))
  return codec.encode({
    headers: {
      ":event-type": { type: "string", value: "chunk" },
      ":content-type": { type: "string", value: "application/json" },
      ":message-type": { type: "string", value: "event" }
    },
    body: Buffer.from(JSON.stringify({ bytes, p }))
  })
}

/** It hides the length of what is said. */
const padding = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

function error(status: number, type: string, message: string): Answer {
  return json(status, { message }, { "x-amzn-errortype": type })
}

/** An error that all services of AWS have. */
function common(type: string): string {
  return `${type}:http://internal.amazon.com/coral/com.amazon.coral.service/`
}
