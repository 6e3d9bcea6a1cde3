/** JSON of which nothing is known yet. */
import * as Result from "effect/Result"

/** The value of a text; `undefined` if it is no JSON. */
export const parse = (text: string): unknown => Result.getOrUndefined(Result.try((): unknown => JSON.parse(text)))

/** A member of an object; `undefined` if there is none, or no object. */
export const member = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined
