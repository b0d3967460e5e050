import { clock, duration, moment } from '../../src/format.ts'
import type { TraceRow } from '../../src/wire.ts'
import { choices, Search, Select } from './controls.tsx'
import { intoView } from './into-view.ts'
import { ListView } from './list-view.tsx'
import type { Live } from './live.ts'
import { OperationTag, shortName } from './operation-tag.tsx'
import { adjust, href, step } from './route.ts'
import { TracePane } from './trace-pane.tsx'

interface Props {
  readonly params: Readonly<Record<string, string>>
  readonly live: Live
}

export function TracesView({ params, live: { data, answered, busy } }: Props) {
  const open = params.open ?? ''
  const { q = '', service = '', route = '', connection = '', errors = '', min = '', sort = '' } = params
  return (
    <ListView
      noun="traces"
      latest={data.traces}
      answered={answered}
      busy={busy}
      open={open}
      selection="span"
      filters={(list) => (
        <>
          <Search value={q} placeholder="Name, key=value, trace or connection id" />
          <Select label="Route" name="route" value={route} options={choices('all routes', list?.routes)} />
          <Select label="Service" name="service" value={service} options={choices('all services', list?.services)} />
          <Select label="Duration" name="min" value={min} options={MINIMA} />
          <Select label="Order" name="sort" value={sort} options={ORDERS} />
          <label class="check">
            <input
              type="checkbox"
              checked={errors === '1'}
              onChange={({ currentTarget }) => adjust({ errors: currentTarget.checked ? '1' : '' })}
            />
            <span>errors</span>
          </label>
          {connection !== '' && (
            <button type="button" class="chip" onClick={() => adjust({ connection: '' })} title="Remove this filter">
              connection {connection} ×
            </button>
          )}
        </>
      )}
      facts={(list) => list.cut && <span title="The search looks at the newest 100,000 spans"> (newest searched)</span>}
      columns={
        <>
          <th class="num">Time</th>
          <th>Trace</th>
          <th class="num">Duration</th>
          <th class="num">Spans</th>
          <th>Route</th>
          <th>Services</th>
          <th>Connection</th>
        </>
      }
      row={(row) => <Row key={row.id} row={row} params={params} />}
      empty={<Waiting endpoint={data.status?.endpoint ?? ''} />}
      layout="split"
      pane={<TracePane key={open} id={open} trace={data.trace} selected={params.span ?? ''} sought={q} />}
    />
  )
}

const MINIMA = [
  ['', 'any duration'],
  ['1', '≥ 1 ms'],
  ['10', '≥ 10 ms'],
  ['100', '≥ 100 ms'],
  ['1000', '≥ 1 s'],
] as const

const ORDERS = [
  ['', 'newest first'],
  ['slowest', 'slowest first'],
] as const

function Row({ row, params }: { readonly row: TraceRow; readonly params: Readonly<Record<string, string>> }) {
  const address = href('traces', { ...params, open: row.id, span: '' })
  return (
    <tr
      class={row.error === '' ? '' : 'error'}
      ref={params.open === row.id ? intoView : null}
      aria-selected={params.open === row.id}
      onClick={() => step({ open: row.id, span: '' })}
    >
      <td class="num mono" title={moment(row.start)}>
        {clock(row.start)}
      </td>
      <td class="name">
        <OperationTag operation={row.operation} kind={row.kind} />
        <a href={address} title={row.name} onClick={(event) => event.stopPropagation()}>
          {shortName(row.name, row.operation)}
        </a>
        {row.error !== '' && <span class="error-text">{row.error}</span>}
      </td>
      <td class="num mono">
        <span class={`magnitude m${magnitude(row.duration)}`}>{duration(row.duration)}</span>
      </td>
      <td class="num mono">{row.spans}</td>
      <td class="route">{row.route}</td>
      <td>
        {row.services.join(', ')}
        {row.nodes > row.services.length && <span class="muted"> {row.nodes} nodes</span>}
      </td>
      <td class="mono">
        {row.connection !== '' && (
          <a href={href('connections', { open: row.connection })} onClick={(event) => event.stopPropagation()}>
            {row.connection.slice(0, 8)}
          </a>
        )}
      </td>
    </tr>
  )
}

/** Powers of ten from 1 ms, for the colour of a duration. */
function magnitude(ms: number): number {
  if (ms < 20) return 0
  if (ms < 100) return 1
  return ms < 1000 ? 2 : 3
}

function Waiting({ endpoint }: { readonly endpoint: string }) {
  return (
    <>
      <h2>Waiting for the first trace</h2>
      <p>
        Start a program with <code>OTEL_EXPORTER_OTLP_ENDPOINT={endpoint}</code>, or point its OTLP/HTTP exporter (JSON
        or protobuf) here.
      </p>
    </>
  )
}
