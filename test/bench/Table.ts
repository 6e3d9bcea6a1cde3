// The table of results, as plain text.

/** A bound on the gateway's result: on its ratio to the bare proxy's, or on its own value. */
export type Goal =
  | { readonly of: "ratio" | "value"; readonly most: number }
  | { readonly of: "ratio" | "value"; readonly least: number }

export interface Row {
  readonly measure: string
  readonly unit: string
  readonly bare: number
  readonly gateway: number
  /** The gateway's result as a multiple of the bare proxy's, in each round. */
  readonly ratios: ReadonlyArray<number>
  readonly goal?: Goal
}

const header = ["measure", "bare", "gateway", "unit", "ratio", "middle half", "target", "ok?"]
const leftAligned = new Set(["measure", "unit", "target", "ok?"])

/** The value below which a part of the values lies, interpolated between its neighbours. */
export const quantile = (values: ReadonlyArray<number>, part: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const position = (sorted.length - 1) * part
  const low = sorted[Math.floor(position)] ?? Number.NaN
  const high = sorted[Math.ceil(position)] ?? Number.NaN
  return low + (high - low) * (position % 1)
}

export const median = (values: ReadonlyArray<number>): number => quantile(values, 0.5)

const number = (value: number) => value.toFixed(Math.abs(value) >= 1000 ? 0 : Math.abs(value) >= 20 ? 1 : 2)

const times = (value: number) => `${value.toFixed(2)}x`

const isMet = (row: Row, goal: Goal) => {
  const value = goal.of === "ratio" ? median(row.ratios) : row.gateway
  return "most" in goal ? value <= goal.most : value >= goal.least
}

const bound = (goal: Goal) => ("most" in goal ? `<= ${goal.most}` : `>= ${goal.least}`)

const cells = (row: Row) => [
  row.measure,
  number(row.bare),
  number(row.gateway),
  row.unit,
  row.ratios.length === 0 ? "" : times(median(row.ratios)),
  row.ratios.length < 3 ? "" : `${quantile(row.ratios, 0.25).toFixed(2)}-${quantile(row.ratios, 0.75).toFixed(2)}`,
  row.goal === undefined ? "" : `${bound(row.goal)}${row.goal.of === "ratio" ? "x" : ` ${row.unit}`}`,
  row.goal === undefined ? "" : isMet(row, row.goal) ? "yes" : "no"
]

export const render = (rows: ReadonlyArray<Row>): string => {
  const lines = [header, ...rows.map(cells)]
  const widths = header.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  const pad = (cell: string, column: number) =>
    leftAligned.has(header[column] ?? "") ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)
  const [head = "", ...body] = lines.map((line) => line.map(pad).join("  ").trimEnd())
  return [head, "-".repeat(Math.max(...[head, ...body].map((line) => line.length))), ...body].join("\n")
}
