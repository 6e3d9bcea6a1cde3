/** Options of the reference system that need a word: what they ask for does not happen here. */
import type { Config } from "./ConfigSchema.ts"
import type { ConfigSource } from "./ConfigSource.ts"

/** Refuses to be switched off while it starts, and says what has no effect. */
export const tell = ({ enabled, injectCoderMcpTools }: Config, source: ConfigSource): void => {
  if (enabled === false) {
    source.problem(["enabled"], "is false: to switch the gateway off, do not start it")
  }
  if (injectCoderMcpTools === true) {
    source.warnings.push(
      `ignoring ${source.nameOf(["injectCoderMcpTools"])}: tools come from the servers of mcpServers`
    )
  }
}
