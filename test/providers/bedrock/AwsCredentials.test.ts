import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import type { IncomingMessage, ServerResponse } from "node:http"
import { createServer } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as AwsCredentials from "../../../src/providers/bedrock/AwsCredentials.ts"

/** An environment in which nothing is found but what is put there, and a directory for its files. */
const environment = (variables: Readonly<Record<string, string>> = {}) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => {
        const directory = mkdtempSync(join(tmpdir(), "aws-"))
        const before = { ...process.env }
        for (const name of Object.keys(before)) if (name.startsWith("AWS_")) delete process.env[name]
        Object.assign(process.env, {
          HOME: directory,
          AWS_SHARED_CREDENTIALS_FILE: join(directory, "credentials"),
          AWS_CONFIG_FILE: join(directory, "config"),
          AWS_EC2_METADATA_DISABLED: "true",
          ...variables
        })
        return { directory, before }
      }),
      ({ directory, before }) =>
        Effect.sync(() => {
          for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name]
          Object.assign(process.env, before)
          rmSync(directory, { recursive: true })
        })
    ),
    ({ directory }) =>
      (name: "credentials" | "config", text: string) =>
        writeFileSync(join(directory, name), text)
  )

type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** A server on the loopback interface; gives its origin. */
const serve = (handler: Handler) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<ReturnType<typeof createServer>>((resume) => {
        const server = createServer(handler)
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.callback<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    ),
    (server) => {
      const address = server.address()
      return `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`
    }
  )

const profile = (key: string) => `[default]\naws_access_key_id = ${key}\naws_secret_access_key = secret\n`

/** A profile with a role that this STS is asked for. */
const role = Effect.fnUntraced(function* (sts: Handler, settings = "") {
  const origin = yield* serve(sts)
  const write = yield* environment({ AWS_ENDPOINT_URL_STS: origin, AWS_PROFILE: "role" })
  write("credentials", profile("AKID"))
  write("config", `[profile role]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = default\n${settings}\n`)
})

/** What was found, its secrets readable. */
const found = (source: AwsCredentials.Source["current"]) =>
  Effect.map(source, ({ accessKeyId, secretAccessKey, sessionToken }) => ({
    accessKeyId,
    secret: Redacted.value(secretAccessKey),
    token: sessionToken && Redacted.value(sessionToken)
  }))

const messageOf = (source: AwsCredentials.Source["current"]) =>
  Effect.map(Effect.flip(source), ({ message, reason }) => `${message}: ${"detail" in reason ? reason.detail : ""}`)

const nothing = "no AWS credentials found: Could not load credentials from any providers"

describe("Fixed credentials", () => {
  it.effect("are what they are", () =>
    Effect.gen(function* () {
      const credentials = { accessKeyId: "AKID", secretAccessKey: Redacted.make("secret") }

      assert.strictEqual(yield* AwsCredentials.fixed(credentials).current, credentials)
    })
  )
})

