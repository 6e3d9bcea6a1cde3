/** The import rule, and what only `main.ts` may do. */
import { assert, describe, it } from "@effect/vitest"
import { globSync, readFileSync } from "node:fs"
import { dirname, join, normalize } from "node:path"
import { fileURLToPath } from "node:url"

const source = fileURLToPath(new URL("../src", import.meta.url))

const files = globSync("**/*.ts", { cwd: source })
  .toSorted()
  .map((path) => ({ path, folder: folderOf(path), text: readFileSync(join(source, path), "utf8") }))

function folderOf(path: string): string {
  return path.includes("/") ? path.slice(0, path.indexOf("/")) : path
}

/** What each folder may import of ours. */
const allowed: Readonly<Record<string, ReadonlyArray<string>>> = {
  domain: [],
  keys: ["domain"],
  dialects: ["domain"],
  record: ["domain"],
  providers: ["domain", "dialects", "keys"],
  inbound: ["domain", "dialects", "providers"],
  upstream: ["domain", "keys", "providers"],
  relay: ["domain", "dialects"],
  tools: ["domain", "dialects", "upstream"],
  "GatewayOptions.ts": ["domain"]
}
const everything = [...Object.keys(allowed), "Gateway.ts"]
const rule: typeof allowed = {
  ...allowed,
  "Gateway.ts": Object.keys(allowed),
  demo: everything,
  testing: everything,
  service: everything,
  "main.ts": ["service", "Commands.ts"],
  "Commands.ts": ["domain", "upstream", "service", "demo"],
  "index.ts": everything
}

const imports = (text: string): ReadonlyArray<string> =>
  Array.from(text.matchAll(/(?:from|import)\s+"([^"]+)"/g), (match) => match[1] ?? "")

describe("The import rule", () => {
  it.each(files)("holds in $path", ({ path, folder, text }) => {
    const wrong = imports(text)
      .filter((name) => name.startsWith("."))
      .map((name) => folderOf(normalize(join(dirname(path), name))))
      .filter((other) => other !== folder && !rule[folder]?.includes(other))

    assert.isDefined(rule[folder], `${folder} has no row in the import rule`)
    assert.deepStrictEqual(wrong, [])
  })

  const platform = new Set(["service", "record", "upstream", "demo", "main.ts", "Commands.ts"])

  it.each(files.filter(({ folder }) => !platform.has(folder)))("keeps Node out of $path", ({ text }) => {
    const wrong = imports(text).filter((name) => name.startsWith("node:") || name.startsWith("@effect/platform-node"))

    assert.deepStrictEqual(wrong, [])
  })

  it.each(files)("uses no barrel of the platform in $path, which would load everything", ({ text }) => {
    assert.notInclude(imports(text), "@effect/platform-node")
  })
})

describe("Only main.ts", () => {
  const edges = /process\.env|Date\.now\(|Math\.random\(|\bconsole\.|Effect\.run\w+\(/

  it.each(files.filter(({ path }) => path !== "main.ts"))("reaches the outside, not $path", ({ text }) => {
    assert.notMatch(text, edges)
  })
})
