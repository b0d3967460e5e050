export { type Closed, connect, TestClient } from './client.ts'
export type {
  BroadcastTarget,
  EventCapabilities,
  EventClient,
  EventClose,
  EventHandler,
  EventHarness,
  EventHost,
  EventHostOptions,
  EventNames,
  EventSocket,
} from './events/harness.ts'
export { socketIoClient } from './events/socket-io-client.ts'
export { closePayload, decodeFrames, encodeFrame, type Frame, type FrameOptions, OPCODE } from './frames.ts'
export type { Capabilities, Connection, ConnectionHandler, Harness, Host, HostOptions } from './harness.ts'
export { type ProcessError, withProcessErrors } from './process-errors.ts'
export { Queue } from './queue.ts'
export { RawClient, rawConnect, type UpgradeOptions } from './raw-client.ts'
export { linkTo, type MetricRow, milliseconds, Telemetry } from './telemetry.ts'
export { type JsonTextVectors, jsonTextVectors, type NegotiationVectors, negotiationVectors } from './vectors.ts'
export { closeWsServer } from './ws-server.ts'
