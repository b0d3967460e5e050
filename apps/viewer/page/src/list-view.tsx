import type { ComponentChildren, VNode } from 'preact'
import { count, exact } from '../../src/format.ts'
import { useHold } from './hold.ts'
import { useKeys, useListKeys } from './keyboard.ts'
import { adjust, step } from './route.ts'

/** What every list that the server sends has. */
interface Listed {
  readonly rows: readonly { readonly id: string }[]
  readonly matching: number
  readonly total: number
}

interface Props<L extends Listed> {
  /** What is listed; the class of the table. */
  readonly noun: 'traces' | 'connections'
  /** The list as the server sent it last, and the question that it answers. */
  readonly latest: L | undefined
  readonly answered: string
  readonly busy: boolean
  /** Id of the row that is open in the pane; empty when none is. */
  readonly open: string
  /** The parameter of the address that says what of the open row is selected. */
  readonly selection: 'span' | 'mark'
  readonly filters: (list: L | undefined) => ComponentChildren
  /** What is told of the list after the number of rows. */
  readonly facts: (list: L) => ComponentChildren
  readonly columns: ComponentChildren
  readonly row: (row: L['rows'][number]) => VNode
  /** Shown while there is nothing at all. */
  readonly empty: ComponentChildren
  /** How list and pane share the window. */
  readonly layout: 'stack' | 'split'
  readonly pane: ComponentChildren
}

/** Rows the server sends when it is asked for more. */
const MORE = 500

/** A filtered list that holds still while the pointer is on it, and beside it what is open. */
export function ListView<L extends Listed>(props: Props<L>) {
  const { noun, open, selection } = props
  const { shown: list, held, ...holding } = useHold(props.latest, props.answered)
  const rows: L['rows'] = list?.rows ?? []
  useListKeys(
    rows.map((row) => row.id),
    open,
    (id) => adjust({ open: id, [selection]: '' }),
  )
  useKeys({ Escape: () => step({ open: '', [selection]: '' }) })
  return (
    <div class={`${props.layout} ${open === '' ? '' : 'opened'}`}>
      <section class="list" aria-label={`${noun.charAt(0).toUpperCase()}${noun.slice(1)}`} aria-busy={props.busy}>
        <div class="filters">
          {props.filters(list)}
          {list !== undefined && (
            <span class="matching" data-testid="matching">
              {held && <span class="warn">held while you point · </span>}
              {count(list.matching)} of {count(list.total)} {noun}
              {props.facts(list)}
            </span>
          )}
        </div>
        <div class="scroll" {...holding}>
          <table class={noun}>
            <thead>
              <tr>{props.columns}</tr>
            </thead>
            <tbody>{rows.map(props.row)}</tbody>
          </table>
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
          {list !== undefined && list.matching > rows.length && rows.length < MORE && (
            <button type="button" class="more" onClick={() => adjust({ limit: String(MORE) })}>
              Show more
            </button>
          )}
        </div>
      </section>
      {open !== '' && props.pane}
    </div>
  )
}
