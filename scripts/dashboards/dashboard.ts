import * as common from '@grafana/grafana-foundation-sdk/common'
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard'
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus'
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries'
import { type Naming, seriesNames } from './names.ts'
import { type Panel, rows } from './panels.ts'

const METRICS = { type: 'prometheus', uid: '$metrics' }
/** Width of a panel, of 24, and its height. */
const SPAN = 6
const HEIGHT = 8

const UIDS: Readonly<Record<Naming, string>> = { suffixes: 'otel-ws', plain: 'otel-ws-plain' }
const TITLES: Readonly<Record<Naming, string>> = {
  suffixes: 'WebSockets (otel-ws)',
  plain: 'WebSockets (otel-ws, names without units)',
}

/** The dashboard as the JSON that Grafana imports. */
export function dashboardJson(naming: Naming): string {
  const builder = new dashboard.DashboardBuilder(TITLES[naming])
    .uid(UIDS[naming])
    .tags(['otel-ws', 'websocket', 'opentelemetry'])
    .description(
      'Connections, messages and operations of WebSocket servers and clients. https://github.com/otel-ws/otel-ws',
    )
    .time({ from: 'now-1h', to: 'now' })
    .refresh('30s')
    .timezone('browser')
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .withVariable(new dashboard.DatasourceVariableBuilder('metrics').label('Metrics').type('prometheus'))
    .withVariable(new dashboard.DatasourceVariableBuilder('traces').label('Traces').type('tempo'))
  const active = seriesNames(naming)('websocket.server.connection.active')
  for (const [name, text, of] of [
    ['job', 'Service', 'job'],
    ['route', 'Route', 'websocket_route'],
    ['namespace', 'Namespace', 'websocket_namespace'],
  ] as const) {
    builder.withVariable(
      new dashboard.QueryVariableBuilder(name)
        .label(text)
        .datasource(METRICS)
        .query(`label_values(${active}, ${of})`)
        .refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
        .sort(dashboard.VariableSort.AlphabeticalAsc)
        .multi(true)
        .includeAll(true)
        .allValue('.*')
        .current({ text: 'All', value: '$__all' }),
    )
  }
  for (const row of rows(naming)) {
    builder.withRow(new dashboard.RowBuilder(row.title))
    for (const panel of row.panels) builder.withPanel(panelBuilder(panel))
  }
  return `${JSON.stringify(builder.build(), null, 2)}\n`
}

function panelBuilder({ title, text, unit, targets, traces }: Panel): PanelBuilder {
  const builder = new PanelBuilder()
    .title(title)
    .description(text)
    .datasource(METRICS)
    .unit(unit)
    .min(0)
    .span(SPAN)
    .height(HEIGHT)
    .fillOpacity(10)
    .lineWidth(1)
    .legend(
      new common.VizLegendOptionsBuilder()
        .displayMode(common.LegendDisplayMode.List)
        .placement(common.LegendPlacement.Bottom)
        .showLegend(true),
    )
    .tooltip(new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi))
  for (const { expression, legend } of targets) {
    builder.withTarget(new DataqueryBuilder().expr(expression).legendFormat(legend).datasource(METRICS))
  }
  if (traces !== undefined) {
    builder.links([new dashboard.DashboardLinkBuilder('Traces of this time').url(exploreUrl(traces)).targetBlank(true)])
  }
  return builder
}

/** Address of a search for traces, in the time range that the dashboard shows. */
function exploreUrl(query: string): string {
  const panes = {
    traces: {
      datasource: '$traces',
      queries: [{ refId: 'A', datasource: { type: 'tempo', uid: '$traces' }, queryType: 'traceql', query }],
      range: { from: '$__from', to: '$__to' },
    },
  }
  // Grafana replaces variables in it, so they are not escaped.
  const escaped = encodeURIComponent(JSON.stringify(panes)).replaceAll('%24', '$')
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is Grafana's way to write a variable
  return `/explore?schemaVersion=1&panes=${escaped.replaceAll('$route', '${route:regex}')}`
}
