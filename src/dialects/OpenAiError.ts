/** Errors in OpenAI's shape, the same in all of its dialects. */

/** The `error` member of an error answer; OpenAI always has all four. */
export interface OpenAiError {
  readonly message: string
  readonly type: string
  readonly param: null
  readonly code: string | null
}

/** An error with this HTTP status. */
export const make = (status: number, message: string): OpenAiError => ({ message, param: null, ...kind(status) })

/** The JSON text of an error answer. */
export const render = (status: number, message: string): string => JSON.stringify({ error: make(status, message) })

// As OpenAI's own answers have them, where it has such an answer; else the nearest of them.
const kind = (status: number): Pick<OpenAiError, "type" | "code"> => {
  switch (status) {
    case 401:
      return { type: "invalid_request_error", code: "invalid_api_key" }
    case 405:
      return { type: "invalid_request_error", code: "method_not_supported" }
    case 429:
      return { type: "rate_limit_error", code: "rate_limit_exceeded" }
    case 501:
      return { type: "invalid_request_error", code: "unsupported" }
    case 503:
      return { type: "server_error", code: "service_unavailable" }
    default:
      return status >= 500 ? { type: "api_error", code: "server_error" } : { type: "invalid_request_error", code: null }
  }
}
