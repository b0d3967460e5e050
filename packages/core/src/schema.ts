/*
 * Every name that otel-ws emits. `docs/telemetry.md` is generated from the declarations and comments of this file,
 * so a name is written here and nowhere else. Constants follow the naming of @opentelemetry/semantic-conventions;
 * names of stable conventions are copied here so that core needs no second dependency.
 */

/** Version of the semantic conventions that the stable names are from: the `schemaUrl` of every instrumentation scope. */
export const SCHEMA_URL = 'https://opentelemetry.io/schemas/1.37.0'

/** Always `websocket`. @on connection, close */
export const ATTR_NETWORK_PROTOCOL_NAME = 'network.protocol.name'
/** `tcp`, `unix` for a Unix domain socket or named pipe, or `quic` for WebTransport. @on connection, close */
export const ATTR_NETWORK_TRANSPORT = 'network.transport'

/** Random id of the connection, 16 hex digits. Rejected handshakes have none. @on all spans but broadcast and deliver */
export const ATTR_WEBSOCKET_CONNECTION_ID = 'websocket.connection.id'
/** Route template the connection was opened on, never a raw path. @on all spans, metrics */
export const ATTR_WEBSOCKET_ROUTE = 'websocket.route'
/** Negotiated subprotocol, if there is one; `REDACTED` if it looks like a token. @on all spans, metrics */
export const ATTR_WEBSOCKET_SUBPROTOCOL = 'websocket.subprotocol'
/** Namespace, such as `/chat`, on hosts with namespaces. @on all spans, metrics */
export const ATTR_WEBSOCKET_NAMESPACE = 'websocket.namespace'
/** Session id of the host library; with option `sessionId` only. @on all spans */
export const ATTR_WEBSOCKET_SESSION_ID = 'websocket.session.id'

/** Name of the message, of bounded cardinality: `_OTHER` once a limit is exceeded. @on process, send, broadcast, deliver, aggregate, metrics */
export const ATTR_WEBSOCKET_MESSAGE_NAME = 'websocket.message.name'
/** The original name, if `websocket.message.name` is `_OTHER`; cut at 128 characters. @on process, send, broadcast, deliver */
export const ATTR_WEBSOCKET_MESSAGE_NAME_ORIGINAL = 'websocket.message.name_original'
/** `text` or `binary`. @on process, send, broadcast, metrics */
export const ATTR_WEBSOCKET_MESSAGE_TYPE = 'websocket.message.type'
/** Payload in bytes, uncompressed; UTF-8 for text. @on process, send, broadcast */
export const ATTR_WEBSOCKET_MESSAGE_SIZE = 'websocket.message.size'
/** Position of the message in its connection and direction, from 1, counted also for messages that are not sampled. @on process, send */
export const ATTR_WEBSOCKET_MESSAGE_SEQUENCE = 'websocket.message.sequence'
/** `receive` or `send`. @on metrics */
export const ATTR_WEBSOCKET_MESSAGE_DIRECTION = 'websocket.message.direction'
/** Why the received context was not used: `malformed` or `oversized` (it is still in the message), or `invalid`. @on process */
export const ATTR_WEBSOCKET_MESSAGE_CARRIER_ERROR = 'websocket.message.carrier.error'
/** Number of frames of the message; with option `frames` only. @on process, send */
export const ATTR_WEBSOCKET_MESSAGE_FRAMES = 'websocket.message.frames'
/** Seconds from the first frame of the message to its last; with option `frames` only. @on process */
export const ATTR_WEBSOCKET_MESSAGE_RECEIVE_TIME = 'websocket.message.receive_time'
/** Seconds from the call to the flush of the last frame; with option `frames` only. @on send */
export const ATTR_WEBSOCKET_MESSAGE_SEND_TIME = 'websocket.message.send_time'

/** Connections of this node that the message was sent to. @on broadcast, deliver */
export const ATTR_WEBSOCKET_BROADCAST_RECIPIENTS = 'websocket.broadcast.recipients'
/** Connections that were skipped because they were not open. @on broadcast, deliver */
export const ATTR_WEBSOCKET_BROADCAST_SKIPPED = 'websocket.broadcast.skipped'

/** Seconds from the publication of a broadcast on one node to its arrival on this one, by the clocks of both. @on deliver */
export const ATTR_WEBSOCKET_DELIVER_LAG = 'websocket.deliver.lag'

