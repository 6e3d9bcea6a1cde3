// The scripted upstream, a program of its own: an Anthropic-like server that spends as little as it can on each answer.
import * as Http from "node:http"
import * as Script from "./Script.ts"

const burstWrites = 10
const pace = 1000 / Script.eventsPerSecond

/** One HTTP chunk per event, as providers send them; framed once, so that a group of events is one write. */
const chunk = (event: Buffer) =>
  Buffer.concat([Buffer.from(`${event.length.toString(16)}\r\n`), event, Buffer.from("\r\n")])

const chunks = Script.events.map(chunk)
const burstSize = Math.ceil(chunks.length / burstWrites)
const bursts = Array.from({ length: burstWrites }, (_, index) =>
  Buffer.concat(chunks.slice(index * burstSize, (index + 1) * burstSize))
)

const burst = (response: Http.ServerResponse) => {
  let next = 0
  const write = () => {
    const group = bursts[next++]
    if (group === undefined || response.socket === null) {
      response.end()
    } else if (response.socket.write(group)) {
      setImmediate(write)
    } else {
      response.socket.once("drain", write)
    }
  }
  write()
}

let streams = 0

/** Streams get different phases, so that they do not all tick in the same millisecond. */
const nextPhase = () => (++streams * 0.618_034 * pace) % pace

const paced = (response: Http.ServerResponse) => {
  const start = performance.now() + nextPhase()
  let next = 0
  let timer: NodeJS.Timeout | undefined
  const write = () => {
    const event = chunks[next++]
    if (event === undefined || response.socket === null) {
      response.end()
    } else {
      response.socket.write(event)
      timer = setTimeout(write, Math.max(1, start + next * pace - performance.now()))
    }
  }
  response.once("close", () => clearTimeout(timer))
  write()
}

const answer = (kind: Script.Kind, response: Http.ServerResponse) => {
  if (kind === "blocking" || kind === "tools") {
    const body = kind === "blocking" ? Script.blockingAnswer : Script.toolAnswer
    response.writeHead(200, { "content-type": "application/json", "content-length": body.length })
    response.end(body)
    return
  }
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" })
  if (kind === "idle") {
    response.write(Script.messageStart)
    return
  }
  response.flushHeaders()
  if (kind === "burst") {
    burst(response)
  } else {
    paced(response)
  }
}

const refuse = (response: Http.ServerResponse, status: number, why: string) => {
  response.writeHead(status, { "content-type": "text/plain" })
  response.end(why)
}

const server = Http.createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  request.resume()
  request.once("end", () => {
    const kind = request.headers[Script.kindHeader]
    if (request.url === "/") {
      refuse(response, 200, "ready")
    } else if (request.method !== "POST" || request.url !== "/v1/messages") {
      refuse(response, 404, `the upstream has no ${request.method} ${request.url}`)
    } else if (!String(request.headers["x-api-key"]).startsWith("sk-bench-key-")) {
      refuse(response, 401, "the request reached the upstream without a key of the pool")
    } else if (Script.isKind(kind)) {
      answer(kind, response)
    } else {
      refuse(response, 400, `the request reached the upstream without its ${Script.kindHeader} header`)
    }
  })
})

server.listen(Number(process.env["BENCH_PORT"]), "127.0.0.1")
