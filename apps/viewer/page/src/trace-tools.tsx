import { useRef } from 'preact/hooks'
import { exact } from '../../src/format.ts'
import type { TraceDetail } from '../../src/wire.ts'
import { useKeys } from './keyboard.ts'
import { adjust } from './route.ts'

interface Props {
  readonly trace: TraceDetail
  readonly find: string
  /** Key of the selected span. */
  readonly selected: string
  readonly onSelect: (key: string) => void
  readonly onFold: (all: boolean) => void
}

/** A trace of fewer spans is seen at once. */
const few = 8

/** What is needed in a large trace: a search, the way from error to error, and folding. */
export function TraceTools({ trace, find, selected, onSelect, onFold }: Props) {
  const field = useRef<HTMLInputElement>(null)
  const errors = trace.spans.filter((span) => span.error).map(({ key }) => key)
  const found = trace.found?.keys ?? []
  const order = new Map(trace.spans.map(({ key }, index) => [key, index]))
  const next = (keys: readonly string[]) => {
    const at = order.get(selected) ?? -1
    const key = keys.find((one) => order.get(one)! > at) ?? keys[0]
    if (key !== undefined) onSelect(key)
  }
  useKeys({ e: () => next(errors), f: () => field.current?.focus() })
  if (trace.total < few && find === '') return null
  const place = (keys: readonly string[]) => (keys.includes(selected) ? `${keys.indexOf(selected) + 1} of ` : '')
  return (
    <div class="trace-tools">
      <input
        ref={field}
        type="search"
        aria-label="Find in this trace"
        placeholder="Find in this trace"
        title="Key f: the same words as in the search above"
        value={find}
        maxLength={512}
        onInput={({ currentTarget }) => adjust({ find: currentTarget.value })}
        onKeyDown={(event) => {
          if (event.key === 'Enter') next(found)
        }}
      />
      {trace.found !== null && (
        <button type="button" disabled={found.length === 0} onClick={() => next(found)} title="Key Enter in the field">
          {place(found)}
          {exact(trace.found.count)} found ↓
        </button>
      )}
      {trace.findProblems.length > 0 && <span class="warn">{trace.findProblems.join('; ')}</span>}
      <span class="grow" />
      <button type="button" disabled={errors.length === 0} onClick={() => next(errors)} title="Key e">
        {errors.length === 0 ? 'No errors' : `${place(errors)}${exact(trace.failed)} failed ↓`}
      </button>
      <button type="button" onClick={() => onFold(true)} title="Show the roots alone">
        Fold all
      </button>
      <button type="button" onClick={() => onFold(false)}>
        Unfold
      </button>
    </div>
  )
}
