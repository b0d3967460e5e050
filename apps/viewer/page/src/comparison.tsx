import { clock, duration, exact } from '../../src/format.ts'
import type { ComparisonRow, TraceComparison, TraceRow } from '../../src/wire.ts'
import { adjust, href } from './route.ts'

/** The open trace beside another one of its name: where the time went, row by row of the tree. */
export function Comparison({ comparison }: { readonly comparison: TraceComparison | null | undefined }) {
  if (comparison === undefined) return <p class="nothing">Comparing…</p>
  if (comparison === null) {
    return <p class="nothing">There is no other trace of this name to compare with, or it is not kept any more.</p>
  }
  const { a, b, rows, omitted, others } = comparison
  const longest = Math.max(a.duration, b.duration, 0.001)
  return (
    <div class="comparison scroll">
      <p class="sub">
        <span>
          <i class="dot line0" /> this: {duration(a.duration)}, {exact(a.spans)} spans
        </span>
        <span>
          <i class="dot line1" /> <a href={href('traces', { open: b.id })}>the other</a>: {duration(b.duration)},{' '}
          {exact(b.spans)} spans
        </span>
        <label>
          Compare with{' '}
          <select
            aria-label="Compare with"
            value={b.id}
            onChange={({ currentTarget }) => adjust({ against: currentTarget.value })}
          >
            {[b, ...others.filter(({ id }) => id !== b.id)].map((one) => (
              <option key={one.id} value={one.id}>
                {nameOf(one)}
              </option>
            ))}
          </select>
        </label>
      </p>
      <table>
        <thead>
          <tr>
            <th>Span</th>
            <th>Duration</th>
            <th class="num">This</th>
            <th class="num">The other</th>
            <th class="num">Difference</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index} class={row.errorsA > 0 ? 'error' : ''}>
              <td
                class="name"
                style={{ paddingLeft: `${10 + row.depth * 14}px` }}
                title={`${row.name} of ${row.service}`}
              >
                {row.name}
                {row.errorsA + row.errorsB > 0 && (
                  <span class="error-text">
                    {row.errorsA} / {row.errorsB} failed
                  </span>
                )}
              </td>
              <td class="bars" aria-hidden="true">
                <i class="line0" style={{ width: `${(row.durationA / longest) * 100}%` }} />
                <i class="line1" style={{ width: `${(row.durationB / longest) * 100}%` }} />
              </td>
              <td class="num mono">{side(row.countA, row.durationA)}</td>
              <td class="num mono">{side(row.countB, row.durationB)}</td>
              <td class="num mono">{difference(row)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {omitted > 0 && <p class="nothing">{exact(omitted)} further rows are not shown.</p>}
    </div>
  )
}

function nameOf(row: TraceRow): string {
  return `${duration(row.duration)} at ${clock(row.start)}${row.error === '' ? '' : `, ${row.error}`}`
}

function side(count: number, ms: number): string {
  if (count === 0) return '–'
  return `${duration(ms)}${count > 1 ? ` in ${exact(count)}` : ''}`
}

function difference({ countA, countB, durationA, durationB }: ComparisonRow): string {
  if (countB === 0) return 'only here'
  if (countA === 0) return 'only there'
  const more = durationA - durationB
  return `${more < 0 ? '−' : '+'}${duration(Math.abs(more))}`
}
