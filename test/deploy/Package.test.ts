import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { accessSync, constants, copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import * as TestHttp from "../service/TestHttp.ts"
import * as Repository from "./Repository.ts"
import * as TestCommand from "./TestCommand.ts"
import * as TestPackage from "./TestPackage.ts"

const { bin, exports, name, version } = Repository.manifest

/** What an embedder imports, by its specifier. */
const entries = Object.entries(exports).flatMap(([path, entry]) =>
  typeof entry === "string" ? [] : [{ specifier: name + path.slice(1), ...entry }]
)

/** What a built module imports, statically or not. */
const imports = /^(?:import\b|export\b|\})[^"\n]* from "([^"]+)"|^import "([^"]+)"|\bimport\("([^"]+)"\)/gm

/** The package that a specifier leads to. */
const packageOf = (path: string) => /^(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? path

// A busy machine takes its time to build, to pack and to install.
describe("The package", { timeout: 60_000 }, () => {
  layer(TestPackage.layer, { timeout: "60 seconds", excludeTestServices: true })((it) => {
    it.effect("holds what is built, its source and what is read first, and nothing else", () =>
      Effect.gen(function* () {
        const { files } = yield* TestPackage.TestPackage

        const expected = /^(?:(?:dist|src)\/|(?:README\.md|LICENSE|package\.json)$)/
        assert.deepStrictEqual(
          files.filter((path) => !expected.test(path)),
          []
        )
        assert.includeMembers(Array.from(files), [
          "README.md",
          "LICENSE",
          "package.json",
          "dist/main.js",
          "src/main.ts"
        ])
        assert.deepStrictEqual(
          files.filter((path) => path in TestPackage.strays || /\.test\.|(?:^|\/)test\//.test(path)),
          []
        )
      })
    )

    it.effect("has the source of each built file, and each built file of its source", () =>
      Effect.gen(function* () {
        const { files } = yield* TestPackage.TestPackage
        const modules = (pattern: RegExp) =>
          files.map((path) => pattern.exec(path)?.[1]).filter((path) => path !== undefined)

        const sources = modules(/^src\/(.*)\.ts$/)

        assert.isNotEmpty(sources)
        assert.sameMembers(modules(/^dist\/(.*)\.js$/), sources)
        assert.sameMembers(modules(/^dist\/(.*)\.d\.ts$/), sources)
      })
    )

    it.effect("has a program that the system can start", () =>
      Effect.gen(function* () {
        const { installed } = yield* TestPackage.TestPackage
        const main = join(installed, bin.aibridge)

        assert.match(readFileSync(main, "utf8"), /^#!\/usr\/bin\/env node\n/)
        assert.doesNotThrow(() => accessSync(main, constants.X_OK))
      })
    )

    it.effect("resolves all its exports, each with types", () =>
      Effect.gen(function* () {
        const { directory, installed } = yield* TestPackage.TestPackage
        const lines = entries.map(({ specifier }) => `assert(Object.keys(await import("${specifier}")).length > 0)`)
        lines.push(
          `assert((await import("${name}/package.json", { with: { type: "json" } })).default.name === "${name}")`
        )

        const script = [`import assert from "node:assert"`, ...lines].join("\n")
        yield* TestCommand.output(process.execPath, ["--input-type=module", "--eval", script], { directory })

        assert.isNotEmpty(entries)
        for (const { types } of entries) assert.isTrue(existsSync(join(installed, types)), types)
      })
    )

    it.effect("imports nothing but Node and its dependencies", () =>
      Effect.gen(function* () {
        const { files, installed } = yield* TestPackage.TestPackage
        const imported = files
          .filter((path) => /^dist\/.*\.(?:js|d\.ts)$/.test(path))
          .flatMap((path) => Array.from(readFileSync(join(installed, path), "utf8").matchAll(imports)))
          .map(([, from, alone, later]) => from ?? alone ?? later ?? "")

        const packages = new Set(imported.filter((found) => !/^(?:\.|node:)/.test(found)).map(packageOf))

        assert.sameMembers(Array.from(packages), Object.keys(Repository.manifest.dependencies))
      })
    )

    it.effect("is what README's embedding examples compile against", () =>
      Effect.gen(function* () {
        const { directory } = yield* TestPackage.TestPackage
        const examples = ["embedding.ts", "vendor.ts"]
        for (const file of examples) copyFileSync(`${Repository.root}test/examples/${file}`, join(directory, file))
        const names = entries.map(({ specifier }, index) => `import * as Entry${index} from "${specifier}"`)
        const used = `export const entries = [${entries.map((_, index) => `Entry${index}`).join(", ")}]`
        writeFileSync(join(directory, "entries.ts"), [...names, used, ""].join("\n"))
        const compilerOptions = {
          target: "es2024",
          lib: ["es2024"],
          module: "nodenext",
          strict: true,
          skipLibCheck: true,
          noEmit: true,
          types: ["node"],
          typeRoots: [`${Repository.root}node_modules/@types`]
        }
        writeFileSync(
          join(directory, "tsconfig.json"),
          JSON.stringify({ compilerOptions, files: [...examples, "entries.ts"] })
        )

        const tsc = `${Repository.root}node_modules/typescript/bin/tsc`
        const { code, output } = yield* TestCommand.run(process.execPath, [tsc, "--pretty", "false"], { directory })

        assert.deepStrictEqual({ code, output }, { code: 0, output: "" })
      })
    )

    it.effect("is found by npx", () =>
      Effect.gen(function* () {
        const { directory } = yield* TestPackage.TestPackage
        const environment = { HOME: directory }

        const printed = yield* TestCommand.output("npx", ["--offline", "--no", "aibridge", "--", "--version"], {
          directory,
          environment
        })

        assert.include(printed, version)
      })
    )

    it.effect("serves, and ends with 0 by SIGTERM", () =>
      Effect.gen(function* () {
        const { directory } = yield* TestPackage.TestPackage

        const aibridge = yield* TestCommand.start(join(directory, "node_modules/.bin/aibridge"), ["serve"], {
          directory,
          environment: { AIBRIDGE_PORT: "0", AIBRIDGE_ADMIN_PORT: "0", AIBRIDGE_DATABASE_URL: "none" }
        })
        const url = yield* aibridge.says(/listens on (\S+)/)
        const answer = yield* TestHttp.send(url, { body: TestHttp.message() })
        const text = yield* answer.text
        yield* aibridge.signal("SIGTERM")
        const { code, errors } = yield* aibridge.ended

        assert.strictEqual(answer.status, 200)
        assert.include(text, `"type":"message"`)
        assert.deepStrictEqual({ code, errors }, { code: 0, errors: "" })
      })
    )
  })
})
