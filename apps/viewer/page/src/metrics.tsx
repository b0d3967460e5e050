import { count, duration, exact } from '../../src/format.ts'
import type { HandlerRow, MetricsBoard, Panel, Update } from '../../src/wire.ts'
import { Chart } from './chart.tsx'
import { choices, Select } from './controls.tsx'
import { quoted } from './highlight-cards.ts'
import { useKeys } from './keyboard.ts'
import { adjust, href, type Params, timeOf } from './route.ts'
import type { Theme } from './theme.ts'

interface Props {
  readonly params: Params
  readonly data: Partial<Update>
  readonly theme: Theme
}

export function MetricsView({ params, data, theme }: Props) {
  const board = data.metrics
  const { service = '', node = '', route = '', message = '', instrument = '' } = params
  const within = { service, route, ...timeOf(params) }
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
        {board.nodes.length > 1 && (
          <Select label="Node" name="node" value={node} options={choices('all nodes', board.nodes)} />
        )}
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
          <Chart
            key={`${panel.id} ${theme}`}
            panel={panel}
            times={board.times}
            traces={panel.query === '' ? '' : href('traces', { ...within, q: searchOf(panel, message) })}
          />
        ))}
      </div>
      <div class="tables">
        <Handlers rows={board.handlers} message={message} within={within} />
        <Instruments board={board} instrument={instrument} />
      </div>
    </div>
  )
}

/** What finds the traces that a chart is about; of the latency of one message, those of the message. */
function searchOf({ id, query }: Panel, message: string): string {
  return id === 'latency' && message !== '' ? `${query} name=${quoted(`process ${message}`)}` : query
}

interface HandlersProps {
  readonly rows: readonly HandlerRow[]
  readonly message: string
  readonly within: Params
}

function Handlers({ rows, message, within }: HandlersProps) {
  return (
    <section aria-label="Handlers">
      <h2>Handlers in this time, slowest first</h2>
      {rows.length === 0 && <p class="nothing">No handler has run in this time.</p>}
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
                  <a
                    href={href('traces', { ...within, q: `name=${quoted(`process ${row.name}`)}`, sort: 'slowest' })}
                    onClick={(event) => event.stopPropagation()}
                  >
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
      <h2>All instruments</h2>
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
