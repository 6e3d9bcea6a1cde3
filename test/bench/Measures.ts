// The measures: each one loads both targets in alternating rounds and makes rows of the medians.
import * as Timers from "node:timers/promises"
import * as Load from "./Load.ts"
import * as ProcessUsage from "./ProcessUsage.ts"
import * as Script from "./Script.ts"
import * as Table from "./Table.ts"
import * as Target from "./Target.ts"

export interface Context {
  readonly upstream: Target.Target
  readonly pair: Target.Pair
  readonly isQuick: boolean
}

interface Round<A> {
  readonly bare: A
  readonly gateway: A
}

const idleStreams = 1000

const inTurn = <A>(count: number, run: (turn: number) => Promise<A>) =>
  Array.from({ length: count }).reduce<Promise<ReadonlyArray<A>>>(async (before, _, turn) => {
    const results = await before
    return [...results, await run(turn)]
  }, Promise.resolve([]))

/** Runs the rounds one after the other; every second round begins with the gateway. */
const alternate = <A>(rounds: number, pair: Target.Pair, run: (target: Target.Target, turn: number) => Promise<A>) =>
  inTurn(rounds, async (turn): Promise<Round<A>> => {
    if (turn % 2 === 0) {
      const bare = await run(pair.bare, turn)
      return { bare, gateway: await run(pair.gateway, turn) }
    }
    const gateway = await run(pair.gateway, turn)
    return { bare: await run(pair.bare, turn), gateway }
  })

const row = <A>(
  options: { readonly measure: string; readonly unit: string; readonly goal?: Table.Goal },
  rounds: ReadonlyArray<Round<A>>,
  value: (result: A) => number
): Table.Row => ({
  ...options,
  bare: Table.median(rounds.map((round) => value(round.bare))),
  gateway: Table.median(rounds.map((round) => value(round.gateway))),
  ratios: rounds.map((round) => value(round.gateway) / value(round.bare))
})

const warmUp = (context: Context, pair: Target.Pair, options: Pick<Load.Options, "kind" | "concurrency">) =>
  alternate(1, pair, (target) => Load.sample(target, { ...options, ramp: 0, window: context.isQuick ? 600 : 1500 }))

/**
 * Samples both targets in several generations of processes: two processes of the same program can differ by some percent
 * for as long as they live, which more rounds alone would not average out.
 */
const sampled = async (
  context: Context,
  rounds: number,
  options: Load.Options,
  contenders = context.pair,
  kindOf = (_turn: number) => options.kind
) => {
  const generations = await inTurn(context.isQuick ? 1 : 3, async () => {
    const pair = {
      bare: await contenders.bare.startAnother(),
      gateway: await contenders.gateway.startAnother()
    }
    await warmUp(context, pair, { ...options, kind: options.kind === "paced" ? "burst" : options.kind })
    const samples = await alternate(rounds, pair, (target, turn) =>
      Load.sample(target, { ...options, kind: kindOf(turn) })
    )
    await Promise.all([pair.bare.stop(), pair.gateway.stop()])
    return samples
  })
  return generations.flat()
}

const answers = (sample: Load.Sample) => sample.answers

const burstEvents = (sample: Load.Sample) => (sample.bytes / Script.answerBytes.burst) * Script.eventsPerStream

/** After the ramp and before the end of the streams, there are only deltas. */
const pacedEvents = (sample: Load.Sample) => sample.bytes / Script.delta.length

const microsPer = (count: (sample: Load.Sample) => number) => (sample: Load.Sample) =>
  sample.cpuNanos / 1000 / count(sample)

const perSecond = (count: (sample: Load.Sample) => number) => (sample: Load.Sample) => count(sample) / sample.seconds

const atMost = (most: number): Table.Goal => ({ of: "ratio", most })

interface Throughput {
  readonly name: string
  /** What is counted, as in "CPU per event" and "events per second". */
  readonly unit: string
  readonly goal: number
  readonly count: (sample: Load.Sample) => number
}

const throughput = async (
  context: Context,
  { name, unit, goal, count }: Throughput,
  rounds: number,
  options: Load.Options
): Promise<ReadonlyArray<Table.Row>> => {
  const results = await sampled(context, rounds, options)
  return [
    row({ measure: `${name}, CPU per ${unit}`, unit: "us", goal: atMost(goal) }, results, microsPer(count)),
    row({ measure: `${name}, ${unit}s per second`, unit: "1/s" }, results, perSecond(count))
  ]
}

