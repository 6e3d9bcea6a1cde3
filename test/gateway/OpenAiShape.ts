/** What the two dialects of OpenAI have in common: errors and the list of models. */

interface Kind {
  readonly type: string
  readonly code: string | null
}

const kinds: Readonly<Record<number, Kind>> = {
  401: { type: "invalid_request_error", code: "invalid_api_key" },
  405: { type: "invalid_request_error", code: "method_not_supported" },
  429: { type: "rate_limit_error", code: "rate_limit_exceeded" },
  501: { type: "invalid_request_error", code: "unsupported" },
  503: { type: "server_error", code: "service_unavailable" }
}

const kindOf = (status: number): Kind =>
  kinds[status] ??
  (status >= 500 ? { type: "api_error", code: "server_error" } : { type: "invalid_request_error", code: null })

/** The `error` member, as text. */
export const errorMember = (status: number, message: string): string => {
  const { type, code } = kindOf(status)
  return `{"message":${JSON.stringify(message)},"param":null,"type":"${type}","code":${JSON.stringify(code)}}`
}

export const errorText = (status: number, message: string): string => `{"error":${errorMember(status, message)}}`

export const modelsText = JSON.stringify({ object: "list", data: [{ id: "gpt-5.1", object: "model", owned_by: "x" }] })
