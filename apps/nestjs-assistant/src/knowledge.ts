import { setTimeout as delay } from 'node:timers/promises'
import { Injectable } from '@nestjs/common'
import type { Knowledge } from './engines/answers.ts'
import type { Intent } from './engines/grammar.ts'

/** What is remembered of an utterance. */
export interface Memory {
  readonly user: string
  readonly text: string
  readonly kind: Intent['kind']
}

interface Notes {
  readonly list: string[]
  readonly asked: Map<Intent['kind'], number>
  readonly history: string[]
}

/** Milliseconds that it takes to write a memory down. */
const WRITING_TIME = 30

/** Utterances that are remembered word by word. */
const HISTORY = 20

/** The assistant's data about its users. */
@Injectable()
export class KnowledgeBase {
  readonly #notes = new Map<string, Notes>()

  /** Returns the data for an answer to a user. */
  of(user: string): Knowledge {
    return this.#notesOf(user)
  }

  /** Returns the last utterances of a user, the latest last. */
  history(user: string): readonly string[] {
    return this.#notesOf(user).history
  }

  /** Puts something on a user's list. */
  addToList(user: string, item: string): void {
    const { list } = this.#notesOf(user)
    if (!list.includes(item)) list.push(item)
  }

  /** Remembers what was asked, slowly: it is the demo's background job. */
  async remember({ user, text, kind }: Memory): Promise<void> {
    await delay(WRITING_TIME)
    const { asked, history } = this.#notesOf(user)
    asked.set(kind, (asked.get(kind) ?? 0) + 1)
    history.push(text)
    history.splice(0, history.length - HISTORY)
  }

  #notesOf(user: string): Notes {
    let notes = this.#notes.get(user)
    if (notes === undefined) {
      notes = { list: [], asked: new Map(), history: [] }
      this.#notes.set(user, notes)
    }
    return notes
  }
}
