/** Which interception is the parent of another, and which one is the first of the thread, for all that end in a batch. */

/** One that has called the tool whose result another brings. */
export interface Parent {
  readonly id: string
  /** Its own root, if it has ended. */
  readonly root: string | null
}

/** Of one that ends. */
export interface Link {
  readonly parent: string | null
  readonly root: string
}

/**
 * The links of these, which end in this order. A root that has not ended yet stands for its own root, which it has only when it
 * ends: whoever has it as their root then gets that one.
 *
 * @param parents by the ids of those that have one
 */
export const resolve = (
  ids: ReadonlyArray<string>,
  parents: ReadonlyMap<string, Parent>
): ReadonlyMap<string, Link> => {
  const roots = new Map<string, string>()
  for (const { id, root } of parents.values()) if (root !== null) roots.set(id, root)

  // Two processes at once may have written what leads in a circle.
  const rootOf = (id: string): string => {
    const seen = new Set([id])
    let root = id
    for (let next = roots.get(root); next !== undefined && !seen.has(next); next = roots.get(root)) {
      root = next
      seen.add(root)
    }
    return root
  }

  // Those that end here get their roots here. One never gets a root that leads back to itself.
  for (const id of ids) roots.delete(id)
  for (const id of ids) roots.set(id, rootOf(parents.get(id)?.id ?? id))
  return new Map(ids.map((id) => [id, { parent: parents.get(id)?.id ?? null, root: rootOf(id) }]))
}
