/** Opens the database of a URL. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Reactivity from "effect/reactivity/Reactivity"
import type * as Scope from "effect/Scope"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { DatabaseUrl } from "./DatabaseUrl.ts"
import * as SqliteClient from "./SqliteClient.ts"

/** Where there is a database. */
export type Address = Exclude<DatabaseUrl, { readonly _tag: "None" }>

/** The driver of Postgres is loaded only here, so that nobody pays for it who does not use it. */
export const open = (address: Address): Effect.Effect<SqlClient, SqlError, Scope.Scope> => {
  switch (address._tag) {
    case "Sqlite":
      return SqliteClient.make({ filename: address.filename })
    case "Postgres":
      return Effect.flatMap(
        Effect.promise(() => import("@effect/sql-pg/PgClient")),
        (PgClient) =>
          Effect.provide(
            PgClient.make({
              url: address.url,
              applicationName: "aibridge",
              connectTimeout: Duration.seconds(5),
              // One writes, the others read or delete.
              maxConnections: 4,
              // The longest prompt must come back, too.
              maxMessageSize: 256 << 20
            }),
            Reactivity.layer
          )
      )
  }
}
