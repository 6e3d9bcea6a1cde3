/** The test kit for embedders. */
export * as ScriptedUpstream from "./ScriptedUpstream.ts"
export * as TestGateway from "./TestGateway.ts"
