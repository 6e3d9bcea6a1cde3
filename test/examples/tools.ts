import { Effect, Layer, Schema } from "effect"
import { EffectTools, ToolSources } from "effect-aibridge"

const weather = EffectTools.tool({
  name: "weather",
  description: "The weather in a city",
  parameters: Schema.Struct({ city: Schema.String }),
  handler: ({ city }) => Effect.succeed(`It rains in ${city}.`)
})

/** To be provided to `Gateway.layer`; models know the tool as `bmcp_ours_weather`. */
export const tools = Layer.unwrap(
  Effect.map(EffectTools.make({ name: "ours", tools: [weather] }), (source) => ToolSources.layer([source]))
)
