import { useEffect, useRef, useState } from 'preact/hooks'
import type { ConnectionDetail, Mark, TraceDetail, Update } from '../../src/wire.ts'
import type { Route } from './route.ts'

export interface Live {
  /** The latest of each part; what has not come yet is missing. */
  readonly data: Partial<Update>
  readonly marks: readonly Mark[]
  readonly state: 'connecting' | 'live' | 'paused' | 'lost'
  /** What the lists in `data` were asked with: a list for an earlier question is no answer to the present one. */
  readonly answered: string
  /** Whether the answer to the present question is still to come. */
  readonly busy: boolean
}

const empty: Live = { data: {}, marks: [], state: 'connecting', answered: '', busy: true }
/** Milliseconds until a stream that was refused is asked for again. */
const retryAfter = 3000

/** Parameters that only the page knows about; a change of them needs no new stream. */
const pageOnly = new Set(['mark'])

function streamAddress({ view, params }: Route, span: string): string {
  const query = new URLSearchParams({ view })
  for (const [name, value] of Object.entries({ ...params, span })) {
    if (value !== '' && !pageOnly.has(name)) query.set(name, value)
  }
  return `api/live?${query}`
}

/**
 * The span that the stream is asked for: of a large trace the server sends a part, which has to contain what is selected.
 * Another one is asked for only where it is not here, so that going from span to span needs no new stream.
 */
function useAskedSpan(
  { view, params: { open = '', span = '' } }: Route,
  trace: TraceDetail | null | undefined,
): string {
  const asked = useRef({ open: '', span: '' })
  if (view !== 'traces' || open === '') asked.current = { open: '', span: '' }
  else if (asked.current.open !== open) asked.current = { open, span }
  else if (span !== '' && trace?.id === open && trace.omitted > 0) {
    const here = trace.spans.some((one) => one.key === span || one.spanId === span)
    if (!here) asked.current = { open, span }
  }
  return asked.current.span
}

/** What a route asks of its list, apart from which entry is open and what of it is shown. */
function question({ view, params }: Route): string {
  const { open, span, find, against, ...asked } = params
  return streamAddress({ view, params: asked }, '')
}

/** Keeps what the page shows up to date, over one event stream that ends while the page is paused or hidden. */
export function useLive(route: Route, paused: boolean): Live {
  const [live, setLive] = useState(empty)
  const [attempt, setAttempt] = useState(0)
  const [visible, setVisible] = useState(!document.hidden)
  const address = streamAddress(route, useAskedSpan(route, live.data.trace))
  const asked = question(route)
  const opened = `${route.view} ${route.params.open ?? ''}`
  const lastOpened = useRef(opened)
  const shown = useRef('')

  useEffect(() => {
    const changed = () => setVisible(!document.hidden)
    document.addEventListener('visibilitychange', changed)
    return () => document.removeEventListener('visibilitychange', changed)
  }, [])

  useEffect(() => {
    // A detail that belongs to another address must not be shown under this one, not even for a moment.
    if (lastOpened.current !== opened) {
      lastOpened.current = opened
      setLive(({ data: { trace, comparison, connection, session, ...data }, ...rest }) => ({
        ...rest,
        data,
        marks: [],
      }))
    }
    // Paused, nothing moves; what is asked for meanwhile is still shown, once.
    if (!visible || (paused && shown.current === address)) return
    const source = new EventSource(address)
    source.onmessage = ({ data }: MessageEvent<string>) => {
      const update = JSON.parse(data) as Update
      shown.current = address
      setLive((before) => merge(before, update, asked))
      if (paused) source.close()
    }
    let retry: number | undefined
    source.onerror = () => {
      setLive((before) => ({ ...before, state: 'lost' }))
      // A stream that breaks is opened again by the browser, one that is refused is not.
      if (source.readyState === EventSource.CLOSED) retry = setTimeout(() => setAttempt(attempt + 1), retryAfter)
    }
    return () => {
      clearTimeout(retry)
      source.close()
    }
  }, [address, asked, attempt, opened, paused, visible])

  const state = paused && live.state !== 'lost' ? 'paused' : live.state
  return { ...live, state, busy: live.answered !== asked }
}

/** The rows of a list, each as it was where it says the same: a row that is the same object is not drawn again. */
function kept<L extends { readonly rows: readonly { readonly id: string }[] }>(before: L | undefined, latest: L): L {
  if (before === undefined) return latest
  const known = new Map(before.rows.map((row) => [row.id, row]))
  const rows = latest.rows.map((row) => {
    const same = known.get(row.id)
    return same !== undefined && JSON.stringify(same) === JSON.stringify(row) ? same : row
  })
  return { ...latest, rows }
}

function merge(before: Live, received: Update, answered: string): Live {
  const update = received.traces ? { ...received, traces: kept(before.data.traces, received.traces) } : received
  const marks = update.connection ? mergeMarks(before.marks, update.connection) : before.marks
  return { data: { ...before.data, ...update }, marks, state: 'live', answered, busy: false }
}

function mergeMarks(known: readonly Mark[], { marks, firstMark, reset }: ConnectionDetail): readonly Mark[] {
  if (reset) return marks
  const kept =
    known.length > 0 && known[0]!.number < firstMark ? known.filter((mark) => mark.number >= firstMark) : known
  return marks.length === 0 ? kept : [...kept, ...marks]
}
