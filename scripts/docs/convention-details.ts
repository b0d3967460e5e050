/** What the registry of conventions says about an attribute beside the comment of the schema. */
export interface AttributeDetail {
  /** Type of its values, or all values that it can have. */
  readonly type: 'string' | 'int' | 'double' | 'boolean' | 'string[]' | readonly string[]
  /** Needed for strings and lists of strings that have no fixed values. */
  readonly examples?: readonly (string | number | readonly string[])[]
  /** Condition under which a span or metric has it. Default: recommended, or opt-in if the comment names an option that is needed. */
  readonly when?: string
}

const IF_ACKNOWLEDGED = 'If the sender waits for an acknowledgement.'
const IF_ATTEMPT_IS_REPEATED = 'If the attempt replaces a connection that was lost.'
const IF_CHANGED = 'If it has changed since the last span of the connection and direction.'
const IF_NAMED = 'If the message has a name.'
const IF_OPERATION = 'If the message belongs to an operation of the protocol.'
const IF_STREAMED = 'If the answer is streamed.'
const IF_PROXY_IS_TRUSTED = 'If the client address is that of the original request.'

/** Every attribute whose name begins with `websocket.`. The others are defined by OpenTelemetry. */
export const ATTRIBUTES: Readonly<Record<string, AttributeDetail>> = {
  'websocket.connection.id': {
    type: 'string',
    examples: ['5fb397be34d26b51'],
    when: 'If the handshake was accepted.',
  },
  'websocket.route': { type: 'string', examples: ['/chat/:room'], when: 'If the route template is known.' },
  'websocket.subprotocol': {
    type: 'string',
    examples: ['graphql-transport-ws', 'mqtt'],
    when: 'If a subprotocol was negotiated.',
  },
  'websocket.namespace': { type: 'string', examples: ['/chat'], when: 'If the host has namespaces.' },
  'websocket.session.id': { type: 'string', examples: ['X2nTVEoQ0lZ8bRyzAAAB'] },
  'websocket.message.name': { type: 'string', examples: ['chat.message', 'join', '_OTHER'], when: IF_NAMED },
  'websocket.message.name_original': {
    type: 'string',
    examples: ['order:8412:changed'],
    when: 'If `websocket.message.name` is `_OTHER`.',
  },
  'websocket.message.type': { type: ['text', 'binary'] },
  'websocket.message.size': { type: 'int', examples: [512] },
  'websocket.message.sequence': { type: 'int', examples: [1, 27] },
  'websocket.message.direction': { type: ['receive', 'send'] },
  'websocket.message.carrier.error': {
    type: ['malformed', 'oversized', 'invalid'],
    when: 'If a received context was not used.',
  },
  'websocket.message.frames': { type: 'int', examples: [3] },
  'websocket.message.receive_time': { type: 'double', examples: [0.012] },
  'websocket.message.send_time': { type: 'double', examples: [0.004] },
  'websocket.broadcast.recipients': { type: 'int', examples: [250] },
  'websocket.broadcast.skipped': { type: 'int', examples: [2] },
  'websocket.deliver.lag': { type: 'double', examples: [0.0031] },
  'websocket.ack.outcome': { type: ['ok', 'timeout', 'disconnected'], when: IF_ACKNOWLEDGED },
  'websocket.stream.items': { type: 'int', examples: [42], when: IF_STREAMED },
  'websocket.stream.time_to_first_item': { type: 'double', examples: [0.31], when: IF_STREAMED },
  'websocket.stream.time_to_last_item': { type: 'double', examples: [2.7], when: IF_STREAMED },
  'websocket.stream.item_interval': { type: 'double', examples: [0.058], when: IF_STREAMED },
  'websocket.stream.bytes': { type: 'int', examples: [18_400], when: IF_STREAMED },
  'websocket.stream.outcome': { type: ['completed', 'failed', 'cancelled', 'disconnected'], when: IF_STREAMED },
  'websocket.protocol': {
    type: 'string',
    examples: ['graphql-transport-ws', 'trpc', 'json-rpc'],
    when: 'If the protocol of the connection is known.',
  },
  'websocket.operation.name': { type: 'string', examples: ['OnMessage', 'post.add', '_OTHER'], when: IF_OPERATION },
  'websocket.operation.type': {
    type: 'string',
    examples: ['query', 'mutation', 'subscription', 'call', 'stream', 'join'],
    when: IF_OPERATION,
  },
  'websocket.operation.id': { type: 'string', examples: ['7', 'a3f1c2d4'], when: IF_OPERATION },
  'websocket.operation.outcome': {
    type: ['ok', 'error', 'cancelled', 'disconnected', 'timeout', 'abandoned', 'unknown'],
    when: 'If the operation has ended.',
  },
  'websocket.operation.duration': { type: 'double', examples: [12.5] },
  'websocket.batch.size': { type: 'int', examples: [3], when: 'If the message begins several operations.' },
  'websocket.close.code': { type: 'int', examples: [1000, 1006, 4001] },
  'websocket.close.category': {
    type: [
      'normal',
      'going_away',
      'no_status',
      'abnormal',
      'protocol_error',
      'policy',
      'too_big',
      'server_error',
      'restart',
      'timeout',
      'application',
      'other',
    ],
  },
  'websocket.close.initiator': { type: ['local', 'remote', 'network'] },
  'websocket.close.reason': { type: 'string', examples: ['session expired'] },
  'websocket.connection.duration': { type: 'double', examples: [841.2] },
  'websocket.connection.partial': {
    type: 'boolean',
    when: 'If the connection was open before its server was traced.',
  },
  'websocket.connection.messages.received': { type: 'int', examples: [120] },
  'websocket.connection.messages.sent': { type: 'int', examples: [480] },
  'websocket.connection.bytes.received': { type: 'int', examples: [61_440] },
  'websocket.connection.bytes.sent': { type: 'int', examples: [245_760] },
  'websocket.connection.messages.received.unrecorded': { type: 'int', examples: [108], when: IF_CHANGED },
  'websocket.connection.messages.sent.unrecorded': { type: 'int', examples: [12], when: IF_CHANGED },
  'websocket.connection.messages.sent.broadcast': { type: 'int', examples: [420], when: IF_CHANGED },
  'websocket.ping.rtt': { type: 'double', examples: [0.043], when: 'If a ping was answered.' },
  'websocket.send.buffered': { type: 'int', examples: [1_048_576] },
  'websocket.connection.spans.dropped': {
    type: 'int',
    examples: [77],
    when: 'If spans were not created because of a budget.',
  },
  'websocket.transport': {
    type: ['websocket', 'polling', 'webtransport'],
    when: 'If the host has several transports.',
  },
  'websocket.connection.recovered': {
    type: 'boolean',
    when: 'If the connection continues an earlier one of the same client.',
  },
  'websocket.handshake.outcome': { type: ['accepted', 'rejected', 'abandoned', 'failed'] },
  'websocket.reconnect.attempt': { type: 'int', examples: [1, 4], when: IF_ATTEMPT_IS_REPEATED },
  'websocket.reconnect.downtime': { type: 'double', examples: [2.4], when: IF_ATTEMPT_IS_REPEATED },
  'websocket.process.end': { type: ['returned'], when: 'If a handler returned a promise that was not followed.' },
  'websocket.span.ended_by': {
    type: ['age', 'shutdown', 'disconnect'],
    when: 'If the span or measurement ended before its operation.',
  },
  'websocket.sampling.inherited': {
    type: 'boolean',
    when: "If the sampling decision is that of the connection's handshake.",
  },
  'websocket.message.malformed': { type: ['json'], when: 'If the name could not be read from the message.' },
  'websocket.broadcast.rooms': {
    type: 'string[]',
    examples: [['room-1', 'room-2']],
    when: 'If the broadcast goes to rooms.',
  },
  'websocket.broadcast.except': {
    type: 'string[]',
    examples: [['room-3']],
    when: 'If the broadcast leaves out rooms or connections.',
  },
  'websocket.room.change': { type: ['join', 'leave'] },
  'websocket.message.delivery': { type: ['personal', 'broadcast'], when: 'If the message is sent and has a name.' },
  'websocket.link.kind': {
    type: ['handshake', 'receiver', 'cause', 'segment', 'previous', 'operation', 'message'],
  },
  'websocket.send.undelivered.reason': {
    type: ['not_open', 'error', 'ack_timeout', 'volatile'],
    when: 'If the message was not delivered.',
  },
  'websocket.spans.drop.reason': { type: ['connection_budget', 'process_budget', 'keep_limit'] },
  'websocket.keep.reason': {
    type: ['error', 'close', 'slow'],
    when: 'If the message is recorded although it was not sampled, or was over a budget.',
  },
  'websocket.aggregate.messages': { type: 'int', examples: [310] },
  'websocket.aggregate.bytes': { type: 'int', examples: [9_920] },
  'websocket.aggregate.longest': { type: 'double', examples: [0.021] },
  'websocket.aggregate.failures': { type: 'int', examples: [1] },
}

