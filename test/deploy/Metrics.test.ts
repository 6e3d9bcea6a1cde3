/** The alerts and the dashboard: what they ask for is what the gateway measures. */
import { assert, describe, it } from "@effect/vitest"
import * as Yaml from "effect/encoding/Yaml"
import * as Schema from "effect/Schema"
import { globSync } from "node:fs"
import * as PromQl from "./PromQl.ts"
import * as Repository from "./Repository.ts"

const { optionalKey, String: Text } = Schema
const Duration = Text.check(Schema.isPattern(/^\d+[smh]$/))

// Anything else would be a typo, or something that nothing checks.
const Alerts = Schema.Struct({
  groups: Schema.NonEmptyArray(
    Schema.Struct({
      name: Text,
      rules: Schema.NonEmptyArray(
        Schema.Struct({
          alert: Text,
          expr: Text,
          for: optionalKey(Duration),
          labels: Schema.Struct({ severity: Schema.Literals(["critical", "warning"]) }),
          annotations: Schema.Struct({ summary: Schema.NonEmptyString, description: Schema.NonEmptyString })
        })
      )
    })
  )
})

const Scrape = Schema.Struct({
  scrape_configs: Schema.Tuple([
    Schema.Struct({
      job_name: Text,
      authorization: Schema.Struct({ credentials_file: Text }),
      static_configs: Schema.Tuple([Schema.Struct({ targets: Schema.Tuple([Text]) })])
    })
  ])
})

const Panel = Schema.Struct({
  id: Schema.Int,
  type: Text,
  title: Schema.NonEmptyString,
  description: optionalKey(Schema.NonEmptyString),
  gridPos: Schema.Struct({ h: Schema.Int, w: Schema.Int, x: Schema.Int, y: Schema.Int }),
  fieldConfig: optionalKey(Schema.Struct({ defaults: Schema.Struct({ unit: Schema.NonEmptyString }) })),
  targets: optionalKey(Schema.NonEmptyArray(Schema.Struct({ expr: Text, legendFormat: Text })))
})

const Dashboard = Schema.Struct({
  schemaVersion: Schema.Literal(39),
  refresh: Schema.Literal("30s"),
  templating: Schema.Struct({
    list: Schema.Array(
      Schema.Struct({
        name: Text,
        type: Schema.Literals(["datasource", "query"]),
        query: Schema.Union([Text, Schema.Struct({ query: Text })])
      })
    )
  }),
  panels: Schema.Array(Panel)
})

const families: Readonly<Record<string, ReadonlyArray<string>>> = {
  aibridge_interceptions_total: ["provider", "model", "status", "route", "method", "client", "initiator_id"],
  aibridge_interceptions_inflight: ["provider", "model", "route"],
  aibridge_passthrough_total: ["provider", "route", "method"],
  aibridge_prompts_total: ["provider", "model", "client", "initiator_id"],
  aibridge_tokens_total: ["provider", "model", "type", "client", "initiator_id"],
  aibridge_non_injected_tool_selections_total: ["provider", "model", "name"],
  aibridge_injected_tool_invocations_total: ["provider", "model", "server", "name"],
  aibridge_key_pool_state_transitions_total: ["provider", "reason"],
  aibridge_key_pool_exhaustions_total: ["provider", "outcome"],
  aibridge_circuit_breaker_state: ["provider", "endpoint", "model"],
  aibridge_circuit_breaker_trips_total: ["provider", "endpoint", "model"],
  aibridge_circuit_breaker_rejects_total: ["provider", "endpoint", "model"],
  aibridge_refusals_total: ["provider", "reason"],
  aibridge_records_queued: [],
  aibridge_records_dropped_total: [],
  aibridge_record_write_failures_total: [],
  aibridge_config_reloads_total: ["result"],
  aibridge_config_last_reload_successful: [],
  aibridge_config_last_reload_success_timestamp_seconds: [],
  // Prometheus' own, of each target.
  up: ["job"]
}

const histograms: Readonly<Record<string, ReadonlyArray<string>>> = {
  aibridge_interceptions_duration_seconds: ["provider", "model"],
  aibridge_time_to_first_byte_seconds: ["provider", "model"],
  aibridge_gateway_overhead_seconds: ["provider"],
  aibridge_key_pool_failover_attempts: ["provider"]
}

const series: Readonly<Record<string, ReadonlyArray<string>>> = {
  ...families,
  ...Object.fromEntries(
    Object.entries(histograms).flatMap(([name, labels]) => [
      [`${name}_bucket`, [...labels, "le"]],
      [`${name}_sum`, labels],
      [`${name}_count`, labels]
    ])
  )
}

const alertsText = Repository.read("deploy/prometheus/alerts.yaml")
const dashboardText = Repository.read("deploy/grafana/dashboard.json")
const strict = { onExcessProperty: "error" } as const
const { groups } = Schema.decodeUnknownSync(Alerts, strict)(Yaml.parse(alertsText))
const rules = groups.flatMap((group) => group.rules)
const dashboard = Schema.decodeUnknownSync(Schema.fromJsonString(Dashboard))(dashboardText)
const graphs = dashboard.panels.filter(({ type }) => type !== "row")
const targets = dashboard.panels.flatMap((panel) => panel.targets ?? [])
const queries = dashboard.templating.list.flatMap(({ query }) => (typeof query === "string" ? [] : [query.query]))

const expressions = [...rules.map(({ expr }) => expr), ...targets.map(({ expr }) => expr), ...queries]

