import { setTimeout as delay } from 'node:timers/promises'
import { type Intent, type Operation, UNITS } from './grammar.ts'
import { sayNumber } from './numbers.ts'

/** Data about the user that an answer needs. */
export interface Knowledge {
  readonly list: readonly string[]
  /** How often each kind of thing was asked before. */
  readonly asked: ReadonlyMap<Intent['kind'], number>
}

const OPERATIONS: Readonly<Record<Operation, (left: number, right: number) => number>> = {
  plus: (left, right) => left + right,
  minus: (left, right) => left - right,
  times: (left, right) => left * right,
  'divided by': (left, right) => left / right,
}

/** Milliseconds that a word of an answer takes to think of. */
const THINKING_TIME = 12

/** Says in a sentence what the answer is. */
export function compose(intent: Intent, knowledge: Knowledge): string {
  switch (intent.kind) {
    case 'calculate': {
      const { left, operation, right } = intent
      const result = OPERATIONS[operation](left, right)
      return `${sayNumber(left)} ${operation} ${sayNumber(right)} is ${sayNumber(result)}.`
    }
    case 'convert': {
      const { amount, from, to } = intent
      const result = (amount * (UNITS[from]?.size ?? 0)) / (UNITS[to]?.size ?? 1)
      return `${sayNumber(amount)} ${from} are ${sayNumber(result)} ${to}.`
    }
    case 'timer':
      return `your timer rings in ${sayNumber(intent.seconds)} ${intent.seconds === 1 ? 'second' : 'seconds'}.`
    case 'add':
      return knowledge.list.includes(intent.item)
        ? `${intent.item} is on your list already.`
        : `${intent.item} is on your list now.`
    case 'list':
      return knowledge.list.length === 0 ? 'your list is empty.' : `your list has ${enumerate(knowledge.list)}.`
    case 'recall': {
      const kinds = [...knowledge.asked].map(([kind, count]) => `${sayNumber(count)} to ${kind}`)
      return kinds.length === 0 ? 'you have asked nothing yet.' : `you have asked me ${enumerate(kinds)}.`
    }
  }
}

/** Thinks of an answer word by word; what is yielded, put together, is the answer. Ends early when `stop` is aborted. */
export async function* think(answer: string, stop: AbortSignal): AsyncGenerator<string, void, undefined> {
  for (const token of answer.match(/\S+\s*/g) ?? []) {
    await delay(THINKING_TIME, undefined, { signal: stop }).catch(() => {})
    if (stop.aborted) return
    yield token
  }
}

function enumerate(items: readonly string[]): string {
  if (items.length < 2) return items.join('')
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`
}
