/** Numbers that several answers have said, added up member by member. */

/**
 * Of two values: numbers are added, objects member by member; of anything else, and of what is nested deeper than usage ever is, the
 * second one counts, if there is one.
 */
export const add = (first: unknown, second: unknown, depth = 0): unknown => {
  if (typeof first === "number" && typeof second === "number") return first + second
  if (!isObject(first) || !isObject(second) || depth > maximumDepth)
    return second ?? (first === undefined ? second : first)
  const sum: Record<string, unknown> = { ...first }
  for (const [name, value] of Object.entries(second)) sum[name] = add(first[name], value, depth + 1)
  return sum
}

const maximumDepth = 16

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
