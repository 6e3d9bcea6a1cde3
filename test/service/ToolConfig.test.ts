import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as EffectiveConfig from "../../src/service/EffectiveConfig.ts"
import * as ServiceConfig from "../../src/service/ServiceConfig.ts"

type Files = Readonly<Record<string, string>>

const load = (environment: ServiceConfig.Environment, files: Files = {}) =>
  ServiceConfig.load({
    environment,
    file: Object.keys(files).find((name) => name === "a.yaml"),
    readFile: (path) => Result.fromNullishOr(files[path], () => "ENOENT")
  })

/** The first server's settings, by the end of their variables' names. */
const first = (fields: Readonly<Record<string, string>>): ServiceConfig.Environment => ({
  AIBRIDGE_MCP_0_NAME: "srv",
  AIBRIDGE_MCP_0_URL: "https://mcp.test/mcp",
  ...Object.fromEntries(Object.entries(fields).map(([field, value]) => [`AIBRIDGE_MCP_0_${field}`, value]))
})

const plain = ({ tools }: ServiceConfig.ServiceConfig) =>
  tools.servers.map((server) => ({
    ...server,
    headers: server.headers.map(([name, value]) => [name, Redacted.value(value)])
  }))

const whole = {
  name: "srv",
  url: "https://mcp.test/mcp",
  headers: [
    ["authorization", "Bearer a=b"],
    ["x-two", "2"]
  ],
  allow: ["^get_.{1,3}$"],
  deny: ["all"]
}

const headers = "Authorization=Bearer a=b,X-Two=2"

describe("An MCP server", () => {
  it.effect.each<{ readonly written: string; readonly environment: ServiceConfig.Environment; readonly files?: Files }>(
    [
      { written: "in variables", environment: first({ HEADERS: headers, ALLOW: "^get_.{1,3}$", DENY: "all" }) },
      {
        written: "by the names of the reference system's prefix",
        environment: Object.fromEntries(
          Object.entries(first({ HEADERS: headers, ALLOW: "^get_.{1,3}$", DENY: "all" })).map(([name, value]) => [
            `CODER_${name}`,
            value
          ])
        )
      },
      {
        written: "in variables, its headers in a file",
        environment: first({ HEADERS_FILE: "h", ALLOW: "^get_.{1,3}$", DENY: "all" }),
        files: { h: headers.replace(",", "\n") }
      },
      {
        written: "in the file",
        environment: {},
        files: {
          "a.yaml": `
mcpServers:
  - name: srv
    url: https://mcp.test/mcp
    headers: { Authorization: Bearer a=b, X-Two: "2" }
    allow: ["^get_.{1,3}$"]
    deny: all
`
        }
      }
    ]
  )("may stand $written", ({ environment, files }) =>
    Effect.gen(function* () {
      const config = yield* load(environment, files)

      assert.deepStrictEqual(plain(config), [whole])
      assert.deepStrictEqual(config.warnings, [])
    })
  )

  it.effect("needs no more than a name and a URL, and there may be several", () =>
    Effect.gen(function* () {
      const config = yield* load({
        ...first({}),
        AIBRIDGE_MCP_1_NAME: "other_1",
        AIBRIDGE_MCP_1_URL: "http://127.0.0.1:1/"
      })

      assert.deepStrictEqual(plain(config), [
        { name: "srv", url: "https://mcp.test/mcp", headers: [], allow: [], deny: [] },
        { name: "other_1", url: "http://127.0.0.1:1/", headers: [], allow: [], deny: [] }
      ])
    })
  )

  it.effect.each([
    {
      environment: { AIBRIDGE_MCP_0_URL: "https://mcp.test/mcp" },
      problems: ["AIBRIDGE_MCP_0_NAME: NAME is required"]
    },
    { environment: { AIBRIDGE_MCP_0_NAME: "srv" }, problems: ["AIBRIDGE_MCP_0_URL: URL is required"] },
    {
      environment: first({ URL: "ftp://NEVER-SHOWN" }),
      problems: ["AIBRIDGE_MCP_0_URL: must be a URL, such as https://mcp.example/mcp"]
    },
    {
      environment: first({ NAME: "a b" }),
      problems: ["AIBRIDGE_MCP_0_NAME: must be at most 32 letters of a to z, digits, hyphens and underscores"]
    },
    {
      environment: first({ ALLOW: "NEVER-SHOWN(" }),
      problems: ["AIBRIDGE_MCP_0_ALLOW: entry at index 0 is no regular expression"]
    },
    {
      environment: first({ HEADERS: "x-key=NEVER-SHOWN,host=NEVER-SHOWN" }),
      problems: ["AIBRIDGE_MCP_0_HEADERS: entry at index 1 sets host, which belongs to the message itself"]
    },
    {
      environment: { ...first({}), AIBRIDGE_MCP_1_NAME: "srv", AIBRIDGE_MCP_1_URL: "https://mcp.test/2" },
      problems: [`AIBRIDGE_MCP_1_NAME: duplicate NAME "srv", AIBRIDGE_MCP_0 has it too`]
    },
    {
      environment: { AIBRIDGE_MCP_1_NAME: "srv", AIBRIDGE_MCP_1_URL: "https://mcp.test/2" },
      problems: ["AIBRIDGE_MCP_0_NAME: index 0 was skipped, number MCP servers from 0 without gaps"]
    },
    {
      environment: { AIBRIDGE_MCP_A_NAME: "srv" },
      problems: ["AIBRIDGE_MCP_A_NAME: what follows AIBRIDGE_MCP_ must be a number"]
    }
  ])("that is wrong is refused: $problems.0", ({ environment, problems }) =>
    Effect.gen(function* () {
      const refused = yield* Effect.flip(load(environment))

      assert.deepStrictEqual(refused.problems, problems)
      assert.notInclude(refused.message, "NEVER-SHOWN")
    })
  )

  it.effect("gets a warning for a field that there is not", () =>
    Effect.gen(function* () {
      const { warnings } = yield* load(first({ ALLOWED: "a" }))

      assert.deepStrictEqual(warnings, ["ignoring unknown MCP server field AIBRIDGE_MCP_0_ALLOWED (check for typos)"])
    })
  )
})

describe("The effective configuration of tools", () => {
  it.effect("shows limits and servers, and no secret", () =>
    Effect.gen(function* () {
      const config = yield* load({
        ...first({
          URL: "https://user:never-shown@mcp.test/mcp?key=never-shown",
          HEADERS: "x-key=key-never-shown-000001",
          DENY: "a,b"
        }),
        AIBRIDGE_TOOL_ITERATIONS: "3",
        AIBRIDGE_TOOL_TIMEOUT: "5s",
        AIBRIDGE_TOOL_RESULT_SIZE: "64KiB"
      })

      const { iterations, timeout, resultSize } = config.tools
      const lines = EffectiveConfig.render(EffectiveConfig.mask(config))

      assert.deepStrictEqual([iterations, timeout, resultSize], [3, Duration.seconds(5), 65_536])
      for (const line of [
        "toolIterations: 3",
        "toolTimeout: 5s",
        "toolResultSize: 65536",
        "mcpServers[0]",
        "  name: srv",
        "  url: https://...@mcp.test/mcp?...",
        "  headers: x-key=key-...0001",
        "  allow: all",
        "  deny: a,b"
      ]) {
        assert.include(lines, line)
      }
      assert.notInclude(lines.join("\n"), "never-shown")
    })
  )
})