/** How the wait for an acknowledgement ended: `ok`, `timeout` or `disconnected`. @on process, send, broadcast, metrics */
export const ATTR_WEBSOCKET_ACK_OUTCOME = 'websocket.ack.outcome'

/** Items of a streamed answer. @on process, complete */
export const ATTR_WEBSOCKET_STREAM_ITEMS = 'websocket.stream.items'
/** Seconds from the start of the process span, or of the operation, to the first item. @on process, complete */
export const ATTR_WEBSOCKET_STREAM_TIME_TO_FIRST_ITEM = 'websocket.stream.time_to_first_item'
/** Seconds from the start of the process span to the last item. @on process */
export const ATTR_WEBSOCKET_STREAM_TIME_TO_LAST_ITEM = 'websocket.stream.time_to_last_item'
/** Mean seconds between two items. @on process */
export const ATTR_WEBSOCKET_STREAM_ITEM_INTERVAL = 'websocket.stream.item_interval'

/** Payload bytes of the items. @on complete */
export const ATTR_WEBSOCKET_STREAM_BYTES = 'websocket.stream.bytes'
/** How a streamed answer ended: `completed`, `failed`, `cancelled` by its receiver, or `disconnected`. @on process, metrics */
export const ATTR_WEBSOCKET_STREAM_OUTCOME = 'websocket.stream.outcome'

/** Protocol whose operations are recorded: `graphql-transport-ws`, `trpc`, `json-rpc`, … or the name of a protocol of the application. @on spans of connections with a protocol, metrics of operations */
export const ATTR_WEBSOCKET_PROTOCOL = 'websocket.protocol'
/** Name of the operation, of bounded cardinality: `_OTHER` once a limit is exceeded. @on process, send, complete, metrics of operations */
export const ATTR_WEBSOCKET_OPERATION_NAME = 'websocket.operation.name'
/** `query`, `mutation`, `subscription`, `call`, `stream`, `join`, or what the protocol of an application calls it. @on process, send, complete, metrics of operations */
export const ATTR_WEBSOCKET_OPERATION_TYPE = 'websocket.operation.type'
/** Id that relates the messages of an operation, cut at 64 characters; a hash where ids are content. @on process, send, complete */
export const ATTR_WEBSOCKET_OPERATION_ID = 'websocket.operation.id'
/** `ok`, `error`, `cancelled`, `disconnected`, `timeout`, `abandoned` (its id was used again, or too many were open) or `unknown` (the answer was not read to its end). @on process, send, complete, metrics of operations */
export const ATTR_WEBSOCKET_OPERATION_OUTCOME = 'websocket.operation.outcome'
/** Seconds from the request to the end of the operation. @on complete */
export const ATTR_WEBSOCKET_OPERATION_DURATION = 'websocket.operation.duration'
/** Operations that one message begins. @on process */
export const ATTR_WEBSOCKET_BATCH_SIZE = 'websocket.batch.size'

