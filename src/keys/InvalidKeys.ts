/** Keys that no pool can hold. */
import * as Schema from "effect/Schema"
import { fitsHeader } from "../domain/Credential.ts"

export class NoKeys extends Schema.TaggedClass<NoKeys>()("NoKeys", {}) {}

export class TooManyKeys extends Schema.TaggedClass<TooManyKeys>()("TooManyKeys", { count: Schema.Number }) {}

export class DuplicateKey extends Schema.TaggedClass<DuplicateKey>()("DuplicateKey", { index: Schema.Number }) {}

export class MalformedKey extends Schema.TaggedClass<MalformedKey>()("MalformedKey", { index: Schema.Number }) {}

/** A pool that cannot be made. Names the place of a bad key, never the key. */
export class InvalidKeys extends Schema.TaggedError<InvalidKeys>()("InvalidKeys", {
  provider: Schema.String,
  reason: Schema.Union([NoKeys, TooManyKeys, DuplicateKey, MalformedKey])
}) {
  override get message(): string {
    switch (this.reason._tag) {
      case "NoKeys":
        return "no keys provided"
      case "TooManyKeys":
        return `too many keys (${this.reason.count}), maximum is ${maximumKeys}`
      case "DuplicateKey":
        return `duplicate key at index ${this.reason.index}`
      case "MalformedKey":
        return `key at index ${this.reason.index} is empty or has a space, a line break or a character outside ASCII`
    }
  }
}

/** As decided for this product (the reference system takes 5). */
export const maximumKeys = 100

/** Why no pool can hold these keys; `undefined` if one can. */
export const refusal = (keys: ReadonlyArray<string>): InvalidKeys["reason"] | undefined => {
  if (keys.length === 0) return new NoKeys({})
  if (keys.length > maximumKeys) return new TooManyKeys({ count: keys.length })
  const malformed = keys.findIndex((key) => !fitsHeader(key))
  if (malformed >= 0) return new MalformedKey({ index: malformed })
  const duplicate = keys.findIndex((key, index) => keys.indexOf(key) < index)
  return duplicate >= 0 ? new DuplicateKey({ index: duplicate }) : undefined
}
