/** Where settings stand: variables over a file, as one tree, with the name that each setting has for who wrote it. */
import * as Toml from "effect/encoding/Toml"
import * as Yaml from "effect/encoding/Yaml"
import * as Result from "effect/Result"
import { places } from "./ConfigSchema.ts"

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>

/** A place in the tree, such as `["providers", 0, "keys"]`. */
export type Path = ReadonlyArray<string | number>

export interface Options {
  readonly environment: Environment
  /** YAML, TOML or JSON, by its extension. Default none. */
  readonly file?: string | undefined
  /** The text of a file, or the system's code for why it cannot be read, such as `ENOENT`. */
  readonly readFile: (path: string) => Result.Result<string, string>
}

/** Finds everything that is set. Whether it is right is the schema's to say. */
export const find = (options: Options): ConfigSource => {
  const source = new ConfigSource(options)
  source.addFile()
  source.addVariables()
  source.addSecretFiles()
  return source
}

export class ConfigSource {
  /** As `ConfigSchema` reads it. */
  readonly tree: Tree = {}
  /** Everything that is wrong, each with its name; never with a value that could be secret. */
  readonly problems: Array<string> = []
  /** What looks like a mistake but stops nothing. */
  readonly warnings: Array<string> = []
  private readonly options: Options
  // What the settings are called that variables have set.
  private readonly variables = new Map<string, string>()
  private readonly wrong = new Set<string>()

  constructor(options: Options) {
    this.options = options
  }

  /** What a setting is called where it stands; if it stands nowhere, where it would. */
  nameOf(path: Path): string {
    const variable = this.variables.get(keyOf(path))
    if (variable !== undefined) return variable
    const { file } = this.options
    const isOfFile = file !== undefined && (this.has(path) || !isListed(path[0]) || !this.isOfVariables(path))
    return isOfFile ? `${file}: ${inFile(path)}` : variableOf(path)
  }

  problem(path: Path, detail: string): void {
    this.problems.push(`${this.nameOf(path)}: ${detail}`)
    this.wrong.add(keyOf(path))
  }

  /** Whether something was said about the setting there. */
  hasProblem(path: Path): boolean {
    return this.wrong.has(keyOf(path))
  }

  /** The settings that are below a place, by their names. */
  fieldsAt(path: Path): ReadonlyArray<string> {
    const found = get(this.tree, path)
    return isTree(found) ? Object.keys(found) : []
  }

  /** Whether something is set there. */
  has(path: Path): boolean {
    return get(this.tree, path) !== undefined
  }

  /** Forgets what is set there. */
  remove(path: Path): void {
    const above = get(this.tree, path.slice(0, -1))
    if (isTree(above)) delete above[String(path.at(-1))]
  }

  addFile(): void {
    const { file, readFile } = this.options
    if (file === undefined) return
    const text = Result.mapError(readFile(file), (code) => `cannot be read (${code})`)
    const content = Result.flatMap(text, (found) => parse(file, found))
    if (Result.isFailure(content)) this.problems.push(`${file}: ${content.failure}`)
    else Object.assign(this.tree, content.success)
  }

  addVariables(): void {
    for (const [name, { value, shown }] of this.withoutAliases()) {
      const path = this.placeOf(name, shown, value)
      if (path === undefined) continue
      set(this.tree, path, value)
      this.variables.set(keyOf(path), shown)
    }
    this.addSharedVariables()
    this.fillGaps()
  }

  /** Puts the content of files that hold one secret each in the place of the secret. */
  addSecretFiles(): void {
    const all: ReadonlyArray<Path> = [
      ...places.all,
      ...lists.flatMap(({ field, members }) =>
        listAt(this.tree, field).flatMap((_, index) =>
          Array.from(members.values(), (place) => [field, index, ...place])
        )
      )
    ]
    for (const path of all) {
      const field = String(path.at(-1))
      const from = get(this.tree, path)
      const secret = field.replace(/File$/, "")
      if (secret === field || typeof from !== "string") continue
      const target = [...path.slice(0, -1), secret]
      const content = this.options.readFile(from)
      if (this.has(target)) this.problem(path, `${secret} and ${field} are mutually exclusive`)
      else if (Result.isFailure(content)) this.problem(path, `cannot read ${from} (${content.failure})`)
      else if (content.success.trim() === "") this.problem(path, `the file ${from} is empty`)
      else {
        this.variables.set(keyOf(target), this.nameOf(path))
        const lines = content.success.split("\n").filter((line) => line.trim() !== "")
        // A header's value may hold commas.
        set(this.tree, target, secret === "extraHeaders" || secret === "headers" ? lines : lines.join(","))
      }
    }
  }

