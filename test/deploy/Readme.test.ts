import { assert, describe, it } from "@effect/vitest"
import { existsSync } from "node:fs"
import * as Repository from "./Repository.ts"

const [, section = ""] = /^## Deploy\n([^]*?)^## /m.exec(Repository.read("README.md")) ?? []

describe("README on deploying", () => {
  it("names files that there are", () => {
    const paths = Array.from(section.matchAll(/`(deploy\/[^`\s]+)`/g), ([, path = ""]) => path)

    assert.sameMembers(paths, [
      "deploy/Dockerfile",
      "deploy/compose.yaml",
      "deploy/aibridge.service",
      "deploy/prometheus/alerts.yaml",
      "deploy/grafana/dashboard.json"
    ])
    assert.deepStrictEqual(
      paths.filter((path) => !existsSync(Repository.root + path)),
      []
    )
  })

  it("builds the image as the Dockerfile says", () => {
    const [command = "no command"] = /docker build [^`]+/.exec(section) ?? []

    assert.include(Repository.read("deploy/Dockerfile"), `#   ${command}\n`)
  })
})
