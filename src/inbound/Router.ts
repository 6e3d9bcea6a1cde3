/** Which provider and which of its routes a path means. Exact, on the path as it came: nothing is normalised. */
import * as Result from "effect/Result"
import type { GatewayError } from "../domain/GatewayError.ts"
import * as Refusal from "../domain/GatewayError.ts"
import type { RequestHeaders } from "../domain/HeaderRecord.ts"
import { namedByConnection } from "../domain/HeaderRecord.ts"
import type { Dialect } from "../dialects/Dialect.ts"
import type { Provider } from "../providers/Provider.ts"

export type Route =
  /** `GET` or `HEAD` on the root, a provider's mount point or its prefix: some clients ask whether anybody is there. */
  | { readonly _tag: "Probe" }
  | { readonly _tag: "Bridged"; readonly provider: Provider; readonly dialect: Dialect; readonly path: string }
  | { readonly _tag: "Passthrough"; readonly provider: Provider; readonly path: string }

type ServedRoute = Exclude<Route, { readonly _tag: "Probe" }>

/** A refusal, of which provider, and the dialect to say it in; neither outside all prefixes. */
export interface NoRoute {
  readonly error: GatewayError
  readonly provider: Provider | undefined
  readonly dialect: Dialect | undefined
}

/** What of a request decides where it goes. */
export interface Incoming {
  readonly method: string
  /** The request target with its query; the query does not matter. */
  readonly url: string
  readonly headers: RequestHeaders
}

export interface Router {
  readonly route: (request: Incoming) => Result.Result<Route, NoRoute>
}

/** Routes to the providers of the moment: what is made of them is made again only when they are other ones. */
export const make = (providers: () => ReadonlyArray<Provider>): Router => {
  let known = providers()
  let router = of(known)
  return {
    route: (request) => {
      const served = providers()
      if (served !== known) {
        known = served
        router = of(served)
      }
      return router.route(request)
    }
  }
}

const of = (providers: ReadonlyArray<Provider>): Router => {
  const exact = new Map<string, ServedRoute>()
  const subtrees: Array<{ readonly prefix: string; readonly provider: Provider }> = []
  for (const provider of providers) {
    const prefix = provider.routePrefix
    for (const { path, dialect } of provider.bridgedRoutes) {
      exact.set(prefix + path, { _tag: "Bridged", provider, dialect, path })
    }
    for (const path of provider.passthroughRoutes) {
      if (path.endsWith("/")) subtrees.push({ prefix: prefix + path, provider })
      else exact.set(prefix + path, { _tag: "Passthrough", provider, path })
    }
  }
  const mounts = providers.map((provider) => ({ provider, mount: `/${provider.name}` }))
  const roots = new Set(
    ["/"].concat(mounts.flatMap(({ provider, mount }) => [mount, provider.routePrefix].flatMap((at) => [at, `${at}/`])))
  )

  return {
    route: ({ method, url, headers }) => {
      const path = pathOf(url)
      const route = exact.get(path) ?? subtree(subtrees, path, exact)
      if (route !== undefined) {
        const { provider } = route
        const dialect = route._tag === "Bridged" ? route.dialect : provider.dialect
        if (asksForUpgrade(headers)) return refuse(noUpgrade, provider, dialect)
        return route._tag === "Bridged" && method !== "POST"
          ? refuse(new Refusal.MethodNotAllowed({ method, path, allow: "POST" }), provider, dialect)
          : Result.succeed(route)
      }
      const provider = mounts.find(({ mount }) => path === mount || path.startsWith(`${mount}/`))?.provider
      if (!roots.has(path)) return refuse(new Refusal.RouteNotFound({ method, path }), provider)
      if (asksForUpgrade(headers)) return refuse(noUpgrade, provider)
      return method === "GET" || method === "HEAD"
        ? Result.succeed({ _tag: "Probe" })
        : refuse(new Refusal.MethodNotAllowed({ method, path, allow: "GET, HEAD" }), provider)
    }
  }
}

/** The query of a request target, with its question mark; empty if there is none. */
export const queryOf = (target: string): string => {
  const start = target.indexOf("?")
  return start < 0 ? "" : target.slice(start)
}

const pathOf = (target: string): string => {
  const end = target.indexOf("?")
  return end < 0 ? target : target.slice(0, end)
}

// HTTP/2 in clear text is only offered: the client goes on without (RFC 9110 section 7.8).
const asksForUpgrade = (headers: RequestHeaders): boolean => {
  const protocol = headers["upgrade"]?.trim().toLowerCase()
  return protocol !== undefined && protocol !== "h2c" && namedByConnection(headers).has("upgrade")
}

const noUpgrade = new Refusal.Unsupported({ detail: "WebSocket and other upgrades are not supported, use HTTP" })

const refuse = (
  reason: GatewayError["reason"],
  provider: Provider | undefined,
  dialect = provider?.dialect
): Result.Result<never, NoRoute> => Result.fail({ error: Refusal.make(reason), provider, dialect })

const subtree = (
  subtrees: ReadonlyArray<{ readonly prefix: string; readonly provider: Provider }>,
  path: string,
  exact: ReadonlyMap<string, ServedRoute>
): ServedRoute | undefined => {
  const found = subtrees.find(({ prefix }) => path.startsWith(prefix))
  if (found === undefined || !staysBelow(path.slice(found.prefix.length))) return undefined
  // To many an upstream a final slash means nothing: a bridged route must not be called unread that way.
  if (exact.get(path.slice(0, -1))?._tag === "Bridged") return undefined
  return { _tag: "Passthrough", provider: found.provider, path: path.slice(found.provider.routePrefix.length) }
}

// An upstream may resolve dots, double or encoded slashes, and end a path at "#": none of them may lead out of the subtree.
const staysBelow = (rest: string): boolean =>
  !/[\\#]|%(?:00|25|2f|5c)/i.test(rest) &&
  rest.split("/").every((segment, index, all) => {
    const plain = segment.replace(/%2e/gi, ".").replace(/;.*/, "")
    return plain !== "." && plain !== ".." && (plain !== "" || (segment === "" && index === all.length - 1))
  })
