import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Repository from "./Repository.ts"
import * as UnitReader from "./UnitReader.ts"

const text = Repository.read("deploy/aibridge.service")
const unit = UnitReader.read(text)
const service = (name: string) => unit.value("Service", name)

const credentials = "/run/credentials/aibridge.service"

/** What the unit sets, with `%d` as systemd replaces it. */
const environment = Object.fromEntries(
  unit.all("Service", "Environment").map((assignment) => {
    const [name = "", value = ""] = assignment.split("=")
    return [name, value.replace("%d", credentials)]
  })
)

/** What it loads: from where, by the path at which the gateway sees it. */
const loaded = Object.fromEntries(
  unit.all("Service", "LoadCredential").map((credential) => {
    const [name = "", source = ""] = credential.split(":")
    return [`${credentials}/${name}`, source]
  })
)

const settings = Effect.suspend(() => Repository.settings(environment, Repository.exampleFiles(Object.keys(loaded))))

/** As it stands in the unit, in seconds. */
const seconds = (name: string) => Number(/^(\d+)s$/.exec(service(name) ?? "")?.[1])

describe("The systemd unit", () => {
  it("is one", () => {
    assert.deepStrictEqual(unit.rest, [])
    assert.strictEqual(service("Type"), "exec")
    assert.isNotEmpty(unit.value("Unit", "Description"))
    assert.strictEqual(unit.value("Unit", "Wants"), unit.value("Unit", "After"))
    assert.strictEqual(unit.value("Install", "WantedBy"), "multi-user.target")
  })

  it("checks the configuration, then starts the program that npm installs, with nothing in between", () => {
    const { bin, name } = Repository.manifest
    const program = `/usr/bin/node /opt/aibridge/node_modules/${name}/${bin.aibridge.replace("./", "")}`

    assert.include(text, "npm install --prefix /opt/aibridge ")
    assert.deepStrictEqual(unit.all("Service", "ExecStartPre"), [`${program} check`])
    assert.deepStrictEqual(unit.all("Service", "ExecStart"), [`${program} serve`])
    assert.deepStrictEqual(unit.all("Service", "ExecReload"), ["/bin/kill -HUP $MAINPID"])
  })

  it("names no setting that there is not", () => {
    assert.deepStrictEqual(Repository.unknownSettings(text), [])
  })

  it.effect("gives the gateway settings that are valid, with its secrets as credentials", () =>
    Effect.gen(function* () {
      Repository.assertExample(yield* settings)
    })
  )

  it("says in which files its secrets go, and loads those that it uses", () => {
    const used = Object.entries(environment).filter(([name]) => name.endsWith("_FILE"))

    assert.sameMembers(
      used.map(([, path]) => path),
      Object.keys(loaded)
    )
    assert.deepStrictEqual(
      Object.keys(environment).filter((name) => /(?:TOKENS?|KEYS?|SECRETS?)$/.test(name)),
      []
    )
    for (const source of Object.values(loaded)) {
      assert.match(text, new RegExp(`^#   sudo install -m 600 -D \\w+ ${source} {2,}\\S`, "m"))
    }
  })

  it.effect("asks it to stop in order and waits longer than that takes", () =>
    Effect.gen(function* () {
      const { shutdownTimeout } = yield* settings

      assert.strictEqual(service("KillSignal"), "SIGTERM")
      assert.isAbove(seconds("TimeoutStopSec"), Duration.toSeconds(shutdownTimeout))
    })
  )

  it("starts it again after a failure, but not without end", () => {
    const [, minutes] = /^(\d+)min$/.exec(unit.value("Unit", "StartLimitIntervalSec") ?? "") ?? []
    const burst = Number(unit.value("Unit", "StartLimitBurst"))

    assert.strictEqual(service("Restart"), "on-failure")
    // Else the limit would never be reached.
    assert.isBelow(burst * seconds("RestartSec"), Number(minutes) * 60)
  })

  it("runs as no user that there is, and may do little", () => {
    const on = [
      "LockPersonality",
      "NoNewPrivileges",
      "PrivateDevices",
      "PrivateTmp",
      "ProtectClock",
      "ProtectControlGroups",
      "ProtectHome",
      "ProtectHostname",
      "ProtectKernelLogs",
      "ProtectKernelModules",
      "ProtectKernelTunables",
      "RestrictNamespaces",
      "RestrictRealtime",
      "RestrictSUIDSGID"
    ]

    assert.deepStrictEqual(
      on.filter((name) => service(name) !== "yes"),
      []
    )
    assert.strictEqual(service("DynamicUser"), "yes")
    assert.deepStrictEqual([service("User"), service("Group")], [undefined, undefined])
    assert.strictEqual(service("ProtectSystem"), "strict")
    assert.strictEqual(service("CapabilityBoundingSet"), "")
    assert.strictEqual(service("AmbientCapabilities"), undefined)
  })

  it("leaves it what Node needs", () => {
    assert.includeMembers(service("RestrictAddressFamilies")?.split(" ") ?? [], ["AF_INET", "AF_INET6"])
    assert.strictEqual(service("MemoryDenyWriteExecute"), undefined)
    assert.strictEqual(service("SystemCallFilter"), "@system-service")
  })
})
