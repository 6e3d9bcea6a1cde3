import { assert, describe, it } from "@effect/vitest"
import { namePattern, parseBaseUrl } from "../../src/providers/Provider.ts"

describe("A base URL", () => {
  it.each([
    { text: "https://api.test", origin: "https://api.test", path: "" },
    { text: "https://api.test/", origin: "https://api.test", path: "" },
    { text: "https://api.test/base", origin: "https://api.test", path: "/base" },
    { text: "https://api.test/base/v1/", origin: "https://api.test", path: "/base/v1" },
    { text: "https://api.test/base//", origin: "https://api.test", path: "/base" },
    { text: "http://127.0.0.1:8080/x", origin: "http://127.0.0.1:8080", path: "/x" },
    { text: "http://[::1]:8080", origin: "http://[::1]:8080", path: "" },
    { text: "HTTPS://API.test:443/A", origin: "https://api.test", path: "/A" },
    { text: " https://api.test ", origin: "https://api.test", path: "" },
    { text: "https://api.test/a%20b", origin: "https://api.test", path: "/a%20b" }
  ])("$text is an origin and a path", ({ text, origin, path }) => {
    assert.deepStrictEqual(parseBaseUrl(text), { origin, path })
  })

  it.each([
    { text: "", problem: "not a URL" },
    { text: "api.test", problem: "not a URL" },
    { text: "/v1", problem: "not a URL" },
    { text: "https://", problem: "not a URL" },
    { text: "https://api.test:99999", problem: "not a URL" },
    { text: "ftp://api.test", problem: "must begin with https:// or http://" },
    { text: "file:///etc/passwd", problem: "must begin with https:// or http://" },
    { text: "localhost:8080", problem: "must begin with https:// or http://" },
    { text: "https://user:secret@api.test", problem: "must not hold a user name or password" },
    { text: "https://user@api.test", problem: "must not hold a user name or password" },
    { text: "https://api.test?key=secret", problem: "must not have a query or a fragment" },
    { text: "https://api.test/#secret", problem: "must not have a query or a fragment" }
  ])("$text is refused with what is wrong, and not repeated", ({ text, problem }) => {
    assert.strictEqual(parseBaseUrl(text), problem)
  })
})

describe("A provider's name", () => {
  it.each(["anthropic", "anthropic-custom", "copilot-business", "a", "0", "a1-2b-c"])("may be %s", (name) => {
    assert.match(name, namePattern)
  })

  it.each(["", "Anthropic", "a b", "a/b", "a_b", "-a", "a-", "a--b", "a.b", "ä", "a\n"])("may not be '%s'", (name) => {
    assert.notMatch(name, namePattern)
  })
})