/** Effective close code (RFC 6455, section 7.4). @on close, metrics */
export const ATTR_WEBSOCKET_CLOSE_CODE = 'websocket.close.code'
/** `normal`, `going_away`, `no_status`, `abnormal`, `protocol_error`, `policy`, `too_big`, `server_error`, `restart`, `timeout`, `application`, `other`. @on close, metrics */
export const ATTR_WEBSOCKET_CLOSE_CATEGORY = 'websocket.close.category'
/** `local`, `remote` or `network`: which side sent the first close frame, or closed first. @on handshake, close, metrics */
export const ATTR_WEBSOCKET_CLOSE_INITIATOR = 'websocket.close.initiator'
/** Reason text of the close frame, cut at 123 bytes; with option `closeReason` only. @on close */
export const ATTR_WEBSOCKET_CLOSE_REASON = 'websocket.close.reason'
/** Seconds from the 101 to the close. @on close */
export const ATTR_WEBSOCKET_CONNECTION_DURATION = 'websocket.connection.duration'
/** `true` if the connection was open before its server was traced: its totals begin at that time. @on close */
export const ATTR_WEBSOCKET_CONNECTION_PARTIAL = 'websocket.connection.partial'
/** Messages received on the connection. @on close */
export const ATTR_WEBSOCKET_CONNECTION_MESSAGES_RECEIVED = 'websocket.connection.messages.received'
/** Messages sent on the connection. @on close */
export const ATTR_WEBSOCKET_CONNECTION_MESSAGES_SENT = 'websocket.connection.messages.sent'
/** Payload bytes received on the connection. @on close */
export const ATTR_WEBSOCKET_CONNECTION_BYTES_RECEIVED = 'websocket.connection.bytes.received'
/** Payload bytes sent on the connection. @on close */
export const ATTR_WEBSOCKET_CONNECTION_BYTES_SENT = 'websocket.connection.bytes.sent'
/** Messages received so far that have no span, because they were not sampled, over budget or ignored. Absent while unchanged since the last span. @on process, close */
export const ATTR_WEBSOCKET_CONNECTION_RECEIVED_UNRECORDED = 'websocket.connection.messages.received.unrecorded'
/** Messages sent so far that have neither a span nor a broadcast's. Absent while unchanged since the last span. @on send, close */
export const ATTR_WEBSOCKET_CONNECTION_SENT_UNRECORDED = 'websocket.connection.messages.sent.unrecorded'
/** Messages sent so far as members of broadcasts, which have one span for all recipients. Absent while unchanged since the last span. @on send, close */
export const ATTR_WEBSOCKET_CONNECTION_SENT_BROADCAST = 'websocket.connection.messages.sent.broadcast'
/** Seconds of the connection's last round trip of ping and pong, if there was one. @on close */
export const ATTR_WEBSOCKET_PING_RTT = 'websocket.ping.rtt'
/** Bytes that the host has accepted and not yet written, By. @on slow consumers */
export const ATTR_WEBSOCKET_SEND_BUFFERED = 'websocket.send.buffered'
/** Name of the span that lists the connections with the most buffered bytes. */
export const SPAN_SLOW_CONSUMERS = 'slow consumers'
/** Name of its events, one for each connection. */
export const EVENT_CONNECTION_BUFFERED = 'websocket.connection.buffered'
/** Message spans that were not created because the connection exceeded `maxMessageSpansPerSecond`, or the process `maxSpansPerSecond` or `keep.maxPerSecond`. @on close */
export const ATTR_WEBSOCKET_CONNECTION_SPANS_DROPPED = 'websocket.connection.spans.dropped'

/** Transport, on hosts with several: `websocket`, `polling` or `webtransport`. On the handshake the first, on the close the last of the connection. @on handshake, close */
export const ATTR_WEBSOCKET_TRANSPORT = 'websocket.transport'
/** The connection continues an earlier one of the same client. @on handshake */
export const ATTR_WEBSOCKET_CONNECTION_RECOVERED = 'websocket.connection.recovered'

/** `accepted`, `rejected` or `abandoned`; for a client's connect also `failed`, if the reason is unknown. @on handshake, connect, metrics */
export const ATTR_WEBSOCKET_HANDSHAKE_OUTCOME = 'websocket.handshake.outcome'
/** Number of this attempt to replace a lost connection, from 1. @on connect */
export const ATTR_WEBSOCKET_RECONNECT_ATTEMPT = 'websocket.reconnect.attempt'
/** Seconds from the loss of the connection to this attempt. @on connect */
export const ATTR_WEBSOCKET_RECONNECT_DOWNTIME = 'websocket.reconnect.downtime'
/** `returned`: a handler that is no `async` function returned a promise, which was not followed (option `followPromises`). @on process, open, disconnect */
export const ATTR_WEBSOCKET_PROCESS_END = 'websocket.process.end'
/** Why the span ended before its operation: `age`, `shutdown` or `disconnect` (the connection closed before); on durations `disconnect` only. @on handshake, open, process, send, connection, metrics */
export const ATTR_WEBSOCKET_SPAN_ENDED_BY = 'websocket.span.ended_by'
/** `true`: the span has the sampling decision of its connection's handshake, by `connectionSampler`. @on process */
export const ATTR_WEBSOCKET_SAMPLING_INHERITED = 'websocket.sampling.inherited'
/** `json`: a text that should have a name by option `messageName` has none, because it is no JSON. @on process */
export const ATTR_WEBSOCKET_MESSAGE_MALFORMED = 'websocket.message.malformed'
/** Rooms that a broadcast goes to: the first 10, each cut at 64 characters. @on broadcast, deliver */
export const ATTR_WEBSOCKET_BROADCAST_ROOMS = 'websocket.broadcast.rooms'
/** Rooms that a broadcast leaves out, and sockets by their id: the first 10, each cut at 64 characters. @on broadcast, deliver */
export const ATTR_WEBSOCKET_BROADCAST_EXCEPT = 'websocket.broadcast.except'
/** `join` or `leave`. @on metrics */
export const ATTR_WEBSOCKET_ROOM_CHANGE = 'websocket.room.change'
/** `personal` or `broadcast`: whether a message was sent to one connection or to several. @on metrics */
export const ATTR_WEBSOCKET_MESSAGE_DELIVERY = 'websocket.message.delivery'
/** Target of a link: `handshake`, `receiver` (the handshake of the connection that a message is sent to, where another connection's message caused it), `cause` (the span whose code closed the connection), `segment` (the previous segment of a connection span), `previous` (the lost connection that this one replaces), `operation` (that an end or a repetition belongs to) or `message`. @on links */
export const ATTR_WEBSOCKET_LINK_KIND = 'websocket.link.kind'
/** Why a message was not delivered: `not_open`, `error`, `ack_timeout` or `volatile`; on spans `volatile` only, the others are errors. @on send, metrics */
export const ATTR_WEBSOCKET_UNDELIVERED_REASON = 'websocket.send.undelivered.reason'

