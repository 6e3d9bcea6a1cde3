import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Layer, Redacted } from "effect"
import { Anthropic, Authenticator, Gateway, Providers, Recorder, UpstreamUndici } from "effect-aibridge"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { createServer } from "node:http"

const gateway = Gateway.layer.pipe(
  Layer.provide([
    Authenticator.layerTokens([{ name: "ada", token: Redacted.make("a-gateway-token") }]),
    UpstreamUndici.layer(),
    Recorder.layerNoop
  ]),
  Layer.provideMerge(
    Providers.layer([Anthropic.make({ keys: [Redacted.make("sk-ant-first"), Redacted.make("sk-ant-second")] })])
  )
)

const routes = Layer.mergeAll(Gateway.routes, HttpRouter.add("GET", "/hello", HttpServerResponse.text("hello")))

export const serve = (port: number) =>
  HttpRouter.serve(routes, { disableLogger: true }).pipe(
    Layer.provide(gateway),
    Layer.provideMerge(NodeHttpServer.layer(createServer, { port, host: "127.0.0.1" }))
  )
