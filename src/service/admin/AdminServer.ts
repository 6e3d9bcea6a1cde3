/** Serves the admin API, on a port of its own. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import type * as HttpServer from "effect/http/HttpServer"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as Layer from "effect/Layer"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import * as Duration from "effect/Duration"
import * as Redacted from "effect/Redacted"
import { createHash, timingSafeEqual } from "node:crypto"
import { createServer } from "node:http"
import { comesFromElsewhere } from "../../inbound/Authenticator.ts"
import { hint as hintOf } from "../../domain/Credential.ts"
import type { Drain } from "../../inbound/Drain.ts"
import type { Key } from "../../keys/Key.ts"
import type { KeyPool } from "../../keys/KeyPool.ts"
import type { Provider } from "../../providers/Provider.ts"
import { Providers } from "../../providers/Providers.ts"
import type { Interceptions } from "../../record/Interceptions.ts"
import { CircuitBreakers } from "../../upstream/CircuitBreakers.ts"
import type { AdminConfig } from "../AdminConfig.ts"
import * as EffectiveConfig from "../EffectiveConfig.ts"
import type { CannotListen } from "../NodeServer.ts"
import * as NodeServer from "../NodeServer.ts"
import { Reload } from "../Reload.ts"
import * as AdminApi from "./AdminApi.ts"
import * as RecordsServer from "./RecordsServer.ts"
import * as Report from "./Report.ts"

export interface Options {
  readonly admin: AdminConfig
  readonly version: string
  readonly nodeVersion: string
  readonly drain: Drain
  /** Whether the gateway can be reached by now. */
  readonly isListening: () => boolean
  /** Whether it takes requests as far as recording them goes. */
  readonly canRecord: () => boolean
}

/** Listens as long as the layer lives. Provides where it does. */
export const layer = (
  options: Options
): Layer.Layer<HttpServer.HttpServer, CannotListen, Providers | CircuitBreakers | Reload | Interceptions> => {
  const { host, port } = options.admin
  const server = NodeServer.layer(
    createServer({ requestTimeout: 10_000, headersTimeout: 10_000, keepAliveTimeout: 75_000 }),
    { host, port, setting: "AIBRIDGE_ADMIN_PORT" },
    Duration.millis(500)
  )
  const routes = HttpApiBuilder.layer(AdminApi.AdminApi, { openapiPath: "/openapi.json" }).pipe(
    Layer.provide([health(options), operations(options), RecordsServer.layer]),
    Layer.provide(authorization(options.admin))
  )
  return HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true, middleware: logged }).pipe(
    Layer.provide(NodeHttpServer.layerHttpServices),
    Layer.provideMerge(server),
    Layer.fresh
  )
}

// A defect is answered with a bare 500: the log has it.
const logged = Effect.tapDefect((defect) => Effect.logError("admin request failed by a defect", Cause.die(defect)))

const health = ({ drain, isListening, canRecord }: Options) =>
  HttpApiBuilder.group(AdminApi.AdminApi, "health", (handlers) =>
    Effect.map(Reload, (reload) =>
      handlers.handleAll({
        live: () => Effect.succeed({ status: "alive" } as const),
        ready: () => {
          const refused = Report.refusedReload(reload.last())
          if (drain.isDraining()) return Effect.fail(new AdminApi.NotReady({ status: "draining", ...refused }))
          if (!isListening()) return Effect.fail(new AdminApi.NotReady({ status: "starting", ...refused }))
          return canRecord()
            ? Effect.succeed({ status: "ready", ...refused } as const)
            : Effect.fail(new AdminApi.NotReady({ status: "cannot record", ...refused }))
        }
      })
    )
  )

const operations = ({ version, nodeVersion }: Options) =>
  HttpApiBuilder.group(
    AdminApi.AdminApi,
    "operations",
    Effect.fnUntraced(function* (handlers) {
      const reload = yield* Reload
      const providers = yield* Providers
      const breakers = yield* CircuitBreakers
      return handlers.handleAll({
        version: () => Effect.succeed({ version, node: nodeVersion }),
        metrics: () => PrometheusMetrics.format(),
        config: () => Effect.sync(() => EffectiveConfig.mask(reload.config())),
        pools: () => Effect.forEach(providers.all(), Report.pool),
        reset: ({ params }) => changeKey(providers.all(), params, (pool, key) => pool.reset(key), "key reset"),
        disable: ({ params }) => changeKey(providers.all(), params, (pool, key) => pool.disable(key), "key disabled"),
        breakers: () => Effect.map(breakers.circuits, (circuits) => circuits.map(Report.breaker)),
        reload: () =>
          Effect.flatMap(reload.reload("admin API"), (outcome) =>
            outcome._tag === "Applied"
              ? Effect.succeed(outcome)
              : Effect.fail(new AdminApi.ReloadRefused({ problems: outcome.problems }))
          )
      })
    })
  )