/** Budget that was used up: `connection_budget` (`maxMessageSpansPerSecond`), `process_budget` (`maxSpansPerSecond`) or `keep_limit` (`keep.maxPerSecond`). @on metrics */
export const ATTR_WEBSOCKET_SPANS_DROP_REASON = 'websocket.spans.drop.reason'

/** Why a message is recorded although it was not sampled, by option `keep`, or was over a budget: `error`, `close` (its code closed the connection abnormally, or it was open when the connection ended so) or `slow`. @on process */
export const ATTR_WEBSOCKET_KEEP_REASON = 'websocket.keep.reason'

/** Messages of one name that were received in the time of the span. @on aggregate */
export const ATTR_WEBSOCKET_AGGREGATE_MESSAGES = 'websocket.aggregate.messages'
/** Payload of these messages in bytes, uncompressed. @on aggregate */
export const ATTR_WEBSOCKET_AGGREGATE_BYTES = 'websocket.aggregate.bytes'
/** Seconds that the handlers of one of them took at most. @on aggregate */
export const ATTR_WEBSOCKET_AGGREGATE_LONGEST = 'websocket.aggregate.longest'
/** Those whose handlers failed. @on aggregate */
export const ATTR_WEBSOCKET_AGGREGATE_FAILURES = 'websocket.aggregate.failures'

/** Class and method of the handler, such as `ChatGateway.onMessage`. @on process, open, disconnect */
export const ATTR_CODE_FUNCTION_NAME = 'code.function.name'

/** Message of the error with which the application rejected the handshake, cut at 256 characters. @on handshake */
export const ATTR_ERROR_MESSAGE = 'error.message'
/** Class name of an error, or its code; for a rejected handshake the status code. @on spans and metrics of failures */
export const ATTR_ERROR_TYPE = 'error.type'
/** Method of the upgrade request. @on handshake */
export const ATTR_HTTP_REQUEST_METHOD = 'http.request.method'
/** Status of the answer to the upgrade request. @on handshake, connect, metrics */
export const ATTR_HTTP_RESPONSE_STATUS_CODE = 'http.response.status_code'
/** Route template. @on handshake */
export const ATTR_HTTP_ROUTE = 'http.route'
/** Path of the upgrade request; segments that look like tokens are `REDACTED`. @on handshake, connect */
export const ATTR_URL_PATH = 'url.path'
/** Query of the upgrade request; the values of secret parameters, and values that look like tokens, are `REDACTED`. @on handshake */
export const ATTR_URL_QUERY = 'url.query'
/** `ws` or `wss`; of the original request, if proxies are trusted. @on handshake, connect */
export const ATTR_URL_SCHEME = 'url.scheme'
/** Requested host; of the original request, if proxies are trusted. @on handshake, connect */
export const ATTR_SERVER_ADDRESS = 'server.address'
/** Requested port. @on handshake, connect */
export const ATTR_SERVER_PORT = 'server.port'
/** Address of the client; that of the original request, if proxies are trusted. @on handshake */
export const ATTR_CLIENT_ADDRESS = 'client.address'
/** Port of the client, if it is known. @on handshake */
export const ATTR_CLIENT_PORT = 'client.port'
/** Address of the proxy, if `client.address` is that of the original request. @on handshake */
export const ATTR_NETWORK_PEER_ADDRESS = 'network.peer.address'
/** Port of the proxy, if `client.address` is that of the original request. @on handshake */
export const ATTR_NETWORK_PEER_PORT = 'network.peer.port'
/** The client's `User-Agent`. @on handshake */
export const ATTR_USER_AGENT_ORIGINAL = 'user_agent.original'

