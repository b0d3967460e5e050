export type { MetricRow } from '@otel-ws/testing'
export { Queue } from '@otel-ws/testing'
export type {
  BroadcastTarget,
  Carrier,
  EventCapabilities,
  EventClient,
  EventCloseCase,
  EventConnectOptions,
  EventHandler,
  EventHarness,
  EventHost,
  EventHostOptions,
  EventNames,
  EventSocket,
  ReceivedEvent,
} from './events/harness.ts'
export { eventText, jsonEventClient } from './events/json-client.ts'
export { confirmContext, socketIoClient, socketIoOptions } from './events/socket-io-client.ts'
export { arounds } from './shared/around.ts'
export type { Connection } from './shared/connection.ts'
export { kindOf } from './shared/kind-of.ts'
export { turns } from './shared/turns.ts'
export {
  foreignVectors,
  type JsonTextVectors,
  jsonTextVectors,
  type NegotiationVectors,
  negotiationVectors,
} from './shared/vectors.ts'
export type {
  Authorize,
  Capabilities,
  CloseFacts,
  ConnectionHandler,
  Harness,
  Host,
  HostOptions,
  HostSocket,
  WsServers,
} from './sockets/harness.ts'
export { closeWsServer, wsHostSocket, wsServerOptions } from './sockets/ws-host.ts'
export { type Closed, connect, TestClient } from './testing/client.ts'
export { type Fault, FaultySdk } from './testing/faulty-sdk.ts'
export { closePayload, decodeFrames, encodeFrame, type Frame, type FrameOptions, OPCODE } from './testing/frames.ts'
export { CONFIRMATION, HEADER_OFFER, QUERY_OFFER } from './testing/offer.ts'
export { type ProcessError, withProcessErrors } from './testing/process-errors.ts'
export { RawClient, rawConnect, type UpgradeOptions } from './testing/raw-client.ts'
export { type GraphSpan, unpairedSpans } from './testing/service-graph.ts'
export { linkTo, milliseconds } from './testing/spans.ts'
export { Telemetry } from './testing/telemetry.ts'
