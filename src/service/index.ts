/** The Node service, for programs that start it themselves. */
export * as Service from "./Service.ts"
export * as ServiceConfig from "./ServiceConfig.ts"
