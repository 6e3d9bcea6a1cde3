/**
 * The package as somebody else has it: packed by npm from a copy of the repository and installed by npm in another directory. No
 * registry is asked: the dependencies of `package.json`, and none but those, are links to the ones that are installed here.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Repository from "./Repository.ts"
import * as TestCommand from "./TestCommand.ts"

export class TestPackage extends Context.Service<
  TestPackage,
  {
    /** The paths in the tarball. */
    readonly files: ReadonlyArray<string>
    /** The directory it is installed in. */
    readonly directory: string
    /** The package itself, in that directory. */
    readonly installed: string
  }
>()("test/TestPackage") {}

/** Files of a repository in use that must stay there. */
export const strays: Readonly<Record<string, string>> = {
  ".env": "AIBRIDGE_PROVIDER_0_KEYS=sk-never-packed",
  "aibridge.yaml": "tokens: ada=never-packed",
  "deploy/secrets/anthropic_keys": "sk-never-packed",
  "dist/Removed.js": "// of an earlier build",
  "data/records.db": "never packed"
}

const Packed = Schema.fromJsonString(
  Schema.NonEmptyArray(
    Schema.Struct({ filename: Schema.String, files: Schema.Array(Schema.Struct({ path: Schema.String })) })
  )
)

const make = Effect.gen(function* () {
  const temporary = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "aibridge-package-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
  )
  const repository = join(temporary, "repository")
  const directory = join(temporary, "elsewhere")
  // Nothing of who runs the tests: no configuration, no cache.
  const environment = { HOME: join(temporary, "home") }

  copyRepository(repository)
  // What a script prints comes before what npm does.
  const printed = yield* TestCommand.output("npm", ["pack", "--json", "--offline", "--pack-destination", temporary], {
    directory: repository,
    environment
  })
  const [{ filename, files }] = yield* Schema.decodeEffect(Packed)(printed.slice(printed.search(/^\[$/m)))

  mkdirSync(directory)
  writeFileSync(join(directory, "package.json"), JSON.stringify(dependant(join(temporary, filename))))
  yield* TestCommand.output("npm", ["install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund"], {
    directory,
    environment
  })
  return {
    files: files.map(({ path }) => path),
    directory,
    installed: join(directory, "node_modules", Repository.manifest.name)
  }
})

export const layer: Layer.Layer<TestPackage> = Layer.effect(TestPackage, Effect.orDie(make))

// The build is part of packing, and writes next to what it reads.
const copyRepository = (target: string): void => {
  const left = new Set([".git", "data", "dist", "node_modules"])
  mkdirSync(target)
  for (const name of readdirSync(Repository.root)) {
    if (!left.has(name)) cpSync(Repository.root + name, join(target, name), { recursive: true })
  }
  symlinkSync(`${Repository.root}node_modules`, join(target, "node_modules"))
  for (const [path, text] of Object.entries(strays)) {
    mkdirSync(join(target, path, ".."), { recursive: true })
    writeFileSync(join(target, path), text)
  }
}

/** A package that depends on the tarball. */
const dependant = (tarball: string) => ({
  name: "elsewhere",
  private: true,
  type: "module",
  dependencies: { [Repository.manifest.name]: `file:${tarball}` },
  overrides: Object.fromEntries(
    Object.keys(Repository.manifest.dependencies).map((name) => [name, `file:${Repository.root}node_modules/${name}`])
  )
})
