/** The ways to call the gateway that differ inside: a passthrough route, and a bridged one with and without a stream. */
import type * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import type * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Fixture from "./Fixture.ts"
import * as Setup from "./Setup.ts"

export interface Call {
  readonly call: string
  readonly path: string
  readonly request: TestGateway.RequestOptions
  /** The upstream's good answer, and its body. */
  readonly good: ScriptedUpstream.Answer
  readonly text: string
  readonly isBridged: boolean
}

export const passthrough: Call = {
  call: "a passthrough request",
  path: Setup.models,
  request: {},
  good: Fixture.models200,
  text: Fixture.modelsText,
  isBridged: false
}

export const blocking: Call = {
  call: "a blocking request",
  path: Setup.messages,
  request: Setup.blocking,
  good: Fixture.message200,
  text: Fixture.messageText,
  isBridged: true
}

export const streaming: Call = {
  call: "a streaming request",
  path: Setup.messages,
  request: Setup.streaming,
  good: Fixture.stream200,
  text: Fixture.streamText,
  isBridged: true
}

export const bridged: ReadonlyArray<Call> = [blocking, streaming]
export const all: ReadonlyArray<Call> = [passthrough, ...bridged]
