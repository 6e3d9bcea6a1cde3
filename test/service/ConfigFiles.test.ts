import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { ConfigFiles } from "../../src/service/ConfigFiles.ts"
import { execFileSync } from "node:child_process"
import { dirname } from "node:path"
import * as TestConfigFile from "./TestConfigFile.ts"

/** Files of which one was read. */
const read = Effect.gen(function* () {
  const file = yield* TestConfigFile.make("first")
  const files = new ConfigFiles()
  const text = files.readFile(file.path)
  return { file, files, text }
})

describe("The files of a configuration", () => {
  it.live("are read, or the code says why not", () =>
    Effect.gen(function* () {
      const { file, files, text } = yield* read

      assert.deepStrictEqual(text, Result.succeed("first"))
      assert.deepStrictEqual(files.readFile(`${file.path}.nothing`), Result.fail("ENOENT"))
    })
  )

  it.live("have not changed while they are as they were read", () =>
    Effect.gen(function* () {
      const { files } = yield* read

      assert.deepStrictEqual([files.haveChanged(), files.haveChanged()], [false, false])
    })
  )

  it.live("have changed once they are other ones for a while", () =>
    Effect.gen(function* () {
      const { file, files } = yield* read
      yield* file.write("second")
      const first = [files.haveChanged(), files.haveChanged()]
      yield* file.write("third, which is longer")

      assert.deepStrictEqual([...first, files.haveChanged(), files.haveChanged()], [false, true, false, true])
    })
  )

  it.live("have changed when one is gone, and when it is back", () =>
    Effect.gen(function* () {
      const { file, files } = yield* read
      yield* file.remove
      const gone = [files.haveChanged(), files.haveChanged()]
      files.forget()
      files.readFile(file.path)
      const still = [files.haveChanged(), files.haveChanged()]
      yield* file.write("back")

      assert.deepStrictEqual(
        [gone, still],
        [
          [false, true],
          [false, false]
        ]
      )
      assert.deepStrictEqual([files.haveChanged(), files.haveChanged()], [false, true])
    })
  )

  it.live("are not read if they are large, or again if somebody has yet to write into them", () =>
    Effect.gen(function* () {
      const { file, files } = yield* read
      const large = yield* file.beside("large", "x".repeat(1024 * 1024 + 1))
      const pipe = `${file.path}.pipe`
      execFileSync("mkfifo", [pipe])
      files.forget()

      assert.deepStrictEqual(files.readFile(large), Result.fail("larger than 1 MiB"))
      assert.deepStrictEqual(files.readFile(pipe), Result.fail("no regular file"))
      assert.deepStrictEqual(files.readFile(dirname(file.path)), Result.fail("EISDIR"))
    })
  )

  it.live("are no more of them than were read last", () =>
    Effect.gen(function* () {
      const { file, files } = yield* read
      files.forget()
      files.readFile(yield* file.beside("other", "text"))
      yield* file.write("second")

      assert.deepStrictEqual([files.haveChanged(), files.haveChanged()], [false, false])
    })
  )
})
