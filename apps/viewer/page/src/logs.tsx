import { clock, moment } from '../../src/format.ts'
import type { LogRow } from '../../src/wire.ts'
import { AttributeTable } from './attribute-table.tsx'
import { Select } from './controls.tsx'
import { CopyButton } from './copy-button.tsx'
import { ListView } from './list-view.tsx'
import type { Live } from './live.ts'
import { bodyOf, LevelTag } from './log-lines.tsx'
import { href, type Params, step } from './route.ts'

interface Props {
  readonly params: Params
  readonly live: Live
}

const LEVELS = [
  ['', 'any level'],
  ['debug', 'debug and above'],
  ['info', 'info and above'],
  ['warn', 'warn and above'],
  ['error', 'error and above'],
] as const

export function LogsView({ params, live: { data, answered, busy } }: Props) {
  const { open = '', level = '' } = params
  const row = data.logs?.rows.find(({ id }) => id === open)
  return (
    <ListView
      noun="logs"
      params={params}
      latest={data.logs}
      answered={answered}
      busy={busy}
      open={open}
      selection="mark"
      filters={() => <Select label="Level" name="level" value={level} options={LEVELS} />}
      columns={
        <>
          <th class="time num">Time</th>
          <th class="level">Level</th>
          <th class="name">Message</th>
          <th class="services">Service</th>
          <th class="connection">Trace</th>
        </>
      }
      row={(one) => <Row key={one.id} row={one} params={params} />}
      before={(one) => one.time}
      empty={
        <>
          <h2>Waiting for the first log record</h2>
          <p>
            They come with a LoggerProvider that exports to <code>{data.status?.endpoint}/v1/logs</code>, such as that
            of <code>NodeSDK</code>. The instrumentations of pino, winston and bunyan send what a program logs.
          </p>
        </>
      }
      layout="split"
      pane={<LogPane row={row} />}
    />
  )
}

function Row({ row, params }: { readonly row: LogRow; readonly params: Params }) {
  return (
    <tr
      class={row.level === 'error' || row.level === 'fatal' ? 'error' : ''}
      aria-selected={params.open === row.id}
      onClick={() => step({ open: row.id })}
    >
      <td class="time num mono" title={moment(row.time)}>
        {clock(row.time)}
      </td>
      <td class="level">
        <LevelTag log={row} />
      </td>
      <td class="name">
        <a href={href('logs', { ...params, open: row.id })} onClick={(event) => event.stopPropagation()}>
          {bodyOf(row).slice(0, 500)}
        </a>
      </td>
      <td class="services">{row.service}</td>
      <td class="connection mono">
        {row.traceId !== '' && (
          <a
            href={href('traces', { open: row.traceId, span: row.spanId })}
            onClick={(event) => event.stopPropagation()}
          >
            {row.traceId.slice(0, 8)}
          </a>
        )}
      </td>
    </tr>
  )
}

function LogPane({ row }: { readonly row: LogRow | undefined }) {
  return (
    <section class="pane" aria-label="Log record">
      <div class="pane-head">
        <div>
          <h2>
            {row && <LevelTag log={row} />} {row ? row.service : 'Log record'}
          </h2>
          {row && (
            <p class="sub">
              <span>{moment(row.time)}</span>
              {row.severityText !== '' && <span>{row.severityText}</span>}
              {row.eventName !== '' && <span>{row.eventName}</span>}
              {row.scope !== '' && <span>{row.scope}</span>}
              {row.traceId !== '' && <a href={href('traces', { open: row.traceId, span: row.spanId })}>its trace →</a>}
              {row.connection !== '' && <a href={href('connections', { open: row.connection })}>its connection →</a>}
            </p>
          )}
        </div>
        <div class="pane-actions">
          <button type="button" onClick={() => step({ open: '' })} aria-label="Close the log record" title="Key Esc">
            ×
          </button>
        </div>
      </div>
      {row === undefined ? (
        <p class="nothing">This record is not in the list: it does not match, or was dropped to make room.</p>
      ) : (
        <div class="facts">
          <div class="code-block">
            <CopyButton text={row.body} label="Copy the message" />
            <pre>{bodyOf(row)}</pre>
          </div>
          <div class="columns">
            <AttributeTable title="Attributes" attributes={row.attributes} view="logs" />
            <AttributeTable title="Resource" attributes={row.resource} view="logs" />
          </div>
          {row.dropped > 0 && <p class="warn">{row.dropped} attributes were left out.</p>}
        </div>
      )}
    </section>
  )
}
