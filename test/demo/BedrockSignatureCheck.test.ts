import { assert, describe, it } from "@effect/vitest"
import { createHash, createHmac } from "node:crypto"
import * as BedrockSignatureCheck from "../../src/demo/BedrockSignatureCheck.ts"
import type { SentRequest } from "../../src/demo/SimulatedVendor.ts"

/** Of the examples that AWS publishes ("aws-sig-v4-test-suite"). */
const secretAccessKey = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
const date = "20150830T123600Z"
const now = Date.UTC(2015, 7, 30, 12, 36)
const vanilla = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"

interface Example {
  readonly date?: string
  readonly method?: string
  readonly target?: string
  readonly headers?: ReadonlyArray<string>
  readonly credential?: string
  readonly signed?: string
  readonly signature?: string
}

const requestOf = (example: Example): SentRequest => {
  const {
    credential = "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request",
    signed = "host;x-amz-date",
    signature = vanilla
  } = example
  return {
    method: example.method ?? "GET",
    target: example.target ?? "/",
    rawHeaders: [
      "Host",
      "example.amazonaws.com",
      "X-Amz-Date",
      example.date ?? date,
      ...(example.headers ?? []),
      "Authorization",
      `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signed}, Signature=${signature}`
    ],
    bytes: Buffer.alloc(0)
  }
}

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex")

const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest()

const problem = (example: Example, millis = 0) =>
  BedrockSignatureCheck.problem(requestOf(example), {
    secretAccessKey,
    region: "us-east-1",
    service: "service",
    now: new Date(now + millis)
  })

describe("BedrockSignatureCheck.problem", () => {
  it.each<Example & { readonly name: string }>([
    { name: "get-vanilla" },
    {
      name: "post-vanilla",
      method: "POST",
      signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
    },
    {
      name: "get-vanilla-query-order-key-case",
      target: "/?Param2=value2&Param1=value1",
      signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
    },
    { name: "get-slashes", target: "//" },
    { name: "get-relative", target: "/example/.." },
    {
      name: "get-header-value-trim",
      headers: ["My-Header1", " value1", "My-Header2", ' "a   b   c"'],
      signed: "host;my-header1;my-header2;x-amz-date",
      signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"
    },
    {
      name: "get-header-key-duplicate",
      headers: ["My-Header1", "value2", "My-Header1", "value2", "My-Header1", "value1"],
      signed: "host;my-header1;x-amz-date",
      signature: "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"
    }
  ])("accepts AWS's example $name", (example) => {
    assert.isUndefined(problem(example))
  })

  it.each<Example & { readonly what: string }>([
    { what: "another method", method: "PUT" },
    { what: "another path", target: "/other" },
    { what: "a query", target: "/?a=b" },
    { what: "another day in its scope", credential: "AKIDEXAMPLE/20150831/us-east-1/service/aws4_request" },
    { what: "another region in its scope", credential: "AKIDEXAMPLE/20150830/us-east-2/service/aws4_request" },
    { what: "another service in its scope", credential: "AKIDEXAMPLE/20150830/us-east-1/other/aws4_request" },
    { what: "another signature", signature: vanilla.replace("5", "6") },
    { what: "half a signature", signature: vanilla.slice(32) },
    { what: "an unsigned x-amz header", headers: ["X-Amz-Target", "x"] },
    { what: "a signed header that is not there", signed: "host;x-amz-date;x-amz-target" }
  ])("refuses AWS's example with $what", (example) => {
    assert.strictEqual(problem(example), BedrockSignatureCheck.mismatch)
  })

  const earlier = "Signature expired: 20150830T123600Z is now earlier than"
  const later = "Signature not yet current: 20150830T123600Z is still later than"

  it.each([
    { millis: 299_999, expected: undefined },
    { millis: 300_000, expected: undefined },
    { millis: 300_001, expected: `${earlier} 20150830T123600Z (20150830T124100Z - 5 min.)` },
    { millis: 301_000, expected: `${earlier} 20150830T123601Z (20150830T124101Z - 5 min.)` },
    { millis: -300_000, expected: undefined },
    { millis: -300_001, expected: `${later} 20150830T123559Z (20150830T123059Z + 5 min.)` },
    { millis: -301_000, expected: `${later} 20150830T123559Z (20150830T123059Z + 5 min.)` }
  ])("$millis ms after the date of a request says $expected", ({ millis, expected }) => {
    assert.strictEqual(problem({}, millis), expected)
  })

  it.each([
    { signedAt: date, expected: undefined },
    { signedAt: "2015-08-30T12:36:00Z", expected: BedrockSignatureCheck.mismatch },
    { signedAt: "20150830T123600", expected: BedrockSignatureCheck.mismatch },
    { signedAt: "20150830T126000Z", expected: BedrockSignatureCheck.mismatch },
    { signedAt: "today", expected: BedrockSignatureCheck.mismatch }
  ])("says to a good signature with the date $signedAt: $expected", ({ signedAt, expected }) => {
    const scope = [signedAt.slice(0, 8), "us-east-1", "service", "aws4_request"]
    const canonical = `GET\n/\n\nhost:example.amazonaws.com\nx-amz-date:${signedAt}\n\nhost;x-amz-date\n${sha256("")}`
    const key = scope.reduce<string | Buffer>((secret, part) => hmac(secret, part), `AWS4${secretAccessKey}`)
    const toSign = ["AWS4-HMAC-SHA256", signedAt, scope.join("/"), sha256(canonical)].join("\n")

    const credential = `AKIDEXAMPLE/${scope.join("/")}`
    const signature = hmac(key, toSign).toString("hex")

    assert.strictEqual(problem({ date: signedAt, credential, signature }), expected)
  })
})

describe("BedrockSignatureCheck.accessKeyId", () => {
  it("is the one that the signature names", () => {
    assert.strictEqual(BedrockSignatureCheck.accessKeyId(requestOf({})), "AKIDEXAMPLE")
  })

  it.each(["Bearer x", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE, SignedHeaders=host, Signature=0"])(
    "is none in '%s'",
    (authorization) => {
      const request = { ...requestOf({}), rawHeaders: ["Authorization", authorization] }

      assert.isUndefined(BedrockSignatureCheck.accessKeyId(request))
    }
  )
})
