import { label, type Naming, seriesNames } from './names.ts'

/** An alert, with all that its entry in docs/operating.md says. */
export interface Alert {
  readonly name: string
  readonly severity: 'page' | 'ticket'
  readonly expression: string
  /** How long the expression must hold, as Prometheus writes durations. */
  readonly for: string
  /** One line, with the labels of the alert as `{{ $labels.… }}`. */
  readonly summary: string
  /** What it means for users. */
  readonly meaning: string
  /** Where to look, in order. */
  readonly look: readonly string[]
  /** What to do. */
  readonly act: readonly string[]
}

/** A rule that records a series under a name of its own. */
export interface RecordingRule {
  readonly name: string
  readonly expression: string
  readonly text: string
}

/** Labels that rates and alerts keep: one alert per service and route. */
const BY = 'job, websocket_route'
const ROUTE = 'route {{ $labels.websocket_route }} of {{ $labels.job }}'

const outcome = label('websocket.handshake.outcome')
const status = label('http.response.status_code')
const category = label('websocket.close.category')
const errorType = label('error.type')

/** Categories of closes that neither end intended. */
const ABNORMAL = 'abnormal|timeout|protocol_error|server_error|too_big|policy'

/** The service level indicators. Each is a ratio or a number of seconds over five minutes, by service and route. */
export function recordingRules(naming: Naming): RecordingRule[] {
  const series = seriesNames(naming)
  const handshakes = series('websocket.server.handshake.duration', 'count')
  const closes = series('websocket.server.connection.duration', 'count')
  const handled = series('websocket.server.message.process.duration', 'count')
  const buckets = series('websocket.server.message.process.duration', 'bucket')
  return [
    {
      name: 'websocket:handshake_success:ratio_rate5m',
      expression: `(sum by (${BY}) (rate(${handshakes}{${outcome}="accepted"}[5m])) or 0 * sum by (${BY}) (rate(${handshakes}[5m]))) / sum by (${BY}) (rate(${handshakes}[5m]))`,
      text: 'Share of upgrade requests that became a connection.',
    },
    {
      name: 'websocket:handler_success:ratio_rate5m',
      expression: `1 - ((sum by (${BY}) (rate(${handled}{${errorType}!=""}[5m])) or 0 * sum by (${BY}) (rate(${handled}[5m]))) / sum by (${BY}) (rate(${handled}[5m])))`,
      text: 'Share of messages whose handlers did not fail.',
    },
    {
      name: 'websocket:handler_latency:p99_5m',
      expression: `histogram_quantile(0.99, sum by (${BY}, le) (rate(${buckets}[5m])))`,
      text: 'Seconds within which 99 % of messages were handled, with what the handlers await.',
    },
    {
      name: 'websocket:close_normality:ratio_rate5m',
      expression: `1 - ((sum by (${BY}) (rate(${closes}{${category}=~"${ABNORMAL}"}[5m])) or 0 * sum by (${BY}) (rate(${closes}[5m]))) / sum by (${BY}) (rate(${closes}[5m])))`,
      text: 'Share of closed connections that an end has closed on purpose.',
    },
  ]
}