/** Value of a bounded attribute once its limit is exceeded, as in the semantic conventions. */
export const OTHER = '_OTHER'

/** Buckets for connection lifetimes: 1 s to 1 day. */
const LIFETIME_BUCKETS = [1, 5, 15, 30, 60, 300, 900, 1800, 3600, 14400, 43200, 86400]
/** Buckets for handlers, round trips and other short durations: 100 µs to 10 s. */
const LATENCY_BUCKETS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
]
/** Buckets for message sizes: powers of 4 from 64 B to 16 MiB. */
const SIZE_BUCKETS = [64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216]
/** Buckets for fan-outs: 1-2-5 series up to 100,000 connections. */
const RECIPIENT_BUCKETS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000]

/** Definition of an instrument: name, kind, UCUM unit, description and bucket boundaries. */
export interface InstrumentSchema {
  readonly name: string
  readonly type: 'histogram' | 'counter' | 'observable counter' | 'observable up-down counter' | 'observable gauge'
  readonly unit: string
  readonly description: string
  readonly buckets?: number[]
}

/** @attributes route, namespace, subprotocol */
export const METRIC_CONNECTION_ACTIVE = {
  name: 'websocket.server.connection.active',
  type: 'observable up-down counter',
  unit: '{connection}',
  description: 'Connections that are open.',
} as const satisfies InstrumentSchema
/** @attributes route, namespace, subprotocol, close category, initiator, code */
export const METRIC_CONNECTION_DURATION = {
  name: 'websocket.server.connection.duration',
  type: 'histogram',
  unit: 's',
  description: 'Time from the 101 to the close of a connection.',
  buckets: LIFETIME_BUCKETS,
} as const satisfies InstrumentSchema
/** @attributes route, namespace, subprotocol, outcome, `http.response.status_code`, `error.type` */
export const METRIC_HANDSHAKE_DURATION = {
  name: 'websocket.server.handshake.duration',
  type: 'histogram',
  unit: 's',
  description: 'Time from the upgrade request to its answer.',
  buckets: LATENCY_BUCKETS,
} as const satisfies InstrumentSchema
/** @attributes route, namespace, subprotocol, `error.type`, `websocket.span.ended_by` if the connection closed before */
export const METRIC_OPEN_DURATION = {
  name: 'websocket.server.open.duration',
  type: 'histogram',
  unit: 's',
  description: "Time from the call of the application's connection handler until it has settled.",
  buckets: LATENCY_BUCKETS,
} as const satisfies InstrumentSchema
/** Of each connection. @attributes route, namespace, subprotocol */
export const METRIC_DRAIN_DURATION = {
  name: 'websocket.server.connection.drain.duration',
  type: 'histogram',
  unit: 's',
  description: 'Time from the begin of the close of a server until a connection that it still held has closed.',
  buckets: LATENCY_BUCKETS,
} as const satisfies InstrumentSchema
/** Alert on this one: it contains no wait for an acknowledgement. @attributes route, namespace, subprotocol, message name, `error.type`, `websocket.span.ended_by` if the connection closed before */
export const METRIC_PROCESS_DURATION = {
  name: 'websocket.server.message.process.duration',
  type: 'histogram',
  unit: 's',
  description: 'Time from the dispatch of a message until all of its handlers have settled, or its connection closes.',
  buckets: LATENCY_BUCKETS,
} as const satisfies InstrumentSchema
/** For messages whose sender awaits an acknowledgement: what the sender experiences. It contains the time that the application waits for others before it acknowledges, so alert on `websocket.server.message.process.duration`. @attributes route, namespace, subprotocol, message name, ack outcome */
export const METRIC_ACK_DURATION = {
  name: 'websocket.server.message.ack.duration',
  type: 'histogram',
  unit: 's',
  description: 'Time from the dispatch of a message until its acknowledgement is sent.',
  buckets: LATENCY_BUCKETS,
} as const satisfies InstrumentSchema
/** The duration of such a message was recorded at the close, without the error. @attributes route, namespace, subprotocol, message name, `error.type` */
export const METRIC_PROCESS_LATE_FAILURES = {
  name: 'websocket.server.message.process.late_failures',
  type: 'counter',
  unit: '{message}',
  description: 'Messages whose handlers failed after their connection had closed.',
} as const satisfies InstrumentSchema
/** @attributes route, namespace, subprotocol */
export const METRIC_PROCESS_ACTIVE = {
  name: 'websocket.server.message.process.active',
  type: 'observable up-down counter',
  unit: '{message}',
  description: 'Messages whose handlers have not settled yet, of connections that are open.',
} as const satisfies InstrumentSchema
/** A message with a name is counted by it, and not by its type; one that is sent also by its delivery. @attributes route, namespace, subprotocol, direction, type or message name, delivery */
export const METRIC_MESSAGES = {
  name: 'websocket.server.messages',
  type: 'observable counter',
  unit: '{message}',
  description: 'Messages received and sent.',
} as const satisfies InstrumentSchema
/** @attributes route, namespace, subprotocol, direction */
export const METRIC_IO = {
  name: 'websocket.server.io',
  type: 'observable counter',
  unit: 'By',
  description: 'Payload bytes received and sent, uncompressed.',
} as const satisfies InstrumentSchema
/** With option `messageSizeMetric` only. @attributes route, namespace, subprotocol, direction */
export const METRIC_MESSAGE_SIZE = {
  name: 'websocket.server.message.size',
  type: 'histogram',
  unit: 'By',
  description: 'Payload of a message, uncompressed.',
  buckets: SIZE_BUCKETS,
} as const satisfies InstrumentSchema
/** Sum over connections. @attributes route, namespace, subprotocol */
export const METRIC_SEND_BUFFERED = {
  name: 'websocket.server.send.buffered',
  type: 'observable gauge',
  unit: 'By',
  description: 'Bytes accepted for sending and not yet handed to the kernel.',
} as const satisfies InstrumentSchema
/** Hosts with rooms. The room of a socket's own id is not counted. @attributes route, namespace, `websocket.room.change` */
export const METRIC_ROOM_CHANGES = {
  name: 'websocket.server.room.changes',
  type: 'observable counter',
  unit: '{change}',
  description: 'Connections that have joined or left a room.',
} as const satisfies InstrumentSchema
/** With option `idleTimeout` only. @attributes route, namespace, subprotocol */
export const METRIC_CONNECTION_IDLE = {
  name: 'websocket.server.connection.idle',
  type: 'observable gauge',
  unit: '{connection}',
  description: 'Connections on which neither side has sent a message for a while.',
} as const satisfies InstrumentSchema
/** Once a server of the route has begun to close. @attributes route, namespace, subprotocol */
export const METRIC_CONNECTION_DRAINING = {
  name: 'websocket.server.connection.draining',
  type: 'observable gauge',
  unit: '{connection}',
  description: 'Connections that a server which is closing still holds.',
} as const satisfies InstrumentSchema
/** Above option `slowConsumerBytes`. @attributes route, namespace, subprotocol */
export const METRIC_CONNECTION_SLOW = {
  name: 'websocket.server.connection.slow',
  type: 'observable gauge',
  unit: '{connection}',
  description: 'Connections whose peer reads slower than the application sends.',
} as const satisfies InstrumentSchema
/** @attributes route, namespace, subprotocol, reason */
export const METRIC_SEND_UNDELIVERED = {
  name: 'websocket.server.send.undelivered',
  type: 'observable counter',
  unit: '{message}',
  description: 'Messages the application sent that were not handed to the kernel.',
} as const satisfies InstrumentSchema
/** @attributes route, namespace, subprotocol */
export const METRIC_PING_RTT = {
  name: 'websocket.server.ping.rtt',
  type: 'histogram',
  unit: 's',
  description: 'Time from a ping to its pong, both event loops included.',
  buckets: LATENCY_BUCKETS,
} as const satisfies InstrumentSchema
/** @attributes route, namespace, subprotocol */
export const METRIC_PING_MISSED = {
  name: 'websocket.server.ping.missed',
  type: 'observable counter',
  unit: '{ping}',
  description: 'Pings that were not answered in time.',
} as const satisfies InstrumentSchema
/** @attributes route, namespace, subprotocol, `websocket.spans.drop.reason` */
export const METRIC_SPANS_DROPPED = {
  name: 'websocket.server.spans.dropped',
  type: 'observable counter',
  unit: '{span}',
  description: 'Spans of messages that were not created because a budget was used up.',
} as const satisfies InstrumentSchema
/** @attributes route, namespace, subprotocol, message name */
export const METRIC_BROADCAST_RECIPIENTS = {
  name: 'websocket.server.broadcast.recipients',
  type: 'histogram',
  unit: '{connection}',
  description: 'Local connections a broadcast was sent to.',
  buckets: RECIPIENT_BUCKETS,
} as const satisfies InstrumentSchema
/** @attributes route, namespace, subprotocol, message name */
export const METRIC_BROADCAST_DURATION = {
  name: 'websocket.server.broadcast.duration',
  type: 'histogram',
  unit: 's',
  description: 'Time the fan-out of a broadcast took on this node.',
  buckets: LATENCY_BUCKETS,
} as const satisfies InstrumentSchema
/** By the clocks of both nodes; never less than 0. @attributes route, namespace, subprotocol, message name */
export const METRIC_DELIVER_LAG = {
  name: 'websocket.server.deliver.lag',
  type: 'histogram',
  unit: 's',
  description: 'Time from the publication of a broadcast on one node to its arrival on another.',
  buckets: LATENCY_BUCKETS,
} as const satisfies InstrumentSchema
/** @attributes route, namespace, subprotocol, message name */
export const METRIC_STREAM_FIRST_ITEM_DURATION = {
  name: 'websocket.server.stream.first_item.duration',
  type: 'histogram',
  unit: 's',
  description: 'Time from the dispatch of a message to the first item of its streamed answer.',
  buckets: LATENCY_BUCKETS,
} as const satisfies InstrumentSchema
/** @attributes route, namespace, subprotocol, message name, outcome, `error.type` */
export const METRIC_STREAM_DURATION = {
  name: 'websocket.server.stream.duration',
  type: 'histogram',
  unit: 's',
  description: 'Time from the dispatch of a message to the end of its streamed answer.',
  buckets: LATENCY_BUCKETS,
} as const satisfies InstrumentSchema
/** @attributes route, namespace, subprotocol */
export const METRIC_STREAM_ACTIVE = {
  name: 'websocket.server.stream.active',
  type: 'observable up-down counter',
  unit: '{stream}',
  description: 'Streamed answers that have not ended, also those whose span has.',
} as const satisfies InstrumentSchema