const changeKey = Effect.fnUntraced(function* (
  providers: ReadonlyArray<Provider>,
  params: { readonly provider: string; readonly key: string },
  change: (pool: KeyPool, key: Key) => Effect.Effect<boolean>,
  said: string
) {
  const { pool, key } = yield* findKey(providers, params)
  const isChanged = yield* change(pool, key)
  if (isChanged) {
    const facts = { provider: pool.provider, api_key_hint: key.hint }
    yield* Effect.annotateLogs(Effect.logInfo(`${said} by an operator`), facts)
  }
  const statuses = yield* pool.statuses
  return Report.key(pool, key, statuses[key.index])
})

const missing = (message: string) => Effect.fail(new AdminApi.NoSuchKey({ message }))

const findKey = (
  providers: ReadonlyArray<Provider>,
  { provider: name, key: named }: { readonly provider: string; readonly key: string }
): Effect.Effect<{ readonly pool: KeyPool; readonly key: Key }, AdminApi.NoSuchKey | AdminApi.AmbiguousKey> => {
  const provider = providers.find((each) => each.name === name)
  if (provider === undefined) {
    return missing(`there is no provider "${name}", only ${providers.map((each) => each.name).join(", ")}`)
  }
  const { pool } = provider.keyFailover
  // Whoever has given the key itself must not read it in a log.
  const isShort = named.length <= 8
  const shown = isShort || /^[^.]{0,4}\.{3}[^.]{0,4}$|^\d{1,3}$/.test(named) ? named : hintOf(named)
  if (pool === undefined) return missing(`provider "${name}" has no keys: callers bring their own`)
  const found = /^\d{1,3}$/.test(named)
    ? pool.keys.slice(Number(named)).slice(0, 1)
    : pool.keys.filter(({ hint }) => hint === named)
  const [key, ...others] = found
  if (key === undefined) {
    return missing(`provider "${name}" has no key "${shown}", only ${pool.keys.map(({ hint }) => hint).join(", ")}`)
  }
  return others.length === 0
    ? Effect.succeed({ pool, key })
    : Effect.fail(
        new AdminApi.AmbiguousKey({
          message: `several keys of "${name}" look like ${named}: name it by its place, ${found.map(({ index }) => index).join(" or ")}`
        })
      )
}

// Open without a token, as the address is then one that only this machine can reach: but not to web pages.
const authorization = ({ token }: AdminConfig): Layer.Layer<AdminApi.AdminAuthorization> =>
  Layer.succeed(AdminApi.AdminAuthorization, {
    bearer: (handled, { credential }) =>
      Effect.andThen(
        Effect.flatMap(
          HttpServerRequest,
          ({ headers }): Effect.Effect<void, AdminApi.NoAdminToken | AdminApi.ForeignPage> => {
            if (token !== undefined) return isSame(credential, token) ? Effect.void : Effect.fail(noToken)
            return comesFromElsewhere(headers) || headers["origin"] !== undefined
              ? Effect.fail(foreignPage)
              : Effect.void
          }
        ),
        handled
      )
  })

const noToken = new AdminApi.NoAdminToken({
  message: "the admin token is missing or wrong: send AIBRIDGE_ADMIN_TOKEN in Authorization (Bearer)"
})

const foreignPage = new AdminApi.ForeignPage({
  message: "web pages may not use an admin API that is open without a token: set AIBRIDGE_ADMIN_TOKEN"
})

// Hashes have the same length, and comparing them tells nothing of how far the two are alike.
const isSame = (one: Redacted.Redacted<string>, other: Redacted.Redacted<string>): boolean =>
  timingSafeEqual(sha256(one), sha256(other))

const sha256 = (secret: Redacted.Redacted<string>): Buffer =>
  createHash("sha256").update(Redacted.value(secret)).digest()