/** All alerts. Thresholds are a start: set them by what is usual for a service. */
export function alerts(naming: Naming): Alert[] {
  const series = seriesNames(naming)
  const handshakes = series('websocket.server.handshake.duration', 'count')
  const closes = series('websocket.server.connection.duration', 'count')
  const active = series('websocket.server.connection.active')
  const handled = series('websocket.server.message.process.duration', 'count')
  const handling = series('websocket.server.message.process.duration', 'sum')
  const processing = series('websocket.server.message.process.active')
  const messages = series('websocket.server.messages')
  const direction = label('websocket.message.direction')
  const p99 = (histogram: Parameters<typeof series>[0]) =>
    `histogram_quantile(0.99, sum by (${BY}, le) (rate(${series(histogram, 'bucket')}[5m])))`
  const rate = (of: string, window = '5m') => `sum by (${BY}) (rate(${of}[${window}]))`

  return [
    {
      name: 'WebSocketHandshakesFailing',
      severity: 'page',
      expression: `1 - websocket:handshake_success:ratio_rate5m > 0.1 and ${rate(handshakes)} > 0.1`,
      for: '5m',
      summary: `{{ $value | humanizePercentage }} of the handshakes fail on ${ROUTE}`,
      meaning: 'Clients cannot connect. Those that are connected are not affected, until they have to reconnect.',
      look: [
        'Outcome and status by route: `sum by (websocket_handshake_outcome, http_response_status_code, error_type) (rate(…handshake_duration…_count[5m]))`.',
        'Traces of the rejected handshakes: `{ name =~ "GET .*" && span.websocket.handshake.outcome = "rejected" }`; their logs say why.',
        'Outcome `abandoned`: the client or a proxy gave up first. Compare the p99 of the handshake with the proxy’s timeout.',
      ],
      act: [
        'Status 401 or 403: see WebSocketLoginsRejected.',
        'Status 400 or 426: a proxy removes `Upgrade` and `Connection`, or a client speaks another version. Look at the last change of the proxy.',
        'Status 503 or 500: the connection handler or `verifyClient` fails; roll back the last deploy.',
      ],
    },
    {
      name: 'WebSocketLoginsRejected',
      severity: 'page',
      expression: `${rate(`${handshakes}{${status}=~"401|403"}`)} / ${rate(handshakes)} > 0.2 and ${rate(handshakes)} > 0.1`,
      for: '5m',
      summary: `{{ $value | humanizePercentage }} of the handshakes are answered with 401 or 403 on ${ROUTE}`,
      meaning:
        'Many clients are turned away. An expired key, a broken identity provider, or somebody who guesses tokens.',
      look: [
        'One address or many: `client.address` on the spans of the rejected handshakes.',
        'Latency and errors of the identity provider in the same traces.',
      ],
      act: [
        'Many addresses: the identity provider or a signing key; restore it, and let clients wait longer between attempts.',
        'One address: block it at the proxy.',
      ],
    },
    {
      name: 'WebSocketReconnectStorm',
      severity: 'page',
      expression: `${rate(`${handshakes}{${outcome}="accepted"}`, '2m')} > 1 and ${rate(`${handshakes}{${outcome}="accepted"}`, '2m')} > 5 * sum by (${BY}) (rate(${handshakes}{${outcome}="accepted"}[30m] offset 5m))`,
      for: '2m',
      summary: `{{ $value | humanize }} connections per second are opened on ${ROUTE}, more than five times the usual`,
      meaning:
        'Clients come back all at once, after a deploy, a failover or a drop of the network. Logins and databases get the load too.',
      look: [
        'Closes before it: `sum by (websocket_close_category, websocket_close_initiator) (increase(…connection_duration…_count[10m]))`.',
        'Deploys and restarts of nodes and proxies in these minutes.',
        'On clients: `websocket.client.reconnects` and `websocket.reconnect.attempt`.',
      ],
      act: [
        'Limit new connections per second at the proxy until it has calmed down.',
        'Close with 1012 or 1013 and in small groups at the next deploy; let clients wait a random time before they reconnect.',
      ],
    },
    {
      name: 'WebSocketAbnormalCloses',
      severity: 'page',
      expression: `1 - websocket:close_normality:ratio_rate5m > 0.25 and ${rate(closes)} > 0.1`,
      for: '5m',
      summary: `{{ $value | humanizePercentage }} of the closes are abnormal on ${ROUTE}`,
      meaning: 'Connections break without a close frame, or are closed for an error. Users see that they are offline.',
      look: [
        'Which kind: `sum by (websocket_close_category, websocket_close_initiator, websocket_close_code) (rate(…connection_duration…_count[5m]))`.',
        '`abnormal` by `network`, all after the same time: the idle timeout of a proxy. A histogram of `websocket.server.connection.duration` shows the step.',
        '`timeout`: peers do not answer pings; see WebSocketPingsMissed. `protocol_error`, `too_big`: a client’s version; its user agent is on the handshake.',
      ],
      act: [
        'Idle timeout: set `heartbeatInterval` below it.',
        'A node died: its connections end as `abnormal` on the other end; look whether it was killed for its memory.',
      ],
    },
    {
      name: 'WebSocketHandlersSlow',
      severity: 'ticket',
      expression: `websocket:handler_latency:p99_5m > 1 and ${rate(handled)} > 0.1`,
      for: '10m',
      summary: `99 % of messages need {{ $value | humanizeDuration }} or less on ${ROUTE}; the limit is 1 s`,
      meaning: 'Users wait for answers.',
      look: [
        'Which message: `histogram_quantile(0.99, sum by (le, websocket_message_name) (rate(…process_duration…_bucket[5m])))`.',
        'The slowest traces of that name: `{ name = "process <message>" && duration > 1s }`; their children are what the handler waits for.',
        'All messages at once: the event loop; see WebSocketRoundTripsSlow.',
      ],
      act: ['Mend what the slowest child span calls; or move the work out of the message’s handler.'],
    },
    {
      name: 'WebSocketHandlersFailing',
      severity: 'page',
      expression: `1 - websocket:handler_success:ratio_rate5m > 0.05 and ${rate(handled)} > 0.1`,
      for: '5m',
      summary: `{{ $value | humanizePercentage }} of the messages fail on ${ROUTE}`,
      meaning: 'What users ask for is not done.',
      look: [
        'Which message and error: `sum by (websocket_message_name, error_type) (rate(…process_duration…_count{error_type!=""}[5m]))`.',
        'Traces with `status = error` of that name: the exception event has the stack.',
      ],
      act: ['Roll back if it began with a deploy; else mend the dependency that the error names.'],
    },
    {
      name: 'WebSocketHandlersStuck',
      severity: 'page',
      // Little's law: what is in work at once is the rate times the duration. Handlers that never end have no duration.
      expression: `sum by (${BY}) (${processing}) > 20 and sum by (${BY}) (${processing}) > 10 * ${rate(handling, '10m')}`,
      for: '10m',
      summary: `{{ $value }} messages are being handled on ${ROUTE}, many more than those that finish explain`,
      meaning: 'Handlers wait for something that does not come. Memory grows, and users get no answer and no error.',
      look: [
        'Spans that ended by age: `{ name =~ "process .*" && span.websocket.span.ended_by = "age" }`.',
        'Connection pools and locks of what the handlers call.',
      ],
      act: ['Give calls of other systems a timeout. A restart frees what is stuck.'],
    },
    {
      name: 'WebSocketSlowConsumers',
      severity: 'ticket',
      expression: `sum by (${BY}) (${series('websocket.server.connection.slow')}) > 0`,
      for: '5m',
      summary: `{{ $value }} connections read slower than they are sent to on ${ROUTE}`,
      meaning: 'Messages wait in the memory of this process, and reach these clients late.',
      look: [
        'How much waits: `sum by (instance, websocket_route) (websocket_server_send_buffered…)`.',
        'Which connections: the span `slow consumers`, every 10 s, names the 20 with the most bytes.',
      ],
      act: [
        'Send less to them: newest value instead of each, or skip while `bufferedAmount` is high.',
        'Close those that stay slow, with 1013, so that they come back and start anew.',
      ],
    },
    {
      name: 'WebSocketSendBufferGrows',
      severity: 'page',
      expression: `sum by (job, instance) (${series('websocket.server.send.buffered')}) > 64 * 1024 * 1024 and deriv(sum by (job, instance) (${series('websocket.server.send.buffered')})[10m:1m]) > 0`,
      for: '5m',
      summary:
        '{{ $value | humanize1024 }}B wait to be sent in {{ $labels.instance }} of {{ $labels.job }}, and it grows',
      meaning: 'The process will be killed for its memory, with all of its connections.',
      look: ['As for WebSocketSlowConsumers. One connection or all: the network of the node, if all.'],
      act: ['Close the slowest connections now; take the node out of the load balancer if its network is the cause.'],
    },
    {
      name: 'WebSocketPingsMissed',
      severity: 'ticket',
      expression: `${rate(series('websocket.server.ping.missed'))} * 300 > 0.05 * sum by (${BY}) (${active}) and ${rate(series('websocket.server.ping.missed'))} * 300 >= 3`,
      for: '5m',
      summary: `{{ $value | humanize }} pings were not answered within 5 minutes on ${ROUTE}, of more than one in twenty connections`,
      meaning: 'Peers are gone without a close, or this process is too busy to read their pongs.',
      look: [
        'Round trips: `histogram_quantile(0.99, sum by (le) (rate(…ping_rtt…_bucket[5m])))`. They rise if the process is busy.',
        'One network or region: `client.address` on the close spans of category `timeout`.',
      ],
      act: ['A busy process: see WebSocketRoundTripsSlow. A network: nothing to do here; clients reconnect.'],
    },
    {
      name: 'WebSocketMessagesUndelivered',
      severity: 'ticket',
      expression: `${rate(series('websocket.server.send.undelivered'))} > 0.02 * ${rate(`${messages}{${direction}="send"}`)} and ${rate(series('websocket.server.send.undelivered'))} > 0.05`,
      for: '5m',
      summary: `{{ $value | humanize }} messages per second are not delivered on ${ROUTE}`,
      meaning: 'Messages that the application sent do not reach their clients.',
      look: [
        'Why: `sum by (websocket_send_undelivered_reason) (rate(…send_undelivered…[5m]))`.',
        '`not_open`: the application sends to sockets that are closed. `ack_timeout`: clients do not acknowledge. `error`: the write failed.',
        'Spans `send …` with these errors lead to the connection and its user.',
      ],
      act: ['`not_open`: forget a socket at its `close`. `ack_timeout`: look at the clients’ handlers.'],
    },
    {
      name: 'WebSocketFanoutSlow',
      severity: 'ticket',
      expression: `${p99('websocket.server.broadcast.duration')} > 0.25`,
      for: '10m',
      summary: `99 % of the broadcasts need {{ $value | humanizeDuration }} or less on ${ROUTE}; the limit is 250 ms`,
      meaning: 'The process does nothing else while it writes to all recipients: all of its messages are late.',
      look: [
        'Recipients: `histogram_quantile(0.99, sum by (le) (rate(…broadcast_recipients_bucket[5m])))`.',
        'Compression: `perMessageDeflate` compresses once per recipient.',
      ],
      act: ['Smaller rooms, fewer or smaller messages, more nodes, no compression of broadcasts.'],
    },
    {
      name: 'WebSocketNodesLag',
      severity: 'page',
      expression: `${p99('websocket.server.deliver.lag')} > 1`,
      for: '5m',
      summary: `Broadcasts reach other nodes up to {{ $value | humanizeDuration }} late on ${ROUTE}`,
      meaning: 'Users on different nodes see different things. Clocks of the nodes are part of the figure.',
      look: [
        'One node or all: `histogram_quantile(0.99, sum by (le, instance) (rate(…deliver_lag…_bucket[5m])))`.',
        'Redis or the database that carries the broadcasts; the clocks of the nodes.',
      ],
      act: ['One node: take it out of the load balancer. All: scale what carries the broadcasts.'],
    },
    {
      name: 'WebSocketRoundTripsSlow',
      severity: 'ticket',
      expression: `${p99('websocket.server.ping.rtt')} > 0.5`,
      for: '5m',
      summary: `99 % of pings are answered within {{ $value | humanizeDuration }} on ${ROUTE}; the limit is 500 ms`,
      meaning: 'The event loop of this process is blocked, or the network is slow. Both delay every message.',
      look: [
        'All routes of an instance at once: its event loop (`nodejs.eventloop.delay.p99` of the runtime instrumentation).',
        'One route or region: its network.',
      ],
      act: [
        'Find the synchronous work: a CPU profile of the instance, or the longest `process` spans without children.',
      ],
    },
    {
      name: 'WebSocketOperationsFailing',
      severity: 'page',
      expression: `sum by (${BY}, websocket_operation_name) (rate(${series('websocket.server.operation.duration', 'count')}{${errorType}!=""}[5m])) / sum by (${BY}, websocket_operation_name) (rate(${series('websocket.server.operation.duration', 'count')}[5m])) > 0.1 and sum by (${BY}, websocket_operation_name) (rate(${series('websocket.server.operation.duration', 'count')}[5m])) > 0.1`,
      for: '5m',
      summary: `{{ $value | humanizePercentage }} of the operations {{ $labels.websocket_operation_name }} fail on ${ROUTE}`,
      meaning: 'A query, call or procedure fails for its callers.',
      look: ['Traces of that operation with `status = error`; the error’s type is on the metric.'],
      act: ['As for WebSocketHandlersFailing.'],
    },
    {
      name: 'WebSocketSpansDropped',
      severity: 'ticket',
      expression: `${rate(series('websocket.server.spans.dropped'))} > 1`,
      for: '10m',
      summary: `{{ $value | humanize }} spans of messages per second are not created on ${ROUTE}`,
      meaning:
        'More messages come than a budget has spans for: that of a connection (`connection_budget`), or that of the process (`process_budget`), which leaves out rare names last. Or more messages fail or are slow than option `keep` records (`keep_limit`). Metrics are exact; traces have gaps, which the close span counts.',
      look: [
        'Which budget: the same by `websocket_spans_drop_reason`.',
        'Which connections: `{ name =~ "close .*" && span.websocket.connection.spans.dropped > 0 }`.',
        'Which names: `websocket_server_messages_total` by `websocket_message_name`.',
      ],
      act: [
        'A client that floods: limit or close it.',
        'Usual traffic: sample messages, or raise `maxMessageSpansPerSecond` and `maxSpansPerSecond` if the backend takes it; the queue of the SDK must hold it too.',
      ],
    },
    {
      name: 'WebSocketNoTraffic',
      severity: 'page',
      expression: `sum by (${BY}) (${active}) > 0 and ${rate(messages)} == 0 and ${rate(`${messages}`, '1h')} > 0.1`,
      for: '5m',
      summary: `{{ $value }} connections are open on ${ROUTE} and nothing has been received or sent for 10 minutes`,
      meaning: 'Connections look alive and carry nothing: what feeds them has stopped.',
      look: [
        'The source of the messages: queue, broker, upstream socket.',
        'Whether handlers run at all: message.process.active.',
      ],
      act: ['Restart what feeds the connections; if the process itself hangs, restart it.'],
    },
    {
      name: 'WebSocketClientsCannotConnect',
      severity: 'page',
      expression: `sum by (${BY}) (rate(${series('websocket.client.connect.duration', 'count')}{${outcome}!~"accepted|abandoned"}[5m])) / sum by (${BY}) (rate(${series('websocket.client.connect.duration', 'count')}[5m])) > 0.2 and sum by (${BY}) (rate(${series('websocket.client.connect.duration', 'count')}[5m])) > 0.05`,
      for: '5m',
      summary: `{{ $value | humanizePercentage }} of the attempts to connect to ${ROUTE} fail`,
      meaning: 'This service is a client, and cannot reach its server.',
      look: [
        'Outcome and error: `sum by (websocket_handshake_outcome, error_type) (rate(…client_connect_duration…_count[5m]))`.',
      ],
      act: ['`rejected`: credentials and the server’s status. `failed`: name, network, certificate.'],
    },
  ]
}