/** Time that the end which serves needs for its answer. A request is recorded here, and not in the duration of messages. @attributes route, namespace, subprotocol, protocol, operation name, operation type, operation outcome, `error.type` */
export const METRIC_OPERATION_DURATION = {
  name: 'websocket.server.operation.duration',
  type: 'histogram',
  unit: 's',
  description:
    'Time from the dispatch of a request until its answer is sent; of one that this end asks, until it arrives.',
  buckets: LATENCY_BUCKETS,
} as const satisfies InstrumentSchema
/** @attributes route, namespace, subprotocol, protocol, operation name, operation type, operation outcome */
export const METRIC_OPERATION_ITEMS = {
  name: 'websocket.server.operation.items',
  type: 'histogram',
  unit: '{item}',
  description: 'Items of a subscription or stream.',
  buckets: RECIPIENT_BUCKETS,
} as const satisfies InstrumentSchema
/** @attributes route, namespace, subprotocol, protocol */
export const METRIC_OPERATION_ACTIVE = {
  name: 'websocket.server.operation.active',
  type: 'observable up-down counter',
  unit: '{operation}',
  description: 'Operations that have not ended, in either direction.',
} as const satisfies InstrumentSchema

/** Defines the client's counterpart of a server's instrument. */
function ofClient<S extends InstrumentSchema>(server: S): Omit<S, 'name'> & { readonly name: string } {
  return { ...server, name: server.name.replace('server', 'client') }
}

