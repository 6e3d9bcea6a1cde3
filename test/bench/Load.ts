// The load generator: sends requests to a target, checks every answer, and counts what arrived.
import * as Timers from "node:timers/promises"
import { Pool } from "@effect/platform-node/Undici"
import * as ProcessUsage from "./ProcessUsage.ts"
import * as Script from "./Script.ts"
import type { Target } from "./Target.ts"

interface Meter {
  answers: number
  bytes: number
}

export interface Sample {
  readonly answers: number
  readonly bytes: number
  readonly cpuNanos: number
  readonly seconds: number
}

export interface Options {
  readonly kind: Script.Kind
  /** How many requests are in flight at any time. */
  readonly concurrency: number
  /** How long the load runs before the sample starts, in milliseconds. */
  readonly ramp: number
  /** How long the sample takes, in milliseconds. */
  readonly window: number
}

const openTimeout = 15_000
const openBatch = 100

const connect = (target: Target, connections: number) =>
  new Pool(target.origin, { connections, headersTimeout: 10_000, bodyTimeout: 60_000 })

/** Sends one request and resolves when its answer is complete and right. */
const send = (pool: Pool, target: Target, kind: Script.Kind, meter: Meter) =>
  new Promise<void>((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`the ${target.name}, asked for a ${kind} answer, ${why}`))
    let status = 0
    let bytes = 0
    let refusal = ""
    pool.dispatch(
      {
        method: "POST",
        path: target.path,
        headers: {
          ...target.headers,
          "content-type": "application/json",
          "anthropic-version": "2023-06-01",
          [Script.kindHeader]: kind
        },
        body: Script.requestBodies[kind]
      },
      {
        onRequestStart() {},
        onResponseStart(_controller, statusCode) {
          status = statusCode
        },
        onResponseData(_controller, chunk) {
          if (status === 200) {
            bytes += chunk.length
            meter.bytes += chunk.length
          } else {
            refusal += chunk.toString("utf8", 0, 300)
          }
        },
        onResponseEnd() {
          if (status !== 200) {
            fail(`answered ${status}: ${refusal}`)
          } else if (bytes !== Script.answerBytes[kind]) {
            fail(`answered ${bytes} bytes instead of ${Script.answerBytes[kind]}`)
          } else {
            meter.answers++
            resolve()
          }
        },
        onResponseError(_controller, error) {
          fail(`failed after ${bytes} bytes: ${error.message}`)
        }
      }
    )
  })

const noMeter = (): Meter => ({ answers: 0, bytes: 0 })

/** Sends one request after the other until the condition no longer holds. */
const repeat = async (request: () => Promise<void>, goesOn: () => boolean) => {
  const turns = function* () {
    while (goesOn()) {
      yield request()
    }
  }
  for await (const _ of turns()) {
    // The next turn begins once this one's request is over.
  }
}

/** Keeps a number of requests in flight and samples what happens during the window. */
export const sample = async (target: Target, options: Options): Promise<Sample> => {
  const pool = connect(target, options.concurrency)
  const meter = noMeter()
  const stop = performance.now() + options.ramp + options.window
  const work = () =>
    repeat(
      () => send(pool, target, options.kind, meter),
      () => performance.now() < stop
    )
  const mark = () => ({ ...meter, cpuNanos: ProcessUsage.cpuNanos(target.pid), at: performance.now() })
  const working = Promise.all(Array.from({ length: options.concurrency }, work))
  const failure = working.then(() => new Promise<void>(() => {}))
  try {
    await Promise.race([Timers.setTimeout(options.ramp), failure])
    const start = mark()
    await Promise.race([Timers.setTimeout(options.window), failure])
    const end = mark()
    // A paced stream takes seconds to end: those are left, which they have to bear as well.
    if (options.kind !== "paced") {
      await working
    }
    return {
      answers: end.answers - start.answers,
      bytes: end.bytes - start.bytes,
      cpuNanos: end.cpuNanos - start.cpuNanos,
      seconds: (end.at - start.at) / 1000
    }
  } finally {
    failure.catch(() => {})
    await pool.destroy()
  }
}

/** Sends one blocking request after the other on one connection, and returns how long each took, in milliseconds. */
export const sequence = async (target: Target, duration: number): Promise<ReadonlyArray<number>> => {
  const pool = connect(target, 1)
  const meter = noMeter()
  const times: Array<number> = []
  try {
    await send(pool, target, "blocking", meter)
    let last = performance.now()
    const stop = last + duration
    await repeat(
      async () => {
        await send(pool, target, "blocking", meter)
        const now = performance.now()
        times.push(now - last)
        last = now
      },
      () => last < stop
    )
    return times
  } finally {
    await pool.destroy()
  }
}

/** Opens idle streams, runs the action once each has had its first event, and leaves them. */
export const withIdleStreams = async <A>(target: Target, count: number, action: () => Promise<A>): Promise<A> => {
  const pool = connect(target, count)
  const meter = noMeter()
  const deadline = performance.now() + openTimeout
  const failures: Array<unknown> = []
  let asked = 0
  try {
    for await (const _ of Timers.setInterval(5)) {
      if (failures.length > 0 || performance.now() > deadline) {
        throw failures[0] ?? new Error(`the ${target.name} did not open ${count} idle streams in time`)
      }
      if (meter.bytes >= asked * Script.answerBytes.idle) {
        if (asked === count) {
          break
        }
        for (const end = Math.min(count, asked + openBatch); asked < end; asked++) {
          send(pool, target, "idle", meter).then(
            () => failures.push(new Error(`the ${target.name} ended an idle stream`)),
            (failure: unknown) => failures.push(failure)
          )
        }
      }
    }
    return await action()
  } finally {
    await pool.destroy()
  }
}
