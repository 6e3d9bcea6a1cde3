/** Values that clients choose, as metric labels: after so many different ones the rest is `other`, because series are never forgotten. */

export interface BoundedLabels {
  /** The value itself if it was among the first ones, else `other`. */
  readonly of: (value: string) => string
}

/** @param limit how many different values are told apart */
export const make = (limit: number): BoundedLabels => {
  const known = new Set<string>()
  return {
    of: (value) => {
      if (known.has(value)) return value
      if (known.size >= limit) return "other"
      known.add(value)
      return value
    }
  }
}
