import { banner, code, table } from '../docs/markdown.ts'
import { type Alert, alerts, recordingRules } from './alerts.ts'
import { seriesNames } from './names.ts'

/** docs/operating.md: how to watch WebSockets, each alert with what to do, and questions with their queries. */
export function runbook(): string {
  const series = seriesNames('suffixes')
  const all = alerts('suffixes')
  const questions: readonly (readonly [string, string])[] = [
    [
      'How many connections are open, on which node?',
      `sum by (instance) (${series('websocket.server.connection.active')})`,
    ],
    [
      'Why did connections close in the last hour?',
      `sum by (websocket_close_category, websocket_close_initiator, websocket_close_code) (increase(${series('websocket.server.connection.duration', 'count')}[1h]))`,
    ],
    [
      'Which messages are slow?',
      `topk(10, histogram_quantile(0.99, sum by (le, websocket_message_name) (rate(${series('websocket.server.message.process.duration', 'bucket')}[5m]))))`,
    ],
    [
      'Which messages fail, with which error?',
      `sum by (websocket_message_name, error_type) (rate(${series('websocket.server.message.process.duration', 'count')}{error_type!=""}[5m]))`,
    ],
    [
      'Who is turned away?',
      `sum by (websocket_route, http_response_status_code) (rate(${series('websocket.server.handshake.duration', 'count')}{websocket_handshake_outcome="rejected"}[5m]))`,
    ],
    ['How many messages a day?', `sum(increase(${series('websocket.server.messages')}[1d]))`],
    ['How much waits to be sent?', `sum by (instance) (${series('websocket.server.send.buffered')})`],
    [
      'How late do broadcasts reach other nodes?',
      `histogram_quantile(0.99, sum by (le, instance) (rate(${series('websocket.server.deliver.lag', 'bucket')}[5m])))`,
    ],
    [
      'Do handlers hang?',
      `sum by (websocket_route) (${series('websocket.server.message.process.active')}) > 10 * sum by (websocket_route) (rate(${series('websocket.server.message.process.duration', 'sum')}[10m]))`,
    ],
    [
      'How many connections does a server that is being replaced still hold?',
      `sum by (instance, websocket_route) (${series('websocket.server.connection.draining')})`,
    ],
    [
      'How long does it hold them, so how long must a deploy wait?',
      `histogram_quantile(0.99, sum by (le, websocket_route) (rate(${series('websocket.server.connection.drain.duration', 'bucket')}[30m])))`,
    ],
  ]
  return `${banner('`scripts/dashboards`')}
# Operating WebSockets

A dashboard for Grafana, recording rules and alerts for Prometheus stand in
[\`dashboards\`](https://github.com/otel-ws/otel-ws/tree/main/dashboards), with how to install them. This page has what to do
when an alert fires, and queries for everyday questions.

Names of series end with their unit, as the OTLP receiver of Prometheus, the Collector and Grafana Cloud write them. The
Prometheus exporter of the SDK for JavaScript writes names without: \`…_duration_bucket\`, not \`…_duration_seconds_bucket\`;
for it, take the files whose names end with \`-plain\`. Other backends: [backends](backends.md).

## Indicators

Recorded every evaluation, by \`job\` and \`websocket_route\`.

${table(
  ['series', ''],
  recordingRules('suffixes').map(({ name, text }) => [code(name), text]),
)}
## Alerts

Thresholds are a start: set them by what is usual for your service. Each alert but those of a single instance is one per
service and route. \`page\` calls the engineer on duty now; \`ticket\` can wait for the morning.

${table(
  ['alert', 'severity', 'after', ''],
  all.map((alert) => [`[${alert.name}](#${alert.name.toLowerCase()})`, alert.severity, alert.for, alert.meaning]),
)}
${all.map(entry).join('\n')}
## Questions and queries

${table(
  ['question', 'PromQL'],
  questions.map(([question, query]) => [question, code(query)]),
)}`
}

function entry({ name, meaning, expression, look, act, for: after }: Alert): string {
  const list = (items: readonly string[]): string => items.map((item) => `- ${item}\n`).join('')
  return `### ${name}

${meaning}

Look at:

${list(look)}
Do:

${list(act)}
Fires when this holds for ${after}:

\`\`\`promql
${expression}
\`\`\`
`
}
