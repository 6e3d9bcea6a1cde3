/** Anthropic Messages as Bedrock has them: the same answers, but streams come in frames. */
import { fromUtf8, toUtf8 } from "@smithy/core/serde"
import { EventStreamCodec } from "@smithy/eventstream-codec"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import type { Fixture } from "./Fixture.ts"
import * as Messages from "./Messages.ts"

export const model = "anthropic.claude-sonnet-4-5-20250929-v1:0"
export const smallFastModel = "anthropic.claude-haiku-4-5-20251001-v1:0"

const codec = new EventStreamCodec(toUtf8, fromUtf8)

const text = (value: string) => ({ type: "string" as const, value })

/** The frame of one event. */
export const frame = (event: string): Uint8Array => {
  const data = event.slice(event.indexOf("data: ") + "data: ".length).trim()
  return codec.encode({
    headers: {
      ":event-type": text("chunk"),
      ":content-type": text("application/json"),
      ":message-type": text("event")
    },
    body: fromUtf8(JSON.stringify({ bytes: Buffer.from(data).toString("base64"), p: "abcdefgh" }))
  })
}

/** The frame of an exception in the middle of a stream. */
export const exception = (type: string, message: string): Uint8Array =>
  codec.encode({
    headers: {
      ":exception-type": text(type),
      ":content-type": text("application/json"),
      ":message-type": text("exception")
    },
    body: fromUtf8(JSON.stringify({ message }))
  })

/** A 200 with frames; what is no bytes is done as it stands. */
export const frames = (steps: ReadonlyArray<ScriptedUpstream.Step>): ScriptedUpstream.Answer =>
  ScriptedUpstream.streamed(200, steps, { "content-type": "application/vnd.amazon.eventstream" })

/** An error answer as Bedrock makes it. */
export const error = (status: number, type: string, message: string): ScriptedUpstream.Answer =>
  ScriptedUpstream.json(status, { message }, { "x-amzn-errortype": `${type}:http://internal.amazon.com/` })

// What has been said before is the client's side of it.
export const fixture: Fixture = {
  ...Messages.fixture,
  dialect: "bedrock",
  model,
  stream200: frames(Messages.fixture.events.map(frame))
}
