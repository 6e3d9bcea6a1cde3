/** The files of one attempt, written beside it: its request, then its answer as it comes, or why there was none. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { FileHandle } from "node:fs/promises"
import { mkdir, open } from "node:fs/promises"
import { dirname } from "node:path"
import * as Bytes from "../../domain/Bytes.ts"
import type { UpstreamError } from "../../domain/UpstreamError.ts"
import { codeOf } from "../../domain/UpstreamError.ts"
import type { Attempt } from "../ApiDump.ts"
import type { Backlog, Part } from "./Backlog.ts"
import * as DumpText from "./DumpText.ts"
import * as PrettyJson from "./PrettyJson.ts"

/** The system has refused it. */
export class CannotWrite extends Schema.TaggedError<CannotWrite>()("CannotWrite", {
  /** Its short code, such as `ENOSPC`. */
  code: Schema.String
}) {}

/**
 * The request's file, with the directories above it, which only their owner may read.
 *
 * @param stem the path of all files of the attempt, but for their endings
 */
export const writeRequest = Effect.fnUntraced(function* (
  stem: string,
  { request, secret }: Attempt
): Effect.fn.Return<void, CannotWrite> {
  yield* io(() => mkdir(dirname(stem), { recursive: true, mode: 0o700 }))
  const body = request.body === undefined ? [] : yield* pretty(request.body)
  const length = request.body && body.reduce((sum, piece) => sum + piece.length, 0)
  const head = encoder.encode(DumpText.requestHead(request, length, secret))
  yield* writeFile(`${stem}.req.txt`, [head, ...body, lineFeed])
})

/** The files of what comes back, until its end. */
export const writeAnswer = (
  stem: string,
  { secret }: Pick<Attempt, "secret">,
  backlog: Backlog
): Effect.Effect<void, CannotWrite> =>
  Effect.scoped(
    Effect.gen(function* () {
      let file: FileHandle | undefined
      for (let parts = yield* backlog.take; parts.length > 0; parts = yield* backlog.take) {
        const { bytes, failure } = sorted(parts, secret)
        if (bytes.length > 0) {
          const answer = (file ??= yield* create(`${stem}.resp.txt`))
          yield* io(() => answer.writeFile(Bytes.join(bytes)))
          backlog.written(parts)
        }
        if (failure !== undefined) {
          const text = encoder.encode(DumpText.failure(failure))
          yield* writeFile(`${stem}.${file === undefined ? "req" : "resp"}_error.txt`, [text])
        }
      }
    })
  )

// What of an answer belongs in its file, and what in one of its own.
const sorted = (parts: ReadonlyArray<Part>, secret: Attempt["secret"]) => {
  const bytes: Array<Uint8Array> = []
  let failure: UpstreamError | undefined
  for (const part of parts) {
    if (part instanceof Uint8Array) bytes.push(part)
    else if ("reason" in part) failure = part
    else bytes.push(encoder.encode(DumpText.responseHead(part, secret)))
  }
  return { bytes, failure }
}

// In pieces, as a long body would keep all others waiting; as it is if it is not JSON.
const pretty = Effect.fnUntraced(function* (body: Uint8Array): Effect.fn.Return<ReadonlyArray<Uint8Array>> {
  const text = decode(body)
  if (text === undefined) return [body]
  const pieces: Array<Uint8Array> = []
  const printing = PrettyJson.print(text)
  let step = printing.next()
  for (; step.done !== true; step = printing.next()) {
    pieces.push(encoder.encode(step.value))
    yield* Effect.yieldNow
  }
  return step.value ? pieces : [body]
})

// Nobody else may have made the file, nor a link in its place.
const create = (path: string): Effect.Effect<FileHandle, CannotWrite, Scope.Scope> =>
  Effect.acquireRelease(
    io(() => open(path, "wx", 0o600)),
    (file) => Effect.ignore(io(() => file.close()))
  )

const writeFile = (path: string, pieces: ReadonlyArray<Uint8Array>): Effect.Effect<void, CannotWrite> =>
  Effect.scoped(
    Effect.flatMap(create(path), (file) =>
      Effect.forEach(pieces, (piece) => io(() => file.writeFile(piece)), { discard: true })
    )
  )

const io = <A>(run: () => Promise<A>): Effect.Effect<A, CannotWrite> =>
  Effect.tryPromise({ try: run, catch: (error) => new CannotWrite({ code: codeOf(error) }) })

const decode = (bytes: Uint8Array): string | undefined => Result.getOrUndefined(Result.try(() => decoder.decode(bytes)))

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
const lineFeed = encoder.encode("\n")
