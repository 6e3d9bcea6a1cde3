/** Keeps the values of a metric's label few: clients choose them, and a series stays for ever. */

/** The value itself for the first ones that are seen, `other` for those beyond. */
export type BoundedLabel = (value: string) => string

/** What stands for all values beyond the bound. */
export const other = "other"

/** @param maximum how many values are told apart */
export const make = (maximum: number): BoundedLabel => {
  const known = new Set<string>()
  return (value) => {
    if (known.has(value)) return value
    if (known.size >= maximum) return other
    known.add(value)
    return value
  }
}
