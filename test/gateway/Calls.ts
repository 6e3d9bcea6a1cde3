/** The ways to call the gateway that differ inside: for each vendor, a passthrough route and its bridged ones with and without a stream. */
import type * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import type * as TestGateway from "../../src/testing/TestGateway.ts"
import type { Fixture } from "./Fixture.ts"
import type { Bridged, Vendor } from "./Vendors.ts"
import * as Vendors from "./Vendors.ts"

export interface Call {
  readonly call: string
  readonly vendor: Vendor
  readonly fixture: Fixture
  readonly path: string
  readonly request: TestGateway.RequestOptions
  /** The upstream's good answer, and its body. */
  readonly good: ScriptedUpstream.Answer
  readonly text: string
  readonly isBridged: boolean
  readonly isStreaming: boolean
}

const passthroughOf = (vendor: Vendor, models: string): Call => {
  const { fixture, prefix } = vendor
  const path = prefix + models
  return {
    call: `a passthrough ${vendor.name} request`,
    vendor,
    fixture,
    path,
    request: {},
    good: fixture.models200,
    text: fixture.modelsText,
    isBridged: false,
    isStreaming: false
  }
}

const blockingOf = (vendor: Vendor, { path, fixture }: Bridged): Call => ({
  call: `a blocking ${vendor.name} ${fixture.dialect} request`,
  vendor,
  fixture,
  path: vendor.prefix + path,
  request: fixture.blocking,
  good: fixture.answer200,
  text: fixture.answerText,
  isBridged: true,
  isStreaming: false
})

const streamingOf = (vendor: Vendor, { path, fixture }: Bridged): Call => ({
  call: `a streaming ${vendor.name} ${fixture.dialect} request`,
  vendor,
  fixture,
  path: vendor.prefix + path,
  request: fixture.streaming,
  good: fixture.stream200,
  text: fixture.streamText,
  isBridged: true,
  isStreaming: true
})

/** All that differ of one vendor. */
export const of = (vendor: Vendor): ReadonlyArray<Call> => [
  ...(vendor.models === undefined ? [] : [passthroughOf(vendor, vendor.models)]),
  ...vendor.bridged.flatMap((route) => [blockingOf(vendor, route), streamingOf(vendor, route)])
]

/** Those of vendors with a pool that take requests as they come. */
export const unchanged: ReadonlyArray<Call> = Vendors.pooled.flatMap(of)

/** Those of vendors with a pool. */
export const all: ReadonlyArray<Call> = [...unchanged, ...of(Vendors.bedrock)]

/** And of those without one, which need a credential of the caller's own. */
export const everyones: ReadonlyArray<Call> = Vendors.all.flatMap(of)

export const unchangedBridged = unchanged.filter((call) => call.isBridged)
export const unchangedStreams = unchanged.filter((call) => call.isStreaming)
export const unchangedBlockings = unchangedBridged.filter((call) => !call.isStreaming)

export const bridged = all.filter((call) => call.isBridged)
export const streams = all.filter((call) => call.isStreaming)
export const blockings = bridged.filter((call) => !call.isStreaming)
export const wholes = all.filter((call) => !call.isStreaming)

/** One of each kind, where it does not matter of whom. */
export const passthrough = passthroughOf(Vendors.anthropic, "/v1/models")
export const blocking = blockingOf(Vendors.anthropic, Vendors.messages)
export const streaming = streamingOf(Vendors.anthropic, Vendors.messages)
