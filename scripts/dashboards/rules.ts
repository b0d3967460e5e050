import { stringify } from 'yaml'
import { banner } from '../docs/markdown.ts'
import { alerts, recordingRules } from './alerts.ts'
import type { Naming } from './names.ts'

const RUNBOOK = 'https://github.com/otel-ws/otel-ws/blob/main/docs/operating.md'

/** The rules of Prometheus: first the service level indicators, then the alerts, which read them. */
export function rulesYaml(naming: Naming): string {
  const groups = [
    {
      name: 'otel-ws-indicators',
      rules: recordingRules(naming).map(({ name, expression }) => ({ record: name, expr: expression })),
    },
    {
      name: 'otel-ws-alerts',
      rules: alerts(naming).map((alert) => ({
        alert: alert.name,
        expr: alert.expression,
        for: alert.for,
        labels: { severity: alert.severity },
        annotations: {
          summary: alert.summary,
          description: alert.meaning,
          runbook_url: `${RUNBOOK}#${alert.name.toLowerCase()}`,
        },
      })),
    },
  ]
  const note = banner('scripts/dashboards')
    .replace(/<!-- | -->/g, '')
    .trim()
  return `# ${note}\n${stringify({ groups }, { lineWidth: 0 })}`
}
