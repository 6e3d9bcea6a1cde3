/** Which provider and which of its routes a path means. Exact, on the path as it came: nothing is normalised. */
import * as Result from "effect/Result"
import type { GatewayError } from "../domain/GatewayError.ts"
import * as Refusal from "../domain/GatewayError.ts"
import type { Dialect } from "../dialects/Dialect.ts"
import type { Provider } from "../providers/Provider.ts"

export type Route =
  /** `GET` or `HEAD` on the root or a provider's prefix: some clients ask whether anybody is there. */
  | { readonly _tag: "Probe" }
  | { readonly _tag: "Bridged"; readonly provider: Provider; readonly dialect: Dialect; readonly path: string }
  | { readonly _tag: "Passthrough"; readonly provider: Provider; readonly path: string }

/** A refusal and the dialect to say it in; none outside all prefixes. */
export interface NoRoute {
  readonly error: GatewayError
  readonly dialect: Dialect | undefined
}

export interface Router {
  /** `target` is a request target with its query; the query does not matter. */
  readonly route: (method: string, target: string) => Result.Result<Route, NoRoute>
}

export const make = (providers: ReadonlyArray<Provider>): Router => {
  const exact = new Map<string, Route>()
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
  const roots = new Set(["/", ...providers.flatMap(({ routePrefix }) => [routePrefix, routePrefix + "/"])])

  return {
    route: (method, target) => {
      const path = pathOf(target)
      const route = exact.get(path) ?? subtree(subtrees, path)
      if (route !== undefined) {
        return route._tag === "Bridged" && method !== "POST"
          ? refuse(new Refusal.MethodNotAllowed({ method, path, allow: "POST" }), route.dialect)
          : Result.succeed(route)
      }
      const provider = providers.find(({ routePrefix }) => path === routePrefix || path.startsWith(routePrefix + "/"))
      if (!roots.has(path)) return refuse(new Refusal.RouteNotFound({ method, path }), provider?.dialect)
      return method === "GET" || method === "HEAD"
        ? Result.succeed({ _tag: "Probe" })
        : refuse(new Refusal.MethodNotAllowed({ method, path, allow: "GET, HEAD" }), provider?.dialect)
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

const refuse = (reason: GatewayError["reason"], dialect: Dialect | undefined): Result.Result<never, NoRoute> =>
  Result.fail({ error: Refusal.make(reason), dialect })

const subtree = (
  subtrees: ReadonlyArray<{ readonly prefix: string; readonly provider: Provider }>,
  path: string
): Route | undefined => {
  const found = subtrees.find(({ prefix }) => path.startsWith(prefix))
  if (found === undefined || !staysBelow(path.slice(found.prefix.length))) return undefined
  return { _tag: "Passthrough", provider: found.provider, path: path.slice(found.provider.routePrefix.length) }
}

// An upstream may resolve dots, double or encoded slashes: none of them may lead out of the subtree.
const staysBelow = (rest: string): boolean =>
  !/\\|%(?:00|25|2f|5c)/i.test(rest) &&
  rest.split("/").every((segment, index, all) => {
    const plain = segment.replace(/%2e/gi, ".").replace(/;.*/, "")
    return plain !== "." && plain !== ".." && (plain !== "" || index === all.length - 1)
  })
