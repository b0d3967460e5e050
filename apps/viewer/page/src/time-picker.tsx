import { useEffect, useRef, useState } from 'preact/hooks'
import { clock, moment } from '../../src/format.ts'
import { type Params, step } from './route.ts'

/** Seconds that end now, and how they are called. */
const spans = [
  ['', 'All that is kept'],
  ['60', 'Last minute'],
  ['300', 'Last 5 minutes'],
  ['900', 'Last 15 minutes'],
  ['3600', 'Last hour'],
  ['21600', 'Last 6 hours'],
  ['86400', 'Last day'],
] as const

/** Goes to a part of time, epoch milliseconds; what is newest is not left out. */
export function showTime(from: number, to: number): void {
  step({ last: '', from: String(Math.floor(from)), to: String(Math.ceil(to)), before: '', skip: '' })
}

/** The part of time that all views show: seconds that end now, or from one time to another. */
export function TimePicker({ params: { last = '', from = '', to = '' } }: { readonly params: Params }) {
  const [open, setOpen] = useState(false)
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (!open) return
    const outside = (event: Event) => {
      if (!box.current?.contains(event.target as Node)) setOpen(false)
    }
    const pressed = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return
      event.preventDefault()
      setOpen(false)
    }
    addEventListener('pointerdown', outside)
    addEventListener('keydown', pressed, { capture: true })
    return () => {
      removeEventListener('pointerdown', outside)
      removeEventListener('keydown', pressed, { capture: true })
    }
  }, [open])
  const bounded = from !== '' || to !== ''
  const text = bounded
    ? `${shortTime(from) || 'start'} – ${shortTime(to) || 'now'}`
    : (spans.find(([value]) => value === last)?.[1] ?? `Last ${last} s`)
  const choose = (value: string) => {
    step({ last: value, from: '', to: '', before: '', skip: '' })
    setOpen(false)
  }
  return (
    <div class="time-picker" ref={box}>
      <button
        type="button"
        class={bounded || last !== '' ? 'chosen' : ''}
        aria-haspopup="dialog"
        aria-expanded={open}
        aria-label={`Time range: ${text}`}
        title={bounded ? `${longTime(from)} – ${longTime(to)}` : 'Time range'}
        onClick={() => setOpen(!open)}
      >
        {text}
      </button>
      {(bounded || last !== '') && (
        <button
          type="button"
          class="plain"
          aria-label="Show all that is kept"
          title="All that is kept"
          onClick={() => choose('')}
        >
          ×
        </button>
      )}
      {open && (
        <div class="time-choices" role="dialog" aria-label="Time range">
          {spans.map(([value, name]) => (
            <button
              key={value}
              type="button"
              class="plain"
              aria-pressed={!bounded && value === last}
              onClick={() => choose(value)}
            >
              {name}
            </button>
          ))}
          <FromTo from={from} to={to} onDone={() => setOpen(false)} />
        </div>
      )}
    </div>
  )
}

function FromTo({ from, to, onDone }: { readonly from: string; readonly to: string; readonly onDone: () => void }) {
  const first = useRef<HTMLInputElement>(null)
  const second = useRef<HTMLInputElement>(null)
  const apply = (event: Event) => {
    event.preventDefault()
    const time = (input: HTMLInputElement | null) => {
      const value = new Date(input?.value ?? '').getTime()
      return Number.isNaN(value) ? '' : String(value)
    }
    step({ last: '', from: time(first.current), to: time(second.current), before: '', skip: '' })
    onDone()
  }
  return (
    <form onSubmit={apply}>
      <label>
        From{' '}
        <input ref={first} type="datetime-local" step="1" defaultValue={local(from || String(Date.now() - 600_000))} />
      </label>
      <label>
        To <input ref={second} type="datetime-local" step="1" defaultValue={local(to || String(Date.now()))} />
      </label>
      <button type="submit">Show</button>
    </form>
  )
}

/** As the field wants it: local time without a zone. */
function local(epochMs: string): string {
  return moment(Number(epochMs)).replace(' ', 'T').slice(0, 19)
}

function shortTime(epochMs: string): string {
  if (epochMs === '') return ''
  const time = Number(epochMs)
  const today = moment(time).slice(0, 10) === moment(Date.now()).slice(0, 10)
  return today ? clock(time).slice(0, 8) : moment(time).slice(5, 19)
}

function longTime(epochMs: string): string {
  return epochMs === '' ? 'open' : moment(Number(epochMs))
}
