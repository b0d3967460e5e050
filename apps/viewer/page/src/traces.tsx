import { clock, duration, exact, moment } from '../../src/format.ts'
import type { TraceRow } from '../../src/wire.ts'
import { Check, PickChip, Select } from './controls.tsx'
import { ListView } from './list-view.tsx'
import type { Live } from './live.ts'
import { OperationTag, shortName } from './operation-tag.tsx'
import { adjust, href, type Params, step } from './route.ts'
import { TracePane } from './trace-pane.tsx'
import { redrawnOnChange } from './unchanged.ts'

interface Props {
  readonly params: Params
  readonly live: Live
}

export function TracesView({ params, live: { data, answered, busy } }: Props) {
  const { open = '', q = '', connection = '', errors = '', min = '', sort = '', find = '', against = '' } = params
  return (
    <ListView
      noun="traces"
      params={params}
      latest={data.traces}
      answered={answered}
      busy={busy}
      open={open}
      selection="span"
      filters={() => (
        <>
          <Select label="Duration" name="min" value={min} options={MINIMA} />
          <Select label="Order" name="sort" value={sort} options={ORDERS} />
          <PickChip pick={params.pick} />
          <Check label="errors" name="errors" value={errors} />
          {connection !== '' && (
            <button type="button" class="chip" onClick={() => adjust({ connection: '' })} title="Remove this filter">
              connection {connection.slice(0, 16)} ×
            </button>
          )}
        </>
      )}
      facts={(list) =>
        list.searched < list.total && (
          <span>
            {' '}
            (searched {exact(list.searched)} of {exact(list.total)} so far)
          </span>
        )
      }
      columns={
        <>
          <th class="time num">Time</th>
          <th class="name">Trace</th>
          <th class="duration num">Duration</th>
          <th class="spans num">Spans</th>
          <th class="route">Route</th>
          <th class="services">Services</th>
          <th class="connection">Connection</th>
        </>
      }
      row={(row) => <Row key={row.id} row={row} params={params} />}
      before={sort === '' ? (row) => row.start : undefined}
      empty={<Waiting endpoint={data.status?.endpoint ?? ''} />}
      layout="split"
      pane={
        <TracePane
          key={open}
          id={open}
          trace={data.trace}
          comparison={data.comparison}
          selected={params.span ?? ''}
          sought={`${q} ${params.pick ?? ''}`.trim()}
          find={find}
          against={against}
        />
      }
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
  ['errors', 'most errors'],
  ['spans', 'most spans'],
] as const

interface RowProps {
  readonly row: TraceRow
  readonly params: Params
}

const Row = redrawnOnChange(({ row, params }: RowProps) => {
  const opened = { open: row.id, span: '', find: '', against: '' }
  return (
    <tr class={row.error === '' ? '' : 'error'} aria-selected={params.open === row.id} onClick={() => step(opened)}>
      <td class="time num mono" title={moment(row.start)}>
        {clock(row.start)}
      </td>
      <td class="name">
        <OperationTag operation={row.operation} kind={row.kind} />
        <a
          href={href('traces', { ...params, ...opened })}
          title={row.name}
          onClick={(event) => event.stopPropagation()}
        >
          {shortName(row.name, row.operation)}
        </a>
        {row.error !== '' && <span class="error-text">{row.error}</span>}
      </td>
      <td class="duration num mono">
        <span class={`magnitude m${magnitude(row.duration)}`}>{duration(row.duration)}</span>
      </td>
      <td class="spans num mono">{exact(row.spans)}</td>
      <td class="route" title={row.route}>
        {row.route}
      </td>
      <td class="services" title={row.services.join(', ')}>
        {row.services.join(', ')}
        {row.nodes > row.services.length && <span class="muted"> {row.nodes} nodes</span>}
      </td>
      <td class="connection mono">
        {row.connection !== '' && (
          <a href={href('connections', { open: row.connection })} onClick={(event) => event.stopPropagation()}>
            {row.connection.slice(0, 8)}
          </a>
        )}
      </td>
    </tr>
  )
})

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
        Start a program with <code>OTEL_EXPORTER_OTLP_ENDPOINT={endpoint}</code>, or point its OTLP exporter here: HTTP
        with JSON or protobuf, or gRPC. Connections and sessions fill with the spans of otel-ws; every other
        instrumentation is shown as well.
      </p>
    </>
  )
}
