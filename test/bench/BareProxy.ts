// The bare proxy, a program of its own and the yardstick: `node:http` and undici's `dispatch`, and only what a correct relay needs.
import * as Http from "node:http"
import { Agent, type Dispatcher } from "@effect/platform-node/Undici"

const origin = String(process.env["BENCH_UPSTREAM"])
const key = "sk-bench-key-one"
const mount = "/anthropic"

const agent = new Agent({ headersTimeout: 600_000, bodyTimeout: 600_000 })

const hopByHop = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade"
])

/** These belong to this proxy's own request: undici writes the first three, and the credential is replaced. */
const replaced = new Set(["host", "content-length", "expect", "x-api-key", "authorization"])

const endToEnd = (headers: Http.IncomingHttpHeaders): Record<string, string | Array<string>> => {
  const named = headers.connection?.toLowerCase().split(/\s*,\s*/)
  const kept: Record<string, string | Array<string>> = {}
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined && !hopByHop.has(name) && !named?.includes(name)) {
      kept[name] = value
    }
  }
  return kept
}

const requestHeaders = (headers: Http.IncomingHttpHeaders) => {
  const kept = endToEnd(headers)
  for (const name of replaced) {
    delete kept[name]
  }
  kept["x-api-key"] = key
  return kept
}

const relay = (request: Http.IncomingMessage, path: string, body: Buffer, response: Http.ServerResponse) => {
  let exchange: Dispatcher.DispatchController | undefined
  let isGone = false
  response.on("drain", () => exchange?.resume())
  response.on("close", () => {
    isGone = true
    if (!response.writableFinished) {
      exchange?.abort(new Error("the client left"))
    }
  })
  agent.dispatch(
    { origin, path, method: "POST", headers: requestHeaders(request.headers), body },
    {
      onRequestStart(controller) {
        exchange = controller
        if (isGone) {
          controller.abort(new Error("the client left"))
        }
      },
      onResponseStart(_controller, status, headers) {
        response.writeHead(status, endToEnd(headers))
      },
      onResponseData(controller, chunk) {
        if (!response.write(chunk)) {
          controller.pause()
        }
      },
      onResponseEnd() {
        response.end()
      },
      onResponseError(_controller, error) {
        if (response.headersSent) {
          response.destroy()
        } else {
          response.writeHead(502, { "content-type": "text/plain" })
          response.end(error.message)
        }
      }
    }
  )
}

const server = Http.createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const url = request.url ?? "/"
  if (request.method !== "POST" || !url.startsWith(`${mount}/`)) {
    response.writeHead(url === "/" ? 200 : 404)
    response.end()
    return
  }
  const body: Array<Buffer> = []
  request.on("data", (chunk: Buffer) => body.push(chunk))
  request.on("end", () => relay(request, url.slice(mount.length), Buffer.concat(body), response))
})

server.listen(Number(process.env["BENCH_PORT"]), "127.0.0.1")
