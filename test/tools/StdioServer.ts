// An MCP server on standard input and output, of revision 2025-11-25: `echo` says its arguments, `crash` ends the process.
import { createInterface } from "node:readline"

const answer = (id: unknown, result: unknown) =>
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id, result })}\n`)

const refuse = (id: unknown) =>
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id, error: { code: -32601, message: "unknown" } })}\n`)

const tool = (name: string) => ({ name, inputSchema: { type: "object" } })

createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params } = JSON.parse(line)
  if (id === undefined) return
  switch (method) {
    case "initialize":
      answer(id, {
        protocolVersion: "2025-11-25",
        capabilities: { tools: {} },
        serverInfo: { name: "stdio", version: "1" }
      })
      break
    case "tools/list":
      answer(id, { tools: [tool("echo"), tool("crash")] })
      break
    case "tools/call":
      if (params.name === "crash") process.exit(1)
      answer(id, { content: [{ type: "text", text: `${process.pid} ${JSON.stringify(params.arguments)}` }] })
      break
    default:
      refuse(id)
  }
})