/** Conditions of the attributes that OpenTelemetry defines, where spans or metrics do not always have them. */
export const CONDITIONS: Readonly<Record<string, string>> = {
  'error.type': 'If the operation failed.',
  'error.message': 'If the application rejected the handshake with an error.',
  'code.function.name': 'If the host knows the class and method of the handler.',
  'http.response.status_code': 'If the upgrade request was answered.',
  'http.route': 'If the route template is known.',
  'url.query': 'If the URL has a query.',
  'network.peer.address': IF_PROXY_IS_TRUSTED,
  'network.peer.port': IF_PROXY_IS_TRUSTED,
}

/** Attributes of the events of spans, by the constant of the event's name. */
export const EVENTS: Readonly<Record<string, { readonly span: string; readonly attributes: readonly string[] }>> = {
  EVENT_CONNECTION_BUFFERED: {
    span: 'slow consumers',
    attributes: ['websocket.connection.id', 'websocket.send.buffered', 'websocket.ping.rtt'],
  },
}

/** Attributes by the words that the tags `@attributes` of instruments use for them. */
export const WORDS: Readonly<Record<string, string>> = {
  route: 'websocket.route',
  namespace: 'websocket.namespace',
  subprotocol: 'websocket.subprotocol',
  'message name': 'websocket.message.name',
  direction: 'websocket.message.direction',
  type: 'websocket.message.type',
  delivery: 'websocket.message.delivery',
  reason: 'websocket.send.undelivered.reason',
  'close category': 'websocket.close.category',
  initiator: 'websocket.close.initiator',
  code: 'websocket.close.code',
  'ack outcome': 'websocket.ack.outcome',
  protocol: 'websocket.protocol',
  'operation name': 'websocket.operation.name',
  'operation type': 'websocket.operation.type',
  'operation outcome': 'websocket.operation.outcome',
}
