import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Yaml from "effect/encoding/Yaml"
import * as Schema from "effect/Schema"
import { join } from "node:path"
import * as DockerfileReader from "./DockerfileReader.ts"
import * as Repository from "./Repository.ts"

const { optionalKey } = Schema
const texts = Schema.Array(Schema.String)
const records = Schema.Record(Schema.String, Schema.String)

const common = {
  environment: optionalKey(records),
  image: Schema.String,
  profiles: optionalKey(texts),
  ports: optionalKey(texts),
  restart: Schema.Literal("unless-stopped"),
  secrets: optionalKey(texts),
  volumes: optionalKey(texts)
}

const HealthCheck = Schema.Struct({
  test: Schema.TupleWithRest(Schema.Tuple([Schema.Literal("CMD"), Schema.String]), [Schema.String]),
  interval: Schema.String,
  timeout: Schema.String,
  retries: Schema.Int,
  start_period: optionalKey(Schema.String)
})

const Gateway = Schema.Struct({
  ...common,
  build: Schema.Struct({ context: Schema.String, dockerfile: Schema.String }),
  cap_drop: texts,
  read_only: Schema.Boolean,
  security_opt: texts,
  stop_grace_period: Schema.String
})

const Store = Schema.Struct({ ...common, healthcheck: HealthCheck })

// Anything else would be a typo, or something that nothing checks.
const Compose = Schema.Struct({
  name: Schema.String,
  services: Schema.Struct({ gateway: Gateway, postgres: Store, redis: Store }),
  secrets: Schema.Record(Schema.String, Schema.Struct({ file: Schema.String })),
  volumes: Schema.Record(Schema.String, Schema.Null)
})

const text = Repository.read("deploy/compose.yaml")
const compose = Schema.decodeUnknownSync(Compose, { onExcessProperty: "error" })(Yaml.parse(text))
const { gateway, postgres, redis } = compose.services
const image = DockerfileReader.read(Repository.read("deploy/Dockerfile")).at(-1)

const files = Repository.exampleFiles((gateway.secrets ?? []).map((name) => `/run/secrets/${name}`))

const settings = Effect.suspend(() =>
  Repository.settings({ ...(image && DockerfileReader.environment(image)), ...gateway.environment }, files)
)

describe("The Compose file", () => {
  it("builds the image of the Dockerfile from the root of the repository", () => {
    const context = join("deploy", gateway.build.context)

    assert.strictEqual(context, ".")
    assert.strictEqual(join(context, gateway.build.dockerfile), "deploy/Dockerfile")
  })

  it("names no setting that there is not", () => {
    assert.deepStrictEqual(Repository.unknownSettings(text), [])
  })

  it.effect("gives the gateway settings that are valid, with its secrets out of files", () =>
    Effect.gen(function* () {
      Repository.assertExample(yield* settings)
    })
  )

  it("holds no secret, and git keeps none of the files that do", () => {
    const used = Object.values(compose.services).flatMap(({ secrets = [] }) => secrets)
    const variables = Object.values(compose.services).flatMap((service) => Object.keys(service.environment ?? {}))

    assert.deepStrictEqual(
      variables.filter((name) => /(?:TOKENS?|KEYS?|PASSWORD|SECRETS?)$/.test(name)),
      []
    )
    assert.sameMembers(used, Object.keys(compose.secrets))
    assert.deepStrictEqual(
      Object.entries(compose.secrets).filter(([name, { file }]) => file !== `./secrets/${name}`),
      []
    )
    assert.include(Repository.read("deploy/.gitignore").split("\n"), "secrets/")
  })

  it("says of each secret of the gateway in which file it goes", () => {
    const [comment = ""] = text.split("\nname:")

    assert.deepStrictEqual(
      gateway.secrets?.filter((name) => !comment.includes(`#   secrets/${name} `)),
      []
    )
  })

  it.effect("publishes the gateway's port on this machine alone, and no other", () =>
    Effect.gen(function* () {
      const { port } = yield* settings

      assert.deepStrictEqual(gateway.ports, [`127.0.0.1:${port}:${port}`])
      assert.deepStrictEqual([postgres.ports, redis.ports], [undefined, undefined])
    })
  )

  it.effect("gives the gateway longer to stop than it takes", () =>
    Effect.gen(function* () {
      const { shutdownTimeout } = yield* settings

      const [, seconds = ""] = /^(\d+)s$/.exec(gateway.stop_grace_period) ?? []

      assert.isAbove(Number(seconds), Duration.toSeconds(shutdownTimeout))
    })
  )

  it("takes from the gateway what it does not need", () => {
    assert.isTrue(gateway.read_only)
    assert.deepStrictEqual(gateway.cap_drop, ["ALL"])
    assert.deepStrictEqual(gateway.security_opt, ["no-new-privileges:true"])
  })

  it("starts the stores only when asked to, with exact versions, health checks and volumes", () => {
    assert.isUndefined(gateway.profiles)
    for (const [name, store] of Object.entries({ postgres, redis })) {
      assert.deepStrictEqual(store.profiles, ["storage"])
      assert.match(store.image, new RegExp(`^${name}:\\d+\\.\\d+(?:\\.\\d+)?-alpine$`))
      assert.match(store.healthcheck.test.join(" "), /^CMD (?:pg_isready|redis-cli ping)/)
      assert.lengthOf(store.volumes ?? [], 1)
      assert.property(compose.volumes, store.volumes?.[0]?.split(":")[0] ?? "")
    }
    assert.strictEqual(postgres.environment?.["POSTGRES_PASSWORD_FILE"], `/run/secrets/${postgres.secrets?.[0]}`)
  })
})
