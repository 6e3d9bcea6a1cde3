// Preloaded in every child process: it collects garbage when the bench asks, and ends with the bench, however that ended.

process.on("message", (request) => {
  if (request === "collect") {
    globalThis.gc?.()
    process.send?.("collected")
  }
})

process.on("disconnect", () => process.exit(0))

process.channel?.unref()
