import { duration, exact } from '../../src/format.ts'
import type { BroadcastRow } from '../../src/wire.ts'

interface Props {
  readonly rows: readonly BroadcastRow[]
  readonly onSelect: (key: string) => void
}

/** What a broadcast came to on each node, the latest first: who got it late. */
export function BroadcastTable({ rows, onSelect }: Props) {
  if (rows.length === 0) return null
  return (
    <section aria-label="Nodes of the broadcast" class="broadcast-nodes">
      <h3 class="part">
        Nodes of the broadcast <small>the latest first</small>
      </h3>
      <table>
        <thead>
          <tr>
            <th>Node</th>
            <th>Service</th>
            <th>Broadcast</th>
            <th class="num">Lag</th>
            <th class="num">Recipients</th>
            <th class="num">Skipped</th>
            <th class="num">Duration</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.key} class={row.error ? 'error' : ''} onClick={() => onSelect(row.key)}>
              <td>
                <button type="button" class="plain" onClick={() => onSelect(row.key)}>
                  {row.instance || row.service}
                </button>
              </td>
              <td>{row.service}</td>
              <td>{row.name}</td>
              <td class="num mono">{row.lag === null ? 'origin' : duration(row.lag)}</td>
              <td class="num mono">{row.recipients === null ? '–' : exact(row.recipients)}</td>
              <td class={`num mono ${row.skipped > 0 ? 'bad' : ''}`}>{exact(row.skipped)}</td>
              <td class="num mono">{duration(row.duration)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
