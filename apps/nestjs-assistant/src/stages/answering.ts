import { Inject, Injectable } from '@nestjs/common'
import { connectionOf } from '@otel-ws/nestjs'
import type { Caller } from '../caller.ts'
import { compose, think } from '../engines/answers.ts'
import { type Intent, understand } from '../engines/grammar.ts'
import { synthesize } from '../engines/speech.ts'
import { transcribe } from '../engines/transcription.ts'
import { Refusal } from '../errors.ts'
import { KnowledgeBase } from '../knowledge.ts'
import type { TimerEvent } from '../messages.ts'
import { push } from '../session.ts'
import { MEMORIES, type Memories } from '../tokens.ts'
import { Stage } from './stage.ts'
import type { Utterance } from './utterance.ts'

/** Answers what was said: from the audio to an answer that is streamed as words and as their audio. */
@Injectable()
export class Answering {
  readonly #knowledge: KnowledgeBase
  readonly #memories: Memories

  constructor(@Inject(KnowledgeBase) knowledge: KnowledgeBase, @Inject(MEMORIES) memories: Memories) {
    this.#knowledge = knowledge
    this.#memories = memories
  }

  /** Answers an utterance. If it cannot, it rejects and sends an error to the client. */
  async answer(utterance: Utterance): Promise<void> {
    const { user, session } = utterance
    try {
      const text = await Stage.run('transcribe', (stage) => this.#transcribe(utterance, stage))
      const intent = await Stage.run('understand', (stage) => this.#understand(text, stage))
      const answer = await Stage.run('act', () => this.#act(intent, user, session))
      this.#memories.add({ user, text, kind: intent.kind })
      await this.#say(answer, utterance)
      utterance.complete()
    } catch (error) {
      utterance.fail(error)
      throw error
    }
  }

  #transcribe(utterance: Utterance, stage: Stage): string {
    const { audio, id } = utterance
    const text = transcribe(audio)
    if (text === undefined) throw new Refusal('unintelligible', 'that was only noise')
    stage.note({ 'assistant.characters': text.length })
    utterance.reply({ event: 'heard', data: { utterance: id, text } })
    return text
  }

  #understand(text: string, stage: Stage): Intent {
    const intent = understand(text)
    if (intent === undefined) throw new Refusal('not_understood', 'I do not know what that means')
    stage.note({ 'assistant.intent': intent.kind })
    return intent
  }

  /** Does what is wanted and finds the words to say so. */
  #act(intent: Intent, user: string, session: Caller): string {
    const answer = compose(intent, this.#knowledge.of(user))
    if (intent.kind === 'add') this.#knowledge.addToList(user, intent.item)
    if (intent.kind === 'timer') setTimer(session, intent.seconds)
    return answer
  }

  /** Says the answer word by word: each as text as soon as it is thought of, then as audio. */
  async #say(answer: string, utterance: Utterance): Promise<void> {
    const { id, stopped } = utterance
    const thinking = new Stage('think')
    const speaking = new Stage('speak')
    let tokens = 0
    for await (const text of think(answer, stopped)) {
      tokens++
      utterance.reply({ event: 'token', data: { utterance: id, text } })
      utterance.reply({ event: 'audio', data: speaking.within(() => synthesize(text)) })
    }
    thinking.note({ 'assistant.tokens': tokens })
    thinking.end()
    speaking.end()
    utterance.reply({ event: 'done', data: { utterance: id, tokens } })
  }
}

/** Sends of a timer belong to the connection, because the utterance that set it has been answered by then. */
function setTimer({ client, timers }: Caller, seconds: number): void {
  const event: TimerEvent = { seconds }
  const ring = () => push(client, 'timer', event)
  const timer = setTimeout(() => {
    timers.delete(timer)
    const connection = connectionOf(client)
    if (connection === undefined) ring()
    else connection.run(ring)
  }, seconds * 1_000)
  timers.add(timer)
}