/** @attributes route, namespace, outcome, `http.response.status_code`, `error.type` */
export const METRIC_CLIENT_CONNECT_DURATION = {
  name: 'websocket.client.connect.duration',
  type: 'histogram',
  unit: 's',
  description: 'Time from the attempt to connect to its outcome.',
  buckets: LATENCY_BUCKETS,
} as const satisfies InstrumentSchema
/** @attributes route, namespace, subprotocol */
export const METRIC_CLIENT_RECONNECTS = {
  name: 'websocket.client.reconnects',
  type: 'observable counter',
  unit: '{connection}',
  description: 'Connections that replaced one that was lost.',
} as const satisfies InstrumentSchema
/** @attributes route, namespace, subprotocol */
export const METRIC_CLIENT_CONNECTION_ACTIVE = /* @__PURE__ */ ofClient(METRIC_CONNECTION_ACTIVE)
/** @attributes route, namespace, subprotocol, close category, initiator, code */
export const METRIC_CLIENT_CONNECTION_DURATION = /* @__PURE__ */ ofClient(METRIC_CONNECTION_DURATION)
/** @attributes route, namespace, subprotocol, message name, `error.type` */
export const METRIC_CLIENT_PROCESS_DURATION = /* @__PURE__ */ ofClient(METRIC_PROCESS_DURATION)
/** The duration of such a message was recorded at the close, without the error. @attributes route, namespace, subprotocol, message name, `error.type` */
export const METRIC_CLIENT_PROCESS_LATE_FAILURES = /* @__PURE__ */ ofClient(METRIC_PROCESS_LATE_FAILURES)
/** @attributes route, namespace, subprotocol */
export const METRIC_CLIENT_PROCESS_ACTIVE = /* @__PURE__ */ ofClient(METRIC_PROCESS_ACTIVE)
/** @attributes route, namespace, subprotocol, direction, type */
export const METRIC_CLIENT_MESSAGES = /* @__PURE__ */ ofClient(METRIC_MESSAGES)
/** @attributes route, namespace, subprotocol, direction */
export const METRIC_CLIENT_IO = /* @__PURE__ */ ofClient(METRIC_IO)
/** With option `messageSizeMetric` only. @attributes route, namespace, subprotocol, direction */
export const METRIC_CLIENT_MESSAGE_SIZE = /* @__PURE__ */ ofClient(METRIC_MESSAGE_SIZE)
/** Sum over connections. @attributes route, namespace, subprotocol */
export const METRIC_CLIENT_SEND_BUFFERED = /* @__PURE__ */ ofClient(METRIC_SEND_BUFFERED)
/** @attributes route, namespace, subprotocol, reason */
export const METRIC_CLIENT_SEND_UNDELIVERED = /* @__PURE__ */ ofClient(METRIC_SEND_UNDELIVERED)
/** @attributes route, namespace, subprotocol, protocol, operation name, operation type, operation outcome, `error.type` */
export const METRIC_CLIENT_OPERATION_DURATION = /* @__PURE__ */ ofClient(METRIC_OPERATION_DURATION)
/** @attributes route, namespace, subprotocol, protocol, operation name, operation type, operation outcome */
export const METRIC_CLIENT_OPERATION_ITEMS = /* @__PURE__ */ ofClient(METRIC_OPERATION_ITEMS)
/** @attributes route, namespace, subprotocol, protocol */
export const METRIC_CLIENT_OPERATION_ACTIVE = /* @__PURE__ */ ofClient(METRIC_OPERATION_ACTIVE)
/** @attributes route, namespace, subprotocol, protocol, operation name */
export const METRIC_CLIENT_STREAM_FIRST_ITEM_DURATION = /* @__PURE__ */ ofClient(METRIC_STREAM_FIRST_ITEM_DURATION)
/** @attributes route, namespace, subprotocol, protocol, operation name, outcome, `error.type` */
export const METRIC_CLIENT_STREAM_DURATION = /* @__PURE__ */ ofClient(METRIC_STREAM_DURATION)
