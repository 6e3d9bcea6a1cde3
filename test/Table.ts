/** Tables of test cases out of smaller ones. */

/** Every row of the second table for every row of the first. */
export const times = <A, B>(first: ReadonlyArray<A>, second: ReadonlyArray<B>): ReadonlyArray<A & B> => {
  const rows: Array<A & B> = []
  for (const a of first) for (const b of second) rows.push({ ...a, ...b })
  return rows
}
