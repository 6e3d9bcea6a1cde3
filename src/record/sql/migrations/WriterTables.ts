/** The third migration: who writes an interception, and when that process was last seen. Older interceptions have no writer. */
import type { Tables } from "../Migrations.ts"
import * as First from "./FirstTables.ts"

export const statements = (names: Tables): ReadonlyArray<string> => [
  `CREATE TABLE ${names.writers} (
    writer_id TEXT PRIMARY KEY,
    last_seen_at BIGINT NOT NULL
  )`,
  `ALTER TABLE ${names.interceptions} ADD COLUMN writer_id TEXT NOT NULL DEFAULT ''`,
  `${First.index(names.interceptions, "open", "writer_id")} WHERE ended_at IS NULL`
]
