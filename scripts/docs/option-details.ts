import type { TelemetryOptions } from '@otel-ws/core'

/** Facts of an option for its reference that the table in core does not contain. */
export interface OptionDetail {
  /** Code that sets it, as members of an object. */
  readonly example: string
  /** The value of its variable in an example, for options that have one. */
  readonly variable?: string
  /** Unit of a number. */
  readonly unit?: string
  /** The default in a few words, where the comment's are none for a table. */
  readonly fallback?: string
  /** Servers on which it has an effect, if not on all. */
  readonly servers?: string
}

const ON_WS = '`ws`, Fastify, NestJS on `ws`'

/** Options in the order of the reference, by topic. An option without an entry does not compile. */
export const TOPICS: Readonly<Record<string, Partial<Record<keyof TelemetryOptions, OptionDetail>>>> = {
  'Recorded data': {
    enabled: { example: 'enabled: false', variable: 'false' },
    messages: { example: 'messages: false', variable: 'false' },
    outgoing: { example: 'outgoing: false', variable: 'false' },
    ignore: {
      example: "ignore: { routes: ['/health'], messages: ['ping', /^debug:/] }",
      variable: '/health,/metrics',
    },
    followPromises: {
      example: "followPromises: 'all'",
      variable: 'all',
      servers: 'hosts that discard what handlers return; Nest handles it, and Fastify that of its route handlers',
    },
    frames: { example: 'frames: true', variable: 'true', servers: ON_WS },
    messageSizeMetric: { example: 'messageSizeMetric: true', variable: 'true' },
    shutdownTimeout: { example: 'shutdownTimeout: 2_000', variable: '2000', unit: 'milliseconds' },
    connectionAttributes: {
      example: "connectionAttributes: ({ headers }) => ({ 'app.tenant': String(headers['x-tenant']) })",
    },
    metricAttributes: {
      example:
        "connectionAttributes: ({ headers }) => ({ 'app.plan': String(headers['x-plan']) }), metricAttributes: ['app.plan']",
      variable: 'app.plan',
    },
    idleTimeout: {
      example: 'idleTimeout: 60_000',
      fallback: 'idle connections are not counted',
      variable: '60000',
      unit: 'milliseconds',
    },
    sessionId: { example: 'sessionId: true', variable: 'true', servers: 'Socket.IO, NestJS on Socket.IO' },
    trustProxy: { example: 'trustProxy: 1', fallback: "the host's own setting, else `false`", variable: '1' },
    redactQuery: { example: "redactQuery: ['invitation']", variable: 'invitation,room-number' },
    allowQuery: { example: "allowQuery: ['country_code']", variable: 'country_code' },
  },
  'Traces and sampling': {
    traces: { example: "traces: 'connection'", variable: 'connection' },
    spanKinds: { example: "spanKinds: 'messaging'", variable: 'messaging' },
    maxConnectionSpanAge: { example: 'maxConnectionSpanAge: 60_000', variable: '60000', unit: 'milliseconds' },
    maxConnectionSpanMessages: { example: 'maxConnectionSpanMessages: 100', variable: '100', unit: 'messages' },
    maxChildSpans: { example: 'maxChildSpans: 100', variable: '100', unit: 'messages' },
    messageSampling: { example: "messageSampling: 'connection'", variable: 'connection' },
    maxSpansPerSecond: { example: 'maxSpansPerSecond: 200', variable: '200', unit: 'spans per second' },
    aggregate: { example: "messageName: '$.type', aggregate: ['cursor', 'mousemove']", variable: 'cursor,mousemove' },
    keep: {
      example: 'keep: { errors: true, slowerThan: 250, maxPerSecond: 20 }',
      variable: 'errors, slowerThan=250',
      fallback: 'nothing is kept',
    },
    keepTracerProvider: {
      example: 'keep: { errors: true }, keepTracerProvider: new TracerProvider({ sampler: new AlwaysOnSampler() })',
      fallback: 'the one for all spans',
    },
    maxSamplerAsksPerSecond: {
      example: 'maxSamplerAsksPerSecond: 10',
      variable: '10',
      unit: 'times per second',
      fallback: '1 for samplers that may limit a rate',
    },
    maxMessageSpansPerSecond: { example: 'maxMessageSpansPerSecond: 50', variable: '50', unit: 'spans per second' },
  },
  Names: {
    messageName: { example: "messageName: '$.type'", variable: '$.type' },
    maxMessageNames: { example: 'maxMessageNames: 500', variable: '500', unit: 'names' },
    maxMessageNameLength: { example: 'maxMessageNameLength: 32', variable: '32', unit: 'characters' },
    route: { example: "route: '/chat/:room'", variable: '/chat/:room', servers: '`ws`; the others have routes' },
  },
  Operations: {
    protocol: {
      example: "protocol: 'graphql-transport-ws'",
      variable: 'json id=$.id name=$.type error=$.error',
      fallback: 'by the subprotocol or the first messages',
      servers: ON_WS,
    },
    operationNames: {
      example: "operationNames: ['GetUser', 'ListOrders']",
      variable: 'GetUser,ListOrders',
      servers: ON_WS,
      fallback: 'those that succeed',
    },
    streamItems: { example: 'streamItems: true', variable: 'true', servers: ON_WS },
    maxOperations: { example: 'maxOperations: 100', variable: '100', unit: 'operations', servers: ON_WS },
    maxOperationAge: {
      example: 'maxOperationAge: 60_000',
      variable: '60000',
      unit: 'milliseconds',
      servers: ON_WS,
    },
  },
  'Context of peers': {
    trustProxy: {
      example: 'trustProxy: true',
      variable: 'true',
      fallback: "the host's own setting, otherwise `false`",
    },
    remoteContext: {
      example: "remoteContext: ({ headers }) => (headers.origin === undefined ? 'parent' : 'link')",
      variable: 'link',
    },
    propagation: { example: "propagation: 'off'", variable: 'off' },
    carrierName: { example: "propagation: 'always', carrierName: 'trace_context'", variable: 'trace_context' },
    authorities: { example: "authorities: ['chat.example.com']", variable: 'chat.example.com,localhost:8080' },
    messageContext: {
      fallback: 'none',
      example: 'messageContext: (data, binary) => (binary ? { traceparent: String(data.subarray(0, 55)) } : undefined)',
    },
  },
  'Slow and dead connections': {
    slowConsumerBytes: { example: 'slowConsumerBytes: 64 * 1024', variable: '65536', unit: 'bytes' },
    heartbeatInterval: {
      example: 'heartbeatInterval: 30_000',
      fallback: 'no pings',
      variable: '30000',
      unit: 'milliseconds',
      servers: `${ON_WS}; Socket.IO has its own`,
    },
    heartbeatTimeout: {
      example: 'heartbeatInterval: 30_000, heartbeatTimeout: 10_000',
      variable: '10000',
      unit: 'milliseconds',
      servers: ON_WS,
    },
    heartbeatTerminate: {
      example: 'heartbeatInterval: 30_000, heartbeatTerminate: true',
      variable: 'true',
      servers: ON_WS,
    },
  },
  Closes: {
    closeErrors: { example: "closeErrors: ['server_error', 'abnormal']", variable: 'server_error,abnormal' },
    closeCodes: { example: 'closeCodes: [4001, 4003]', variable: '4001,4003' },
    closeReason: { example: 'closeReason: true', variable: 'true' },
  },
  Hooks: {
    around: { example: 'around: (run) => storage.run(new Map(), run)' },
    isError: {
      example: 'isError: (error) => !(error instanceof InvalidInput)',
      fallback: 'every error, but not a refusal in NestJS',
    },
    onHandshake: { example: "onHandshake: (span, { headers }) => ({ 'app.tenant': headers['x-tenant'] })" },
    onMessage: { example: "onMessage: (span, { data }) => ({ 'app.size': data.length })" },
    onClose: { example: "onClose: (span, { duration }) => ({ 'app.minutes': Math.round(duration / 60) })" },
  },
  Providers: {
    tracerProvider: { example: 'tracerProvider: new TracerProvider()' },
    meterProvider: { example: 'meterProvider: new MeterProvider()' },
  },
}
