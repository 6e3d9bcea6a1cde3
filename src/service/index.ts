/** The Node service, for programs that start it themselves, and what makes a gateway embedded on a Node server as fast. */
export * as NodeRepeatedHeaders from "./NodeRepeatedHeaders.ts"
export * as NodeRequestBody from "./NodeRequestBody.ts"
export * as Service from "./Service.ts"
export * as ServiceConfig from "./ServiceConfig.ts"
