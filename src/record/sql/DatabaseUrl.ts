/** The address of the database for records. */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"

export type DatabaseUrl =
  /** Nothing is recorded. */
  | { readonly _tag: "None" }
  | { readonly _tag: "Sqlite"; readonly filename: string }
  | { readonly _tag: "Postgres"; readonly url: Redacted.Redacted }

/** The embedded database that is used if there is no word about any. */
export const byDefault = "sqlite:data/aibridge.db"

/**
 * Reads `none`, `sqlite:<path>` (relative to the working directory) or `postgres://...`. Fails with a sentence that says what
 * is taken and holds nothing of the text, which may hold a password.
 */
export const parse = (text: string): Result.Result<DatabaseUrl, string> => {
  const address = text.trim()
  if (address === "none") return Result.succeed({ _tag: "None" })
  if (/^sqlite:./i.test(address)) {
    // `sqlite:///var/lib/x.db` and `sqlite:/var/lib/x.db` are the same file.
    const filename = address.slice("sqlite:".length).replace(/^\/\/(?=\/)/, "")
    return filename.startsWith("//") ? Result.fail(accepted) : Result.succeed({ _tag: "Sqlite", filename })
  }
  if (/^postgres(ql)?:\/\//i.test(address) && URL.canParse(address)) {
    return Result.succeed({ _tag: "Postgres", url: Redacted.make(address) })
  }
  return Result.fail(accepted)
}

const accepted = "must be sqlite:<path>, postgres://<user>:<password>@<host>:<port>/<database> or none"
