import { dashboardJson } from './dashboard.ts'
import type { Naming } from './names.ts'
import { rulesYaml } from './rules.ts'

/** The end of a file's name, by the naming of the series in it. */
const ENDS: Readonly<Record<Naming, string>> = { suffixes: '', plain: '-plain' }

/** The dashboards and rules that users copy, by path. */
export async function dashboardFiles(): Promise<Record<string, string>> {
  const files: Record<string, string> = {}
  for (const naming of ['suffixes', 'plain'] as const) {
    files[`dashboards/grafana/otel-ws${ENDS[naming]}.json`] = dashboardJson(naming)
    files[`dashboards/prometheus/otel-ws${ENDS[naming]}.yaml`] = rulesYaml(naming)
  }
  return files
}