const shortWindow = (context: Context) => ({ ramp: 150, window: context.isQuick ? 500 : 700 })

export const blocking = (context: Context): Promise<ReadonlyArray<Table.Row>> =>
  throughput(context, { name: "blocking", unit: "request", goal: 2, count: answers }, 4, {
    kind: "blocking",
    concurrency: 32,
    ...shortWindow(context)
  })

export const burst = (context: Context): Promise<ReadonlyArray<Table.Row>> =>
  throughput(context, { name: "burst SSE", unit: "event", goal: 0.9, count: burstEvents }, 4, {
    kind: "burst",
    concurrency: 16,
    ...shortWindow(context)
  })

export const paced = (context: Context): Promise<ReadonlyArray<Table.Row>> =>
  throughput(context, { name: "paced SSE", unit: "event", goal: 1.3, count: pacedEvents }, context.isQuick ? 3 : 2, {
    kind: "paced",
    concurrency: 100,
    ramp: 400,
    window: context.isQuick ? 800 : 1600
  })

/**
 * With records in SQLite, compared with none: the columns are those of the gateway without and with a database. In half of the
 * rounds each request brings the result of a tool, and each answer calls one.
 */
export const recording = async (context: Context): Promise<ReadonlyArray<Table.Row>> => {
  const pair = await Target.startRecording(context.upstream)
  const options = { kind: "blocking", concurrency: 32, ...shortWindow(context) } as const
  const results = await sampled(context, 4, options, pair, (turn) => (turn % 4 < 2 ? "blocking" : "tools"))
  await Promise.all([pair.bare.stop(), pair.gateway.stop()])
  const goal: Table.Goal = { of: "ratio", least: 0.85 }
  return [
    row({ measure: "recording, requests per second", unit: "1/s", goal }, results, perSecond(answers)),
    row({ measure: "recording, CPU per request", unit: "us" }, results, microsPer(answers))
  ]
}

export const latency = async (context: Context): Promise<ReadonlyArray<Table.Row>> => {
  const duration = context.isQuick ? 200 : 400
  // The direct answer times are taken next to each target's own, so that both saw the same machine.
  const measure = async (target: Target.Target) => ({
    direct: await Load.sequence(context.upstream, duration),
    through: await Load.sequence(target, duration)
  })
  await warmUp(context, context.pair, { kind: "blocking", concurrency: 4 })
  const results = await alternate(context.isQuick ? 3 : 8, context.pair, measure)
  type Result = Awaited<ReturnType<typeof measure>>
  const added = (part: number) => (result: Result) =>
    Table.quantile(result.through, part) - Table.quantile(result.direct, part)
  const whole = (part: number) => (result: Result) => Table.quantile(result.through, part)
  return [
    row({ measure: "latency added to direct, p50", unit: "ms", goal: { of: "value", most: 1 } }, results, added(0.5)),
    row({ measure: "latency added to direct, p99", unit: "ms" }, results, added(0.99)),
    row({ measure: "latency in all, p50", unit: "ms" }, results, whole(0.5)),
    row({ measure: "latency in all, p99", unit: "ms" }, results, whole(0.99))
  ]
}

const settled = async (target: Target.Target) => {
  await target.collect()
  await Timers.setTimeout(200)
  await target.collect()
  await Timers.setTimeout(200)
  return ProcessUsage.residentBytes(target.pid)
}

const memoryPerStream = async (target: Target.Target) => {
  await Load.sample(target, { kind: "blocking", concurrency: 32, ramp: 0, window: 500 })
  await Load.withIdleStreams(target, 50, () => Timers.setTimeout(100))
  const before = await settled(target)
  const after = await Load.withIdleStreams(target, idleStreams, () => settled(target))
  return (after - before) / 1024 / idleStreams
}

export const memory = async (context: Context): Promise<ReadonlyArray<Table.Row>> => {
  const results = await alternate(context.isQuick ? 1 : 4, context.pair, async (target) => {
    // What a process once used stays with it, so each round has a process of its own.
    const fresh = await target.startAnother()
    const kib = await memoryPerStream(fresh)
    await fresh.stop()
    return kib
  })
  return [
    row({ measure: `memory per idle stream, of ${idleStreams}`, unit: "KiB", goal: atMost(1.5) }, results, (kib) => kib)
  ]
}
