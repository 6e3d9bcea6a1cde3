/** Numbers that several answers have said, added up member by member. */

/** Of two values: numbers are added, objects member by member; of anything else the second one counts, if there is one. */
export const add = (first: unknown, second: unknown): unknown => {
  if (typeof first === "number" && typeof second === "number") return first + second
  if (!isObject(first) || !isObject(second)) return second ?? first
  const sum: Record<string, unknown> = { ...first }
  for (const [name, value] of Object.entries(second)) sum[name] = add(first[name], value)
  return sum
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
