import type { Memory } from './knowledge.ts'
import type { Queue } from './stages/queue.ts'
import type { Utterance } from './stages/utterance.ts'

/** The queue of utterances that wait for their answer. */
export const UTTERANCES = Symbol('utterances')
export type Utterances = Queue<Utterance>

/** The queue of what is to be remembered when there is time. */
export const MEMORIES = Symbol('memories')
export type Memories = Queue<Memory>
