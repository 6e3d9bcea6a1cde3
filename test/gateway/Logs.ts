/** What is logged while an effect runs. */
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"

export interface Line {
  readonly level: string
  readonly message: string
  readonly annotations: Record<string, unknown>
}

/** The logger that keeps its lines in an array; every other logger is off. */
export const into = (lines: Array<Line>) =>
  Logger.layer([
    Logger.map(Logger.formatStructured, ({ level, message, annotations }) => {
      lines.push({ level, message: String(message), annotations })
    })
  ])

export const of = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<ReadonlyArray<Line>, E, R> =>
  Effect.suspend(() => {
    const lines: Array<Line> = []
    return Effect.as(Effect.provide(effect, into(lines)), lines)
  })