/** What an expression asks for and there is not. */
const unknown = (expression: string): ReadonlyArray<string> => {
  const grouped = PromQl.groupings(expression)
  return PromQl.metrics(expression).flatMap(({ metric, labels }) => {
    const known = series[metric]
    if (known === undefined) return [metric]
    return [...labels, ...grouped].filter((label) => !known.includes(label)).map((label) => `${metric}{${label}}`)
  })
}

/** Labels that a text shows and its expression's series do not have; those have their target's, too. */
const unknownShown = (text: string, pattern: RegExp, expression: string): ReadonlyArray<string> => {
  const grouped = PromQl.groupings(expression)
  const known = grouped.length > 0 ? grouped : PromQl.metrics(expression).flatMap(({ metric }) => series[metric] ?? [])
  const own = grouped.length > 0 ? known : [...known, "instance"]
  return Array.from(text.matchAll(pattern), ([, label = ""]) => label).filter((label) => !own.includes(label))
}

const twice = <A>(all: ReadonlyArray<A>): ReadonlyArray<A> => all.filter((each, index) => all.indexOf(each) !== index)

describe("The metrics that are known here", () => {
  it("are those that the gateway has", () => {
    const measured = globSync("src/**/*.ts", { cwd: Repository.root }).flatMap((path) =>
      [...Repository.read(path).matchAll(/Metric\.(\w+)\(\s*"(aibridge_\w+)"/g)].map(([, kind = "", name = ""]) => ({
        kind,
        name
      }))
    )
    const names = (isWanted: (kind: string) => boolean) =>
      measured.filter(({ kind }) => isWanted(kind)).map(({ name }) => name)

    assert.sameMembers(
      names((kind) => kind === "histogram"),
      Object.keys(histograms)
    )
    assert.sameMembers([...names((kind) => kind !== "histogram"), "up"], Object.keys(families))
  })
})

describe("The alerts and the dashboard", () => {
  it.each(expressions)("ask for metrics and labels that there are: %s", (expression) => {
    assert.isNotEmpty(PromQl.metrics(expression))
    assert.deepStrictEqual(unknown(expression), [])
  })

  it.each(expressions)("close each bracket: %s", (expression) => {
    assert.isTrue(PromQl.isBalanced(expression))
  })

  it("show labels that their series have", () => {
    const inAlerts = rules.flatMap(({ annotations: { description, summary }, expr }) =>
      unknownShown(summary + description, /\$labels\.(\w+)/g, expr)
    )
    const inLegends = targets.flatMap(({ expr, legendFormat }) => unknownShown(legendFormat, /\{\{(\w+)\}\}/g, expr))

    assert.deepStrictEqual([...inAlerts, ...inLegends], [])
  })
})

describe("The alerts", () => {
  it("have names of their own", () => {
    assert.deepStrictEqual(twice(rules.map(({ alert }) => alert)), [])
    assert.deepStrictEqual(twice(groups.map(({ name }) => name)), [])
  })

  it("name no setting that there is not", () => {
    assert.deepStrictEqual(Repository.unknownSettings(alertsText), [])
  })

  it("say how to scrape the admin port, as the job that is missed when the gateway is down", () => {
    const [, commented = ""] = /^(# {3}scrape_configs:\n(?:# {3}.*\n)+)/m.exec(alertsText) ?? []
    const { scrape_configs } = Schema.decodeUnknownSync(
      Scrape,
      strict
    )(Yaml.parse(commented.replaceAll(/^# {3}/gm, "")))

    assert.include(
      rules.map(({ expr }) => expr),
      `up{job="${scrape_configs[0].job_name}"} == 0`
    )
    assert.deepStrictEqual(scrape_configs[0].static_configs[0].targets, ["127.0.0.1:8788"])
  })
})

describe("The dashboard", () => {
  it("says of each panel what it shows, and in which unit", () => {
    assert.deepStrictEqual(
      graphs.filter(({ description, fieldConfig, targets: its }) => !description || fieldConfig === undefined || !its),
      []
    )
  })

  it("has panels with ids of their own, none of which lies on another or beyond the edge", () => {
    const overlapping = dashboard.panels.flatMap((panel, index) =>
      dashboard.panels
        .slice(index + 1)
        .filter(({ gridPos: b }) => {
          const a = panel.gridPos
          return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h
        })
        .map(({ title }) => `${panel.title} and ${title}`)
    )

    assert.deepStrictEqual(twice(dashboard.panels.map(({ id }) => id)), [])
    assert.deepStrictEqual(overlapping, [])
    assert.deepStrictEqual(
      dashboard.panels.filter(({ gridPos: { w, x } }) => x < 0 || x + w > 24),
      []
    )
  })

  it("is of no installation: its data source is a variable, and it has no id", () => {
    const sources = Array.from(dashboardText.matchAll(/"uid": "([^"]*)"/g), ([, uid]) => uid)

    assert.deepStrictEqual([...new Set(sources)], ["${datasource}"])
    assert.notMatch(dashboardText, /^ {2}"(?:id|uid)":/m)
  })

  it("uses variables that it has, and all of them", () => {
    const used = Array.from(dashboardText.matchAll(/\$\{?([a-z]\w*)/g), ([, name = ""]) => name)

    assert.sameMembers([...new Set(used)], ["datasource", "provider", "model"])
    assert.deepStrictEqual(
      dashboard.templating.list.map(({ name, type }) => [name, type]),
      [
        ["datasource", "datasource"],
        ["provider", "query"],
        ["model", "query"]
      ]
    )
  })
})
