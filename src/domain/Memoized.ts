/** What is made once for each label and then kept: labels are few. */

/** Makes the one of each label once. */
export const memoized = <A>(makeOf: (label: string) => A): ((label: string) => A) => {
  const made = new Map<string, A>()
  return (label) => {
    const found = made.get(label) ?? makeOf(label)
    made.set(label, found)
    return found
  }
}
