import { type InstrumentName, label, type Naming, seriesNames } from './names.ts'

/** One line, or group of lines, of a panel. */
export interface Target {
  readonly expression: string
  /** Name of a line, with labels as `{{label}}`. */
  readonly legend: string
}

/** One chart. */
export interface Panel {
  readonly title: string
  readonly text: string
  /** A unit of Grafana. */
  readonly unit: 'short' | 's' | 'bytes' | 'Bps' | 'cps' | 'percentunit'
  readonly targets: readonly Target[]
  /** TraceQL that finds what the chart is about, as far as a trace can show it. */
  readonly traces?: string
}

/** A row of charts. */
export interface Row {
  readonly title: string
  readonly panels: readonly Panel[]
}

/** The variables of the dashboard, as a selector. An empty label is one that the series does not have. */
export const SELECTOR = '{job=~"$job", websocket_route=~"$route|", websocket_namespace=~"$namespace|"}'
const RATE = '$__rate_interval'

const span = (attribute: string): string => `span.${attribute}`
/** Limits traces to the routes that are selected. */
const OF_ROUTE = `${span('websocket.route')} =~ "$route"`

/** The rows of the dashboard. */
export function rows(naming: Naming): Row[] {
  const series = seriesNames(naming)
  const chosen = (name: string, more = '') => `${name}${more === '' ? SELECTOR : `${SELECTOR.slice(0, -1)}, ${more}}`}`

  function gauge(name: InstrumentName, by: string, legend = `{{${by}}}`): Target {
    return { expression: `sum by (${by}) (${chosen(series(name))})`, legend }
  }
  function rate(name: InstrumentName, by: string, more = '', legend = `{{${by}}}`): Target {
    return { expression: `sum by (${by}) (rate(${chosen(series(name), more)}[${RATE}]))`, legend }
  }
  function share(name: InstrumentName, more: string, by = 'websocket_route'): Target {
    const part = `sum by (${by}) (rate(${chosen(series(name), more)}[${RATE}]))`
    const all = `sum by (${by}) (rate(${chosen(series(name))}[${RATE}]))`
    return { expression: `(${part} or 0 * ${all}) / ${all}`, legend: `{{${by}}}` }
  }
  function quantile(name: InstrumentName, of: number, by: string, legend = `p${of * 100} {{${by}}}`): Target {
    const buckets = `rate(${chosen(series(name, 'bucket'))}[${RATE}])`
    return { expression: `histogram_quantile(${of}, sum by (le, ${by}) (${buckets}))`, legend }
  }
  function quantiles(name: InstrumentName, by: string): Target[] {
    return [0.5, 0.99].map((of) => quantile(name, of, by))
  }

  const route = 'websocket_route'
  const message = label('websocket.message.name')
  const outcome = label('websocket.handshake.outcome')
  const category = label('websocket.close.category')
  const failed = `${label('error.type')}!=""`
  const direction = label('websocket.message.direction')
  const operation = label('websocket.operation.name')

  return [
    {
      title: 'Overview',
      panels: [
        {
          title: 'Open connections',
          text: 'By route.',
          unit: 'short',
          targets: [gauge('websocket.server.connection.active', route)],
        },
        {
          title: 'Messages per second',
          text: 'Received and sent.',
          unit: 'cps',
          targets: [rate('websocket.server.messages', direction)],
        },
        {
          title: 'Handler latency',
          text: 'Until each handler has settled, with what it awaits.',
          unit: 's',
          targets: quantiles('websocket.server.message.process.duration', route),
          traces: `{ name =~ "process .*" && ${OF_ROUTE} && duration > 250ms }`,
        },
        {
          title: 'Handlers that fail',
          text: 'Share of the messages, by route.',
          unit: 'percentunit',
          targets: [share('websocket.server.message.process.duration', failed)],
          traces: `{ name =~ "process .*" && ${OF_ROUTE} && status = error }`,
        },
      ],
    },
    {
      title: 'Connections',
      panels: [
        {
          title: 'Handshakes by outcome',
          text: 'Upgrade requests per second; with the status of the answer.',
          unit: 'cps',
          targets: [
            rate(
              'websocket.server.handshake.duration',
              `${outcome}, http_response_status_code`,
              '',
              `{{${outcome}}} {{http_response_status_code}}`,
            ),
          ],
          traces: `{ ${span('websocket.handshake.outcome')} = "rejected" && ${OF_ROUTE} }`,
        },
        {
          title: 'Handshake latency',
          text: 'From the upgrade request to its answer.',
          unit: 's',
          targets: quantiles('websocket.server.handshake.duration', route),
        },
        {
          title: 'Closes by category',
          text: 'Per second. `abnormal`: without a close frame; `timeout`: no answer to pings.',
          unit: 'cps',
          targets: [rate('websocket.server.connection.duration', category)],
          traces: `{ name =~ "close .*" && ${OF_ROUTE} && status = error }`,
        },
        {
          title: 'Who closed',
          text: 'This process (`local`), the client (`remote`) or the `network`.',
          unit: 'cps',
          targets: [rate('websocket.server.connection.duration', label('websocket.close.initiator'))],
        },
        {
          title: 'Lifetime of connections',
          text: 'A step at one value is a timeout of a proxy.',
          unit: 's',
          targets: quantiles('websocket.server.connection.duration', route),
        },
        {
          title: 'Round trips of pings',
          text: 'With the event loops of both ends. Missed pings per second on top.',
          unit: 's',
          targets: [
            ...quantiles('websocket.server.ping.rtt', route),
            rate('websocket.server.ping.missed', route, '', 'missed {{websocket_route}}'),
          ],
        },
        {
          title: 'Connection handler',
          text: "Until the application's handler of new connections has settled.",
          unit: 's',
          targets: quantiles('websocket.server.open.duration', route),
        },
        {
          title: 'Idle connections',
          text: 'No message in either direction for `idleTimeout`, which has to be set.',
          unit: 'short',
          targets: [gauge('websocket.server.connection.idle', route)],
        },
        {
          title: 'Held by closing servers',
          text: 'What a deploy waits for. How long each was held on top, in seconds.',
          unit: 'short',
          targets: [
            gauge('websocket.server.connection.draining', route),
            ...quantiles('websocket.server.connection.drain.duration', route),
          ],
        },
        {
          title: 'Payload',
          text: 'Bytes per second, uncompressed.',
          unit: 'Bps',
          targets: [rate('websocket.server.io', direction)],
        },
      ],
    },
    {
      title: 'Messages by name',
      panels: [
        {
          title: 'Messages handled',
          text: 'Per second, by name.',
          unit: 'cps',
          targets: [rate('websocket.server.message.process.duration', message)],
        },
        {
          title: 'Handler latency, p99',
          text: 'By name.',
          unit: 's',
          targets: [quantile('websocket.server.message.process.duration', 0.99, message, `{{${message}}}`)],
          traces: `{ name =~ "process .*" && ${OF_ROUTE} && duration > 250ms }`,
        },
        {
          title: 'Failures by error',
          text: 'Messages per second whose handlers failed.',
          unit: 'cps',
          targets: [
            rate(
              'websocket.server.message.process.duration',
              `${message}, error_type`,
              failed,
              `{{${message}}} {{error_type}}`,
            ),
          ],
          traces: `{ name =~ "process .*" && ${OF_ROUTE} && status = error }`,
        },
        {
          title: 'Failed after their connection',
          text: 'Messages per second whose handlers failed when the connection had closed already.',
          unit: 'cps',
          targets: [rate('websocket.server.message.process.late_failures', message)],
        },
        {
          title: 'In work',
          text: 'Messages whose handlers have not settled. A line that only rises: handlers are stuck.',
          unit: 'short',
          targets: [gauge('websocket.server.message.process.active', route)],
        },
        {
          title: 'Waits for acknowledgements, p99',
          text: 'What the sender of a message waits; it contains the time that the application waits for others.',
          unit: 's',
          targets: [quantile('websocket.server.message.ack.duration', 0.99, message, `{{${message}}}`)],
        },
        {
          title: 'Undelivered',
          text: 'Messages per second that did not reach their client, by reason.',
          unit: 'cps',
          targets: [rate('websocket.server.send.undelivered', label('websocket.send.undelivered.reason'))],
          traces: `{ name =~ "send .*" && ${OF_ROUTE} && status = error }`,
        },
      ],
    },
    {
      title: 'Operations: queries, calls, subscriptions',
      panels: [
        {
          title: 'Operations',
          text: 'Per second, by name.',
          unit: 'cps',
          targets: [rate('websocket.server.operation.duration', operation)],
        },
        {
          title: 'Latency, p99',
          text: 'Until the answer, or the end of a subscription.',
          unit: 's',
          targets: [quantile('websocket.server.operation.duration', 0.99, operation, `{{${operation}}}`)],
        },
        {
          title: 'Outcomes',
          text: 'Per second.',
          unit: 'cps',
          targets: [rate('websocket.server.operation.duration', label('websocket.operation.outcome'))],
        },
        {
          title: 'Open operations',
          text: 'Mostly subscriptions, by protocol.',
          unit: 'short',
          targets: [gauge('websocket.server.operation.active', label('websocket.protocol'))],
        },
        {
          title: 'Streams: first item, p99',
          text: 'From the message to the first item of its answer.',
          unit: 's',
          targets: [quantile('websocket.server.stream.first_item.duration', 0.99, message, `{{${message}}}`)],
        },
        {
          title: 'Streams: duration, p99',
          text: 'From the message to the last item of its answer.',
          unit: 's',
          targets: [quantile('websocket.server.stream.duration', 0.99, message, `{{${message}}}`)],
        },
        {
          title: 'Open streams',
          text: 'Streamed answers that have not ended.',
          unit: 'short',
          targets: [gauge('websocket.server.stream.active', route)],
        },
      ],
    },
    {
      title: 'Fan-out and slow consumers',
      panels: [
        {
          title: 'Broadcasts',
          text: 'Per second, by name.',
          unit: 'cps',
          targets: [rate('websocket.server.broadcast.duration', message)],
        },
        {
          title: 'Recipients, p99',
          text: 'Connections of this node that one broadcast was sent to.',
          unit: 'short',
          targets: [quantile('websocket.server.broadcast.recipients', 0.99, message, `{{${message}}}`)],
        },
        {
          title: 'Time of a fan-out, p99',
          text: 'The process does nothing else meanwhile.',
          unit: 's',
          targets: [quantile('websocket.server.broadcast.duration', 0.99, message, `{{${message}}}`)],
          traces: `{ name =~ "broadcast .*" && duration > 50ms }`,
        },
        {
          title: 'Lag between nodes, p99',
          text: 'From the publication of a broadcast to its delivery on another node; clocks are part of it.',
          unit: 's',
          targets: [quantile('websocket.server.deliver.lag', 0.99, 'instance', '{{instance}}')],
        },
        {
          title: 'Rooms',
          text: 'Joins and leaves per second, on hosts with rooms.',
          unit: 'cps',
          targets: [rate('websocket.server.room.changes', label('websocket.room.change'))],
        },
        {
          title: 'Bytes that wait to be sent',
          text: 'In the memory of the process.',
          unit: 'bytes',
          targets: [gauge('websocket.server.send.buffered', 'instance')],
        },
        {
          title: 'Slow consumers',
          text: 'Connections that read slower than they are sent to. The span `slow consumers` names them.',
          unit: 'short',
          targets: [gauge('websocket.server.connection.slow', route)],
          traces: '{ name = "slow consumers" }',
        },
      ],
    },
    {
      title: 'Clients of this service',
      panels: [
        {
          title: 'Connects by outcome',
          text: 'Attempts per second.',
          unit: 'cps',
          targets: [rate('websocket.client.connect.duration', outcome)],
          traces: '{ name =~ "connect .*" && status = error }',
        },
        {
          title: 'Reconnects',
          text: 'Per second.',
          unit: 'cps',
          targets: [rate('websocket.client.reconnects', route)],
        },
        {
          title: 'Connections',
          text: 'That this service has opened as a client.',
          unit: 'short',
          targets: [gauge('websocket.client.connection.active', route)],
        },
        {
          title: 'Handler latency, p99',
          text: 'By message.',
          unit: 's',
          targets: [quantile('websocket.client.message.process.duration', 0.99, message, `{{${message}}}`)],
        },
      ],
    },
    {
      title: 'Telemetry',
      panels: [
        {
          title: 'Spans that were not created',
          text: 'A budget was used up. Metrics stay exact; the close span of a connection has its number.',
          unit: 'cps',
          targets: [rate('websocket.server.spans.dropped', label('websocket.spans.drop.reason'))],
        },
      ],
    },
  ]
}
