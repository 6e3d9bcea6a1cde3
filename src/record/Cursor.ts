/** Where the next page of a list begins. */
import type { Page, Paging, Summary } from "./Interceptions.ts"

interface Position {
  readonly startedAt: number
  readonly id: string
}

/** `undefined` for a text that `page` has not given. */
export const read = (cursor: string): Position | undefined => {
  const match = /^(-?\d{1,16})_([\w-]{1,64})$/.exec(cursor)
  return match?.[1] === undefined || match[2] === undefined ? undefined : { startedAt: Number(match[1]), id: match[2] }
}

/** How many a page holds. */
export const limitOf = ({ limit = 50 }: Paging): number => Math.min(Math.max(Math.trunc(limit) || 1, 1), 200)

/** The page of these, of which there is one more than fits if another page follows. */
export const page = (found: ReadonlyArray<Summary>, limit: number): Page => {
  const interceptions = found.slice(0, limit)
  const last = interceptions.at(-1)
  return {
    interceptions,
    next: found.length > limit && last !== undefined ? `${last.startedAt}_${last.id}` : undefined
  }
}
