/** Reads what PromQL expressions of this repository name: no parser, but strict about each word. */

export interface Use {
  readonly metric: string
  /** Those of its matchers. */
  readonly labels: ReadonlyArray<string>
}

const words = /^(?:and|by|histogram_quantile|increase|label_values|max|offset|on|or|rate|sum|unless)$/

/** Each metric that is named, with the labels by which its series are chosen. A word that is no keyword is a metric. */
export const metrics = (expression: string): ReadonlyArray<Use> =>
  Array.from(
    bare(expression).matchAll(/(?<![\w.$])([a-z_]\w*)(?:\{([^}]*)\})?/gi),
    ([, metric = "", matchers = ""]) => ({
      metric,
      labels: Array.from(matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g), ([, label = ""]) => label)
    })
  ).filter(({ metric }) => !words.test(metric))

/** The labels by which series are grouped or listed. */
export const groupings = (expression: string): ReadonlyArray<string> =>
  Array.from(expression.matchAll(groups), ([, labels, listed]) => (labels ?? listed ?? "").split(","))
    .flat()
    .map((label) => label.trim())

/** Whether each bracket that opens is closed by its like, in order. */
export const isBalanced = (expression: string): boolean => {
  const open: Array<string> = []
  for (const character of expression.replaceAll(/"[^"]*"/g, "")) {
    const closing = pairs[character]
    if (closing !== undefined) open.push(closing)
    else if (Object.values(pairs).includes(character) && open.pop() !== character) return false
  }
  return open.length === 0
}

const pairs: Readonly<Record<string, string>> = { "(": ")", "{": "}", "[": "]" }

const groups = /\b(?:by|on) \(([^)]*)\)|label_values\(.*, (\w+)\)$/g

// Without texts, ranges and groupings, in which there are no metrics.
const bare = (expression: string): string =>
  expression
    .replaceAll(/"[^"]*"/g, "")
    .replaceAll(/\[[^\]]*\]/g, "")
    .replaceAll(/\b(?:by|on) \([^)]*\)/g, "")
    .replaceAll(/, \w+\)$/g, ")")