  // Often set for all programs of a machine: what is said for this one, in whatever way, wins.
  private addSharedVariables(): void {
    for (const [name, field] of shared) {
      const value = this.options.environment[name]?.trim() ?? ""
      if (value === "" || this.has([field]) || this.has([`${field}File`])) continue
      set(this.tree, [field], value)
      this.variables.set(field, name)
    }
  }

  // One problem says it all: what is missing in the gaps is not told as well.
  private fillGaps(): void {
    for (const { field, first, word } of lists) {
      const entries = listAt(this.tree, field)
      const gaps = [...Array.from(entries).entries()].flatMap(([index, found]) => (found === undefined ? [index] : []))
      for (const index of gaps) {
        entries[index] = {}
        const path = [field, index, first]
        const detail = `index ${index} was skipped, number ${word}s from 0 without gaps`
        if (index === gaps[0]) this.problem(path, detail)
        else this.wrong.add(keyOf(path))
      }
    }
  }

  private isOfVariables(path: Path): boolean {
    const prefix = `${keyOf(path.slice(0, 2))}.`
    return Array.from(this.variables.keys()).some((key) => key.startsWith(prefix))
  }

  // By their own names, whatever name they were set by.
  private withoutAliases(): ReadonlyMap<string, { readonly value: string; readonly shown: string }> {
    const found = new Map<string, { readonly value: string; readonly shown: string }>()
    for (const [shown, value] of Object.entries(this.options.environment)) {
      if (value === undefined) continue
      const name = shown.startsWith("CODER_AIBRIDGE_") ? shown.slice("CODER_".length) : shown
      const other = found.get(name)
      if (other === undefined) found.set(name, { value, shown })
      else if (other.value !== value)
        this.problems.push(`${shown}: ${other.shown} says something else, remove one of them`)
    }
    return found
  }

  // Where a variable belongs; `undefined` if it is none of ours, or blank, which is the same as absent.
  private placeOf(name: string, shown: string, value: string): Path | undefined {
    const isBlank = value.trim() === ""
    const [, list = "", index, field = ""] = /^AIBRIDGE_(PROVIDER|MCP)_([^_]*)_?(.*)$/.exec(name) ?? []
    const listed = lists.find(({ variable }) => variable === list)
    if (listed === undefined) {
      if (!name.startsWith("AIBRIDGE_")) return isBlank ? undefined : this.placeOfProxy(name)
      const place = placesOfAll.get(name)
      if (name === "AIBRIDGE_CONFIG") return undefined
      if (place === undefined) this.warnings.push(`ignoring unknown option ${shown} (check for typos)`)
      return isBlank ? undefined : place
    }
    if (isBlank && field !== "KEY" && field !== "KEYS") return undefined
    const place = listed.members.get(field)
    if (index === undefined || !/^(?:0|[1-9]\d{0,3})$/.test(index)) {
      this.problems.push(`${shown}: what follows AIBRIDGE_${list}_ must be a number`)
      return undefined
    }
    if (place !== undefined) return [listed.field, Number(index), ...place]
    this.warnings.push(`ignoring unknown ${listed.word} field ${shown} (check for typos)`)
    return undefined
  }

  // As other programs read them: in lower case first.
  private placeOfProxy(name: string): Path | undefined {
    const place = proxies.get(name.toLowerCase())
    const lower = this.options.environment[name.toLowerCase()]
    const isSecond = name !== name.toLowerCase() && lower !== undefined && lower.trim() !== ""
    return isSecond ? undefined : place
  }
}

