/** The simulated OpenAI and, on the same routes without keys, the simulated Copilot. */
import { bearerToken } from "../providers/CredentialHeader.ts"
import * as SimulatedChat from "./SimulatedChat.ts"
import * as SimulatedKeys from "./SimulatedKeys.ts"
import * as SimulatedResponses from "./SimulatedResponses.ts"
import type { SimulatedVendor } from "./SimulatedVendor.ts"
import { asksForStream, created, events, json, modelOf } from "./SimulatedVendor.ts"

export const vendor: SimulatedVendor = {
  name: "openai",
  type: "openai",
  path: "/openai/v1",
  keys: ["sk-simulated-openai-primary-1001", "sk-simulated-openai-second-1002", "sk-simulated-openai-third-1003"],
  credential: ({ headers }) => bearerToken(headers.authorization),
  refused: json(401, error("invalid_request_error", "Incorrect API key provided.", "invalid_api_key")),
  limited: json(429, error("requests", "This key is over its limit.", "rate_limit_exceeded"), SimulatedKeys.retryAfter),
  answer: ({ route, body }) => {
    switch (route) {
      case "POST /chat/completions":
        return asksForStream(body)
          ? events(SimulatedChat.stream(modelOf(body), SimulatedChat.asksForUsage(body)))
          : json(200, SimulatedChat.completion(modelOf(body)))
      case "POST /responses":
        return asksForStream(body)
          ? events(SimulatedResponses.stream(modelOf(body)))
          : json(200, SimulatedResponses.response(modelOf(body)))
      case `GET /responses/${SimulatedResponses.id}`:
        return json(200, SimulatedResponses.response(someModel))
      case "GET /models":
        return json(200, { object: "list", data: [model(someModel)] })
      default:
        return named(route)
    }
  }
}

export const copilot: SimulatedVendor = {
  ...vendor,
  name: "copilot",
  type: "copilot",
  path: "/copilot",
  keys: undefined
}

const someModel = "gpt-simulated"

const model = (id: string) => ({ id, object: "model", created, owned_by: "simulated" })

// Any model can be asked for, so there is none that does not exist.
const named = (route: string) => {
  const [, id] = /^GET \/models\/([^/]+)$/.exec(route) ?? []
  return id === undefined ? json(404, error("invalid_request_error", `Invalid URL (${route})`)) : json(200, model(id))
}

function error(type: string, message: string, code: string | null = null) {
  return { error: { message, type, param: null, code } }
}
