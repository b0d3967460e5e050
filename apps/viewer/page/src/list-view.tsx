import type { ComponentChildren, VNode } from 'preact'
import { useLayoutEffect } from 'preact/hooks'
import { count, exact, moment } from '../../src/format.ts'
import { useHold } from './hold.ts'
import { useKeys, useListKeys } from './keyboard.ts'
import { adjust, type Params, step } from './route.ts'
import { ROW_HEIGHT, useRowsInView } from './rows-in-view.ts'

/** What every list that the server sends has. */
interface Listed {
  readonly rows: readonly { readonly id: string }[]
  readonly matching: number
  readonly total: number
  readonly problems: readonly string[]
}

interface Props<L extends Listed> {
  /** What is listed; the class of the table. */
  readonly noun: 'traces' | 'connections' | 'sessions' | 'logs'
  readonly params: Params
  /** The list as the server sent it last, and the question that it answers. */
  readonly latest: L | undefined
  readonly answered: string
  readonly busy: boolean
  /** Id of the row that is open in the pane; empty when none is. */
  readonly open: string
  /** The parameter of the address that says what of the open row is selected. */
  readonly selection: 'span' | 'mark'
  readonly filters: (list: L | undefined) => ComponentChildren
  /** What is said of the list after the number of rows. */
  readonly facts?: (list: L) => ComponentChildren
  readonly columns: ComponentChildren
  readonly row: (row: L['rows'][number]) => VNode
  /** Where the list of what is newest goes on after its last row; undefined where it is sorted by something else. */
  readonly before?: ((row: L['rows'][number]) => number) | undefined
  /** Shown while there is nothing at all. */
  readonly empty: ComponentChildren
  /** How list and pane share the window. */
  readonly layout: 'stack' | 'split'
  readonly pane: ComponentChildren
}

/** Rows the server sends when it is asked for more. */
const MORE = 500

const reasons = { pointer: 'held while you point · ', keyboard: 'held while you use the keyboard (Esc) · ' } as const

/** A filtered list that holds still while it is pointed at, and beside it what is open. */
export function ListView<L extends Listed>(props: Props<L>) {
  const { noun, open, selection } = props
  const { shown: list, held, keyboard, ...holding } = useHold(props.latest, props.answered)
  const rows: L['rows'] = list?.rows ?? []
  const { scroller, first, end, above, below } = useRowsInView(
    rows.length,
    ROW_HEIGHT,
    rows.findIndex((row) => row.id === open),
  )
  // What answers another question is seen from its first row; more rows for the same question are not another one.
  const question = props.answered.replace(/&limit=\d+/, '')
  useLayoutEffect(() => {
    if (scroller.current !== null) scroller.current.scrollTop = 0
  }, [question])
  useListKeys(
    rows.map((row) => row.id),
    open,
    (id) => {
      keyboard(true)
      adjust({ open: id, [selection]: '' })
    },
  )
  useKeys({
    Escape: () => {
      keyboard(false)
      step({ open: '', [selection]: '' })
    },
  })
  return (
    <div class={`${props.layout} ${open === '' ? '' : 'opened'}`}>
      <section class="list" aria-label={`${noun.charAt(0).toUpperCase()}${noun.slice(1)}`} aria-busy={props.busy}>
        <div class="filters">
          {props.filters(list)}
          {list !== undefined && (
            <span class="matching" data-testid="matching">
              {held !== '' && <span class="warn">{reasons[held]}</span>}
              {count(list.matching)} of {count(list.total)} {noun}
              {props.facts?.(list)}
            </span>
          )}
        </div>
        {list !== undefined && list.problems.length > 0 && (
          <p class="problems" role="status">
            Not understood: {list.problems.join('; ')}.
          </p>
        )}
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard */}
        <div class="scroll" ref={scroller} tabIndex={0} {...holding}>
          <div style={{ paddingTop: `${above}px`, paddingBottom: `${below}px` }}>
            <table class={noun}>
              <thead>
                <tr>{props.columns}</tr>
              </thead>
              <tbody>{rows.slice(first, end).map(props.row)}</tbody>
            </table>
          </div>
          {list !== undefined && rows.length === 0 && (
            <div class="nothing">
              {list.total === 0 ? (
                props.empty
              ) : (
                <p>
                  None of {exact(list.total)} {noun} matches the filter.
                </p>
              )}
            </div>
          )}
          {list !== undefined && <Further list={list} params={props.params} before={props.before} />}
        </div>
      </section>
      {open !== '' && props.pane}
    </div>
  )
}

interface FurtherProps<L extends Listed> {
  readonly list: L
  readonly params: Params
  readonly before: ((row: L['rows'][number]) => number) | undefined
}

/** The way to the rows that are not listed: all that is kept can be reached. */
function Further<L extends Listed>({ list: { rows, matching }, params, before }: FurtherProps<L>) {
  const skip = Number(params.skip ?? 0)
  const paged = params.before !== undefined || skip > 0
  const last = rows.at(-1)
  const further =
    last === undefined
      ? undefined
      : before === undefined
        ? { skip: String(skip + rows.length) }
        : { before: String(before(last)) }
  const more = before === undefined ? matching > skip + rows.length : paged || matching > rows.length
  return (
    <p class="further">
      {paged && (
        <>
          <button type="button" onClick={() => step({ before: '', skip: '' })}>
            Back to the first
          </button>
          {params.before !== undefined && <span class="muted">before {moment(Number(params.before))}</span>}
        </>
      )}
      {more && rows.length < MORE && rows.length < matching && (
        <button type="button" onClick={() => adjust({ limit: String(MORE) })}>
          Show more
        </button>
      )}
      {more && further !== undefined && (
        <button type="button" onClick={() => step(further)}>
          {before === undefined ? 'Next page' : 'Older'}
        </button>
      )}
    </p>
  )
}
