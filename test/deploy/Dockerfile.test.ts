import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { existsSync } from "node:fs"
import * as Http from "node:http"
import process from "node:process"
import * as TestService from "../service/TestService.ts"
import * as TestServer from "../upstream/TestServer.ts"
import * as DockerfileReader from "./DockerfileReader.ts"
import * as Repository from "./Repository.ts"
import * as TestCommand from "./TestCommand.ts"

const text = Repository.read("deploy/Dockerfile")
const ignore = Repository.read("deploy/Dockerfile.dockerignore")
const stages = DockerfileReader.read(text)
const [build, image] = stages

if (build === undefined || image === undefined) throw new Error("deploy/Dockerfile has no two stages")

const words = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Array(Schema.String)))
const environment = DockerfileReader.environment(image)
const healthCheck = words(DockerfileReader.last(image, "HEALTHCHECK").replace(/^.*?CMD /, ""))

/** What the health check ends with if the gateway is said to be at this port. */
const isHealthy = (port: string) => {
  const [, ...parameters] = healthCheck
  return TestCommand.run(process.execPath, parameters, {
    directory: Repository.root,
    environment: { AIBRIDGE_PORT: port }
  }).pipe(Effect.map(({ code }) => code))
}

// Processes: a busy machine takes seconds to start one.
describe("The Dockerfile", { timeout: 60_000 }, () => {
  it("has instructions that there are, and two stages", () => {
    const known = /^(?:COPY|RUN|WORKDIR|ENV|EXPOSE|USER|HEALTHCHECK|STOPSIGNAL|VOLUME|ENTRYPOINT|CMD)$/

    assert.lengthOf(stages, 2)
    assert.deepStrictEqual(
      stages.flatMap(({ instructions }) => instructions).filter(({ name }) => !known.test(name)),
      []
    )
  })

  it("builds and runs with the very version of Node that is tested with", () => {
    const version = Repository.manifest.devDependencies["node"]

    assert.match(version ?? "", /^\d+\.\d+\.\d+$/)
    assert.deepStrictEqual(
      stages.map((stage) => stage.image),
      [`node:${version}-bookworm-slim`, `node:${version}-bookworm-slim`]
    )
  })

  it("copies what there is and what its context lets through, and only that is let through", () => {
    const sources = DockerfileReader.copies(build).flatMap((copy) => (copy.from === undefined ? copy.sources : []))

    assert.isNotEmpty(sources)
    assert.deepStrictEqual(
      sources.filter(
        (source) => !existsSync(Repository.root + source) || !DockerfileReader.isInContext(ignore, source)
      ),
      []
    )
    assert.sameMembers(
      Array.from(ignore.matchAll(/^!(.*)$/gm), ([, path = ""]) => path),
      sources
    )
    assert.deepStrictEqual(
      [".git", ".env", "deploy", "dist", "node_modules", "test"].filter((path) =>
        DockerfileReader.isInContext(ignore, path)
      ),
      []
    )
  })

  it("has all that the build reads", () => {
    const sources = DockerfileReader.copies(build).flatMap((copy) => copy.sources)
    const compiler: { readonly extends: string; readonly include: ReadonlyArray<string> } = JSON.parse(
      Repository.read("tsconfig.build.json")
    )

    assert.includeMembers(sources, ["package.json", "package-lock.json", "tsconfig.build.json"])
    assert.includeMembers(sources, [compiler.extends.replace("./", ""), ...compiler.include])
  })

  it("installs what is locked, builds, and keeps what production needs", () => {
    const commands = DockerfileReader.all(build, "RUN")
    const scripts = commands.flatMap((command) => /^npm run (\S+)$/.exec(command)?.[1] ?? [])

    assert.deepStrictEqual(commands.slice(0, 3), ["npm ci", "npm run build", "npm prune --omit=dev"])
    assert.includeMembers(Object.keys(Repository.manifest.scripts), scripts)
    assert.deepStrictEqual(DockerfileReader.all(image, "RUN"), ["mkdir /data && chown 1000:1000 /data"])
  })

  it("has nothing in the image but what was built, its dependencies and its manifest", () => {
    const directory = DockerfileReader.last(build, "WORKDIR")

    assert.strictEqual(DockerfileReader.last(image, "WORKDIR"), directory)
    assert.deepStrictEqual(
      DockerfileReader.copies(image),
      ["package.json", "node_modules", "dist"].map((name) => ({
        from: build.alias,
        sources: [`${directory}/${name}`],
        target: name === "package.json" ? "./" : `./${name}`
      }))
    )
    assert.deepStrictEqual(DockerfileReader.all(image, "ADD"), [])
  })

  it("runs the program itself, to which signals go, and not as root", () => {
    const main = Repository.manifest.bin.aibridge.replace("./", "")

    assert.deepStrictEqual(words(DockerfileReader.last(image, "ENTRYPOINT")), ["node", main])
    assert.deepStrictEqual(words(DockerfileReader.last(image, "CMD")), ["serve"])
    assert.strictEqual(DockerfileReader.last(image, "STOPSIGNAL"), "SIGTERM")
    assert.match(DockerfileReader.last(image, "USER"), /^[1-9]\d*:[1-9]\d*$/)
  })

  it("names no setting that there is not", () => {
    assert.deepStrictEqual(Repository.unknownSettings(text), [])
  })

  it.effect("listens on all addresses at the port that it exposes, and so needs tokens", () =>
    Effect.gen(function* () {
      const config = yield* Repository.settings({ ...environment, AIBRIDGE_TOKENS: "ada=a-long-random-token" })
      const { problems } = yield* Effect.flip(Repository.settings(environment))

      assert.strictEqual(config.host, "0.0.0.0")
      assert.strictEqual(String(config.port), DockerfileReader.last(image, "EXPOSE"))
      assert.deepStrictEqual(config.warnings, [])
      assert.lengthOf(problems, 1)
      assert.match(problems[0] ?? "", /^AIBRIDGE_TOKENS: must be set/)
    })
  )

  it.live("is healthy while the gateway serves, without a token", () =>
    Effect.gen(function* () {
      const { url } = yield* TestService.start({ AIBRIDGE_TOKENS: "ada=a-long-random-token" })

      assert.strictEqual(healthCheck[0], "node")
      assert.strictEqual(yield* isHealthy(new URL(url).port), 0)
    })
  )

  it.live("is not if nobody listens, or something else does", () =>
    Effect.gen(function* () {
      const nobody = yield* TestServer.unusedPort
      const other = yield* unavailable

      assert.strictEqual(yield* isHealthy(String(nobody)), 1)
      assert.strictEqual(yield* isHealthy(String(other)), 1)
    })
  )
})

/** The port of a server that answers 503. */
const unavailable = Effect.acquireRelease(
  Effect.callback<Http.Server>((resume) => {
    const server = Http.createServer((_, response) => void response.writeHead(503).end())
    server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
  }),
  (server) => Effect.sync(() => void server.close())
).pipe(
  Effect.map((server) => {
    const address = server.address()
    return typeof address === "object" && address !== null ? address.port : 0
  })
)