describe("AWS's default chain", () => {
  it.live.each([{ token: undefined }, { token: "token" }])(
    "finds a key in the environment, session token $token",
    ({ token }) =>
      Effect.gen(function* () {
        const key = { AWS_ACCESS_KEY_ID: "AKID", AWS_SECRET_ACCESS_KEY: "secret" }
        yield* environment(token === undefined ? key : { ...key, AWS_SESSION_TOKEN: token })

        const credentials = yield* found(AwsCredentials.defaultChain("us-east-1").current)

        assert.deepStrictEqual(credentials, { accessKeyId: "AKID", secret: "secret", token })
      })
  )

  it.live("finds a profile in the shared files", () =>
    Effect.gen(function* () {
      const write = yield* environment({ AWS_PROFILE: "work" })
      write(
        "credentials",
        `[default]
aws_access_key_id = OTHER
aws_secret_access_key = other
[work]
aws_access_key_id = AKID
aws_secret_access_key = secret
aws_session_token = token
`
      )

      const credentials = yield* found(AwsCredentials.defaultChain("us-east-1").current)

      assert.deepStrictEqual(credentials, { accessKeyId: "AKID", secret: "secret", token: "token" })
    })
  )

  it.live("runs a credential_process, and knows when its credentials expire", () =>
    Effect.gen(function* () {
      const write = yield* environment()
      const json = `{"Version":1,"AccessKeyId":"AKID","SecretAccessKey":"s","Expiration":"2999-01-01T00:00:00Z"}`
      write("config", `[default]\ncredential_process = echo '${json}'\n`)

      const credentials = yield* AwsCredentials.defaultChain("us-east-1").current

      assert.strictEqual(credentials.accessKeyId, "AKID")
      assert.isUndefined(credentials.sessionToken)
      assert.deepStrictEqual(credentials.expiration, new Date("2999-01-01T00:00:00Z"))
    })
  )

  it.live.each([
    { region: "", signed: "eu-west-3" },
    { region: "region = ap-south-1", signed: "ap-south-1" }
  ])("assumes a role in $signed, with '$region' in its profile", ({ region, signed }) =>
    Effect.gen(function* () {
      const authorizations: Array<string | undefined> = []
      yield* role((request, response) => {
        authorizations.push(request.headers.authorization)
        response.end(
          `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
          <AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>
          <Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`
        )
      }, region)

      const credentials = yield* found(AwsCredentials.defaultChain("eu-west-3").current)

      assert.deepStrictEqual(credentials, { accessKeyId: "ASIA", secret: "s", token: "t" })
      assert.deepStrictEqual(
        authorizations.map((value) => value?.split("/")[2]),
        [signed]
      )
    })
  )

  it.live("says that nothing was found", () =>
    Effect.gen(function* () {
      yield* environment()

      const told = yield* messageOf(AwsCredentials.defaultChain("us-east-1").current)

      assert.strictEqual(told, nothing)
    })
  )

  it.live("says nothing of a command that failed", () =>
    Effect.gen(function* () {
      const write = yield* environment()
      write("config", "[default]\ncredential_process = sh -c 'echo OUTPUT >&2; exit 1' NEVER-SHOWN\n")

      const told = yield* messageOf(AwsCredentials.defaultChain("us-east-1").current)

      assert.strictEqual(told, nothing)
      assert.notMatch(told, /NEVER|OUTPUT/)
    })
  )

  it.live.each([{ answer: `{"SecretAccessKey":NEVER-SHOWN}` }, { answer: `{NEVER-SHOWN` }, { answer: `NEVER-SHOWN` }])(
    "says nothing of an answer that is no JSON: $answer",
    ({ answer }) =>
      Effect.gen(function* () {
        const origin = yield* serve((request, response) => {
          if (request.method === "PUT") response.end("imds-token")
          else response.end(request.url?.endsWith("/role") ? answer : "role")
        })
        yield* environment({ AWS_EC2_METADATA_DISABLED: "false", AWS_EC2_METADATA_SERVICE_ENDPOINT: origin })

        const told = yield* messageOf(AwsCredentials.defaultChain("us-east-1").current)

        assert.strictEqual(told, "no AWS credentials found: what was found is not valid JSON")
        assert.notMatch(told, /NEVER|SHOWN/)
      })
  )

  it.live.each([
    { message: "Not authorized", reason: "Not authorized" },
    { message: " Not\r\n\t authorized\u0085 ", reason: "Not authorized" },
    { message: "x".repeat(200), reason: "x".repeat(200) },
    { message: "x".repeat(201), reason: "x".repeat(200) },
    { message: `${"x".repeat(199)}👋`, reason: `${"x".repeat(199)}\ufffd` },
    { message: "", reason: "UnknownError" },
    { message: "Command failed: get --key NEVER-SHOWN", reason: "credential_process failed" }
  ])("gives a refusal's reason in one short line: '$reason'", ({ message, reason }) =>
    Effect.gen(function* () {
      yield* role((_, response) => {
        response.statusCode = 403
        response.end(
          `<ErrorResponse><Error><Code>AccessDenied</Code><Message>${message}</Message></Error></ErrorResponse>`
        )
      })

      const told = yield* messageOf(AwsCredentials.defaultChain("us-east-1").current)

      assert.strictEqual(told, `no AWS credentials found: ${reason}`)
    })
  )

  it.live("is asked again by the request after one that found nothing, and keeps what it found", () =>
    Effect.gen(function* () {
      const write = yield* environment()
      const source = AwsCredentials.defaultChain("us-east-1").current

      write("credentials", "")
      const first = yield* Effect.exit(source)
      write("credentials", profile("AKID"))
      const second = yield* found(source)
      write("credentials", profile("OTHER"))
      const third = yield* found(source)

      assert.strictEqual(first._tag, "Failure")
      assert.strictEqual(second.accessKeyId, "AKID")
      assert.deepStrictEqual(third, second)
    })
  )

  it.live("is asked once by requests that come together, and by the rest of them if one leaves", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<ServerResponse>()
      let requests = 0
      const origin = yield* serve((_, response) => {
        requests++
        Deferred.doneUnsafe(asked, Effect.succeed(response))
      })
      yield* environment({ AWS_CONTAINER_CREDENTIALS_FULL_URI: origin })
      const source = found(AwsCredentials.defaultChain("us-east-1").current)

      const leaving = yield* Effect.forkScoped(source)
      const staying = yield* Effect.forkScoped(Effect.all([source, source], { concurrency: 2 }))
      const response = yield* Deferred.await(asked)
      yield* Fiber.interrupt(leaving)
      response.end(`{"AccessKeyId":"ASIA","SecretAccessKey":"s","Token":"t","Expiration":"2999-01-01T00:00:00Z"}`)

      const credentials = { accessKeyId: "ASIA", secret: "s", token: "t" }
      assert.deepStrictEqual(yield* Fiber.join(staying), [credentials, credentials])
      assert.deepStrictEqual(yield* source, credentials)
      assert.strictEqual(requests, 1)
    })
  )

  it.live("has no secret in what can be printed", () =>
    Effect.gen(function* () {
      yield* environment({ AWS_ACCESS_KEY_ID: "AKID", AWS_SECRET_ACCESS_KEY: "NEVER", AWS_SESSION_TOKEN: "SHOWN" })

      const credentials = yield* AwsCredentials.defaultChain("us-east-1").current

      assert.notMatch(JSON.stringify(credentials), /NEVER|SHOWN/)
    })
  )
})
