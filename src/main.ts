#!/usr/bin/env node
/**
 * The `aibridge` binary. The only file that reads the environment. Loading everything else takes a second, and whoever asks for a
 * reload meanwhile must not end the process with it.
 */
import process from "node:process"
import { Hangups } from "./service/Hangups.ts"

const hangups = new Hangups()

const { run } = await import("./Commands.ts")

run(process.env, hangups)
