/** The tools of an MCP server that is a process of its own, on standard input and output. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as ChildProcess from "effect/process/ChildProcess"
import * as Schedule from "effect/Schedule"
import { fileURLToPath } from "node:url"
import * as McpToolSource from "../../src/tools/McpToolSource.ts"
import type { ToolSource } from "../../src/tools/ToolSource.ts"
import * as TestMcp from "./TestMcp.ts"

const script = fileURLToPath(new URL("./StdioServer.ts", import.meta.url))

const source = (file = script) =>
  Effect.provide(
    McpToolSource.makeStdio({
      name: "local",
      command: ChildProcess.make(process.execPath, [file]),
      retry: Schedule.spaced("20 millis")
    }),
    NodeServices.layer
  )

const call = (of: ToolSource, name: string, args: unknown) => {
  const found = of.tools().find((tool) => tool.name === name)
  return found === undefined ? Effect.die(new Error(`no ${name}`)) : found.call(args)
}

const textOf = ({ content }: { readonly content: ReadonlyArray<unknown> }): string => String(Object(content[0]).text)

describe("A server that is a process", () => {
  it.live("has its tools listed and called", () =>
    Effect.gen(function* () {
      const local = yield* source()
      yield* TestMcp.hasTools(local)

      assert.deepStrictEqual(
        local.tools().map(({ name }) => name),
        ["crash", "echo"]
      )
      assert.match(textOf(yield* call(local, "echo", { a: 1 })), /^\d+ {"a":1}$/)
      assert.isUndefined(local.url)
    })
  )

  it.live("is started again when it has ended, which the call that it ended with says", () =>
    Effect.gen(function* () {
      const local = yield* source()
      yield* TestMcp.hasTools(local)
      const before = textOf(yield* call(local, "echo", {}))

      const { message } = yield* Effect.flip(call(local, "crash", {}))

      assert.include(message, "server local")
      const again = call(local, "echo", {}).pipe(
        Effect.retry({ schedule: Schedule.spaced("20 millis"), times: 400 }),
        Effect.map(textOf)
      )
      assert.notStrictEqual(yield* again, before)
    })
  )

  it.live("is ended with its source", () =>
    Effect.gen(function* () {
      const pid = yield* Effect.scoped(
        Effect.gen(function* () {
          const local = yield* source()
          yield* TestMcp.hasTools(local)
          return Number.parseInt(textOf(yield* call(local, "echo", {})), 10)
        })
      )

      assert.throws(() => process.kill(pid, 0))
    })
  )

  it.live("that does not start stops nothing, and is told of once", () => {
    const lines: Array<string> = []
    const kept = Logger.layer([Logger.make(({ message }) => lines.push(String(message)))])
    return Effect.gen(function* () {
      const local = yield* source(`${script}.nothing`)
      yield* TestMcp.until(() => lines.length > 0)
      yield* Effect.sleep("200 millis")

      assert.deepStrictEqual(local.tools(), [])
      assert.lengthOf(lines, 1)
      assert.match(lines[0] ?? "", /^MCP server local cannot be used: /)
    }).pipe(Effect.provide(kept))
  })
})
