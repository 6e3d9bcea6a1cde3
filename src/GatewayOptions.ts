/** What an embedder may set about a gateway; every field has a default. */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"

/** The limits of one gateway. */
export interface GatewayOptions {
  /** The largest request body, in bytes; a larger one is answered with 413. Default 32 MiB. */
  readonly maximumBodyBytes: number
  /** After this silence in a stream a keep-alive event is sent, in dialects that have one. Default 10 seconds. */
  readonly keepaliveInterval: Duration.Duration
  /** What becomes of a request whose start the recorder does not take: it is refused with 503, or goes on unrecorded. Default `refuse`. */
  readonly recordFailure: "refuse" | "continue"
  /**
   * What becomes of an answer whose client has left before its end: the upstream is told at once (`abort`), or the rest is read for
   * its usage (`drain`), for 30 seconds at most and 64 at once. Passthrough is always aborted. Default `abort`.
   */
  readonly clientGone: "abort" | "drain"
  /** How often the gateway's own tools are run for a request before the model is told to do without them. Default 10. */
  readonly maximumToolIterations: number
  /** How long one call of such a tool may take. Default 60 seconds. */
  readonly toolTimeout: Duration.Duration
  /** How large its result may be, in bytes of JSON. Default 1 MiB. */
  readonly maximumToolResultBytes: number
  /**
   * How long a request may take from when its body was read to the end of its answer, all attempts together, unless its provider
   * says otherwise. `Duration.infinity`: no limit. Default 1 hour.
   */
  readonly totalTimeout: Duration.Duration
  /** How many models, tools and routes metrics tell apart, of each; further ones are `other`. Default 100. */
  readonly maximumMetricValues: number
  /** Whether metrics say who has called, in the label `initiator_id`, as bounded as the others. Default false. */
  readonly metricsActorLabel: boolean
  /**
   * Whether upstreams get the trace context (`traceparent` and `tracestate`, W3C): the client's, or with a tracer that of the
   * attempt. Not sent to Bedrock. Default false.
   */
  readonly propagateTraceContext: boolean
}

/** What holds unless it is overridden. */
export const defaults: GatewayOptions = {
  maximumBodyBytes: 32 * 1024 * 1024,
  keepaliveInterval: Duration.seconds(10),
  recordFailure: "refuse",
  clientGone: "abort",
  maximumToolIterations: 10,
  toolTimeout: Duration.seconds(60),
  maximumToolResultBytes: 1024 * 1024,
  totalTimeout: Duration.hours(1),
  maximumMetricValues: 100,
  metricsActorLabel: false,
  propagateTraceContext: false
}

/** Override with `Layer.succeed(GatewayOptions.GatewayOptions, { ...GatewayOptions.defaults, ... })`. */
export const GatewayOptions = Context.Reference<GatewayOptions>("effect-aibridge/GatewayOptions", {
  defaultValue: () => defaults
})
