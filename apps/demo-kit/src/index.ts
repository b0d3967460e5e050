export { type Demo, type DemoOption, type DemoSettings, type RunningDemo, runDemo } from './demo.ts'
export { type NodeTelemetryOptions, startNodeTelemetry } from './node-telemetry.ts'
export type { RemoteTelemetry } from './remote-telemetry.ts'
