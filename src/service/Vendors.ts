/** The vendors that a configuration can name. */
import * as Anthropic from "../providers/Anthropic.ts"
import * as Copilot from "../providers/Copilot.ts"
import * as OpenAi from "../providers/OpenAi.ts"

/** By the name that a configuration knows them by. */
export const vendors = {
  anthropic: Anthropic.vendor,
  openai: OpenAi.vendor,
  copilot: Copilot.vendor
}

export type Type = keyof typeof vendors

export const types: ReadonlyArray<string> = Object.keys(vendors)

export const isType = (name: string | undefined): name is Type => name !== undefined && Object.hasOwn(vendors, name)
