/** JSON of which nothing is known yet. */
import * as Result from "effect/Result"

/** The value of a text; `undefined` if it is no JSON. */
export const parse = (text: string): unknown => Result.getOrUndefined(Result.try((): unknown => JSON.parse(text)))

/** A member of an object; `undefined` if there is none, or no object. */
export const member = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined

/** The elements of an array; none of anything else. */
export const elements = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])

/** A text that is a string; `undefined` for anything else. */
export const string = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined)

/** The text of a value that came as JSON; `undefined` for none, and for one that is nested too deeply. */
export const print = (value: unknown): string | undefined =>
  Result.getOrUndefined(Result.try((): string | undefined => JSON.stringify(value)))
