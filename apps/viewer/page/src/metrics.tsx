import { count, duration, exact } from '../../src/format.ts'
import type { HandlerRow, MetricsBoard, Update } from '../../src/wire.ts'
import { Chart } from './chart.tsx'
import { choices, Select } from './controls.tsx'
import { useKeys } from './keyboard.ts'
import { adjust, href } from './route.ts'
import type { Theme } from './theme.ts'

interface Props {
  readonly params: Readonly<Record<string, string>>
  readonly data: Partial<Update>
  readonly theme: Theme
}

const windows = [
  ['', '5 minutes'],
  ['60', '1 minute'],
  ['900', '15 minutes'],
  ['3600', '1 hour'],
] as const

export function MetricsView({ params, data, theme }: Props) {
  const board = data.metrics
  const { service = '', node = '', route = '', message = '', instrument = '', window = '' } = params
  useKeys({ Escape: () => adjust({ message: '', instrument: '' }) })
  if (board === undefined) return null
  if (board.instruments.length === 0) {
    return (
      <div class="nothing">
        <h2>Waiting for the first metrics</h2>
        <p>
          They come with the first export of a MeterProvider, to <code>{data.status?.endpoint}/v1/metrics</code>. A
          short export interval, one second or so, makes the charts live.
        </p>
      </div>
    )
  }
  const messages = board.handlers.map(({ name }) => name).filter(Boolean)
  return (
    <div class="board scroll">
      <div class="filters">
        <Select label="Window" name="window" value={window} options={windows} />
        <Select label="Service" name="service" value={service} options={choices('all services', board.services)} />
        {board.nodes.length > 1 && (
          <Select label="Node" name="node" value={node} options={choices('all nodes', board.nodes)} />
        )}
        <Select label="Route" name="route" value={route} options={choices('all routes', board.routes)} />
        <Select label="Latency of" name="message" value={message} options={choices('all messages', messages)} />
        <Select
          label="Instrument"
          name="instrument"
          value={instrument}
          options={choices(
            'none',
            board.instruments.map(({ name }) => name),
          )}
        />
      </div>
      <div class="panels">
        {board.panels.map((panel) => (
          <Chart key={`${panel.id} ${theme}`} panel={panel} times={board.times} />
        ))}
      </div>
      <div class="tables">
        <Handlers rows={board.handlers} message={message} />
        <Instruments board={board} instrument={instrument} />
      </div>
    </div>
  )
}

function Handlers({ rows, message }: { readonly rows: readonly HandlerRow[]; readonly message: string }) {
  return (
    <section aria-label="Handlers">
      <h3>Handlers in this window, slowest first</h3>
      {rows.length === 0 && <p class="nothing">No handler has run in this window.</p>}
      <table>
        <thead>
          <tr>
            <th>Message</th>
            <th class="num">Per second</th>
            <th class="num">p50</th>
            <th class="num">p95</th>
            <th class="num">p99</th>
            <th class="num">Failed</th>
            <th>
              <span class="hidden">Traces</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr
              key={row.name}
              aria-selected={row.name !== '' && row.name === message}
              onClick={() => adjust({ message: row.name })}
            >
              <td>{row.name || <span class="muted">messages without a name</span>}</td>
              <td class="num mono">{count(row.rate)}</td>
              <td class="num mono">{seconds(row.p50)}</td>
              <td class="num mono">{seconds(row.p95)}</td>
              <td class="num mono">{seconds(row.p99)}</td>
              <td class={`num mono ${row.failed > 0 ? 'bad' : ''}`}>
                {exact(row.failed)} of {exact(row.count)}
              </td>
              <td>
                {row.name !== '' && (
                  <a href={href('traces', { q: `process ${row.name}` })} onClick={(event) => event.stopPropagation()}>
                    traces →
                  </a>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

function seconds(value: number | null): string {
  return value === null ? '–' : duration(value * 1000)
}

function Instruments({ board, instrument }: { readonly board: MetricsBoard; readonly instrument: string }) {
  return (
    <section aria-label="Instruments">
      <h3>Everything received</h3>
      <table>
        <thead>
          <tr>
            <th>Instrument</th>
            <th>Kind</th>
            <th>Unit</th>
            <th class="num">Series</th>
          </tr>
        </thead>
        <tbody>
          {board.instruments.map((one) => (
            <tr key={one.name} aria-selected={one.name === instrument} onClick={() => adjust({ instrument: one.name })}>
              <td title={one.description}>
                <button type="button" class="plain">
                  {one.name}
                </button>
              </td>
              <td>{one.kind}</td>
              <td>{one.unit}</td>
              <td class="num mono">{one.series}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