/** The name of a setting's variable, without what comes before it. */
export const constantCase = (place: ReadonlyArray<string>): string =>
  place.map((part) => part.replace(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`).toUpperCase()).join("_")

const placesOfAll = new Map(places.all.map((place) => [`AIBRIDGE_${constantCase(place)}`, place]))

const byConstant = (members: ReadonlyArray<ReadonlyArray<string>>) =>
  new Map(members.map((place) => [constantCase(place), place]))

// Settings that there are any number of. `first` is the one that each needs.
const lists = [
  { field: "providers", variable: "PROVIDER", word: "provider", first: "type", members: byConstant(places.provider) },
  { field: "mcpServers", variable: "MCP", word: "MCP server", first: "name", members: byConstant(places.mcpServer) }
]

const isListed = (field: unknown): boolean => lists.some((list) => list.field === field)

const proxies: ReadonlyMap<string, Path> = new Map([
  ["http_proxy", ["httpProxy"]],
  ["https_proxy", ["httpsProxy"]],
  ["no_proxy", ["noProxy"]]
])

// The names that OpenTelemetry has for settings of ours.
const shared: ReadonlyArray<readonly [name: string, field: string]> = [
  ["OTEL_EXPORTER_OTLP_ENDPOINT", "otlpEndpoint"],
  ["OTEL_EXPORTER_OTLP_HEADERS", "otlpHeaders"],
  ["OTEL_SERVICE_NAME", "serviceName"]
]

type Tree = { [name: string]: unknown }

const isTree = (value: unknown): value is Tree => typeof value === "object" && value !== null

const listAt = (tree: Tree, field: string): Array<unknown> => {
  const found = tree[field]
  return Array.isArray(found) ? found : []
}

const keyOf = (path: Path): string => path.join(".")

const get = (tree: unknown, path: Path): unknown =>
  path.reduce<unknown>((above, part) => (isTree(above) && Object.hasOwn(above, part) ? above[part] : undefined), tree)

const set = (tree: Tree, [part = "", ...rest]: Path, value: unknown): void => {
  if (rest.length === 0) return void (tree[part] = value)
  tree[part] ??= typeof rest[0] === "number" ? [] : {}
  const below = tree[part]
  if (isTree(below)) set(below, rest, value)
}

const inFile = (path: Path): string =>
  path.reduce<string>(
    (text, part) => (typeof part === "number" ? `${text}[${part}]` : text === "" ? part : `${text}.${part}`),
    ""
  )

const variableOf = ([first = "", second, ...rest]: Path): string => {
  const list = lists.find(({ field }) => field === first)
  return list !== undefined && typeof second === "number"
    ? ["AIBRIDGE", list.variable, second, ...(rest.length === 0 ? [] : [constantCase(rest.map(String))])].join("_")
    : `AIBRIDGE_${constantCase([first, second, ...rest].filter((part) => typeof part === "string"))}`
}

// A parser's own words may quote what could be a secret: only the place is told.
const parse = (file: string, text: string): Result.Result<Tree, string> => {
  const read = Result.flatMap(parserOf(file), (parser) =>
    Result.mapError(parser(text), (error) => `cannot be read${placeIn(error)}`)
  )
  return Result.flatMap(read, (value) => {
    if (value === null || value === undefined) return Result.succeed({})
    return isTree(value) && !Array.isArray(value)
      ? Result.succeed(value)
      : Result.fail("must hold settings by their names")
  })
}

const parserOf = (file: string): Result.Result<(text: string) => Result.Result<unknown, unknown>, string> => {
  switch (/\.([a-z]+)$/i.exec(file)?.[1]?.toLowerCase()) {
    case "yaml":
    case "yml":
      return Result.succeed((text) => Result.try((): unknown => Yaml.parse(text)))
    case "toml":
      return Result.succeed(Toml.parse)
    case "json":
      return Result.succeed((text) => Result.try((): unknown => JSON.parse(text)))
    default:
      return Result.fail("must end in .yaml, .yml, .toml or .json")
  }
}

const placeIn = (error: unknown): string => {
  const [place] = /\bline \d+(?:,? column \d+)?/i.exec(String(error)) ?? []
  return place === undefined ? "" : ` (${place})`
}
