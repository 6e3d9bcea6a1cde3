/** The repository's files, and what they say about settings. */
import { assert } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as ServiceConfig from "../../src/service/ServiceConfig.ts"

/** With a slash at its end. */
export const root = fileURLToPath(new URL("../..", import.meta.url))

export const read = (path: string): string => readFileSync(root + path, "utf8")

const Names = Schema.Record(Schema.String, Schema.String)

const Manifest = Schema.Struct({
  name: Schema.String,
  version: Schema.String,
  bin: Schema.Struct({ aibridge: Schema.String }),
  exports: Schema.Record(
    Schema.String,
    Schema.Union([Schema.String, Schema.Struct({ types: Schema.String, default: Schema.String })])
  ),
  scripts: Names,
  dependencies: Names,
  devDependencies: Names
})

export const manifest = Schema.decodeUnknownSync(Manifest)(JSON.parse(read("package.json")))

/** What a text calls a setting of the gateway and is none. */
export const unknownSettings = (text: string): ReadonlyArray<string> =>
  Array.from(text.matchAll(/\bAIBRIDGE_\w+/g), ([name]) => name).filter((name) => {
    const [, field] = /^AIBRIDGE_PROVIDER_\d+_(\w+)$/.exec(name) ?? []
    return field === undefined
      ? !ServiceConfig.variables.all.includes(name)
      : !ServiceConfig.variables.provider.includes(field)
  })

/** The settings that come of these variables, with no other files than these. */
export const settings = (environment: Readonly<Record<string, string>>, files: Readonly<Record<string, string>> = {}) =>
  ServiceConfig.load({ environment, readFile: (path) => Result.fromNullishOr(files[path], () => "ENOENT") })

/** What is in files at these paths, which the examples for tokens and keys name. */
export const exampleFiles = (paths: ReadonlyArray<string>): Readonly<Record<string, string>> =>
  Object.fromEntries(paths.map((path) => [path, path.endsWith("/tokens") ? "ada=first\nci=second\n" : "sk-1\nsk-2\n"]))

/** That settings are those of the examples, with what is in `exampleFiles`, and leave nothing to warn about. */
export const assertExample = ({ tokens, providers, warnings }: ServiceConfig.ServiceConfig): void => {
  assert.deepStrictEqual(warnings, [])
  assert.deepStrictEqual(
    tokens.map(({ name }) => name),
    ["ada", "ci"]
  )
  assert.deepStrictEqual(
    providers.map(({ type, keys }) => [type, keys?.length]),
    [["anthropic", 2]]
  )
}
