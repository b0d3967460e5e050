import { setMaxListeners } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { encodeFrame } from '../audio-frame.ts'
import { SYMBOL_BYTES } from '../engines/tones.ts'
import type { RefusalCode } from '../errors.ts'
import type { AssistantServer } from '../platforms/server.ts'
import { Phone, Refused } from './phone.ts'
import type { Caller } from './wire.ts'

/** Simulated users that have been let loose on the assistants. */
export interface Users {
  /** Lets everybody hear the answer and hang up. */
  stop(): Promise<void>
}

type Part = (server: AssistantServer) => Promise<void>

const NAMES = ['ada', 'grace', 'alan', 'edsger', 'barbara', 'dennis', 'frances', 'donald', 'radia', 'ken']
const QUESTIONS = [
  'what is seven times six?',
  'add milk to my list.',
  'how many kilometres are ten miles?',
  'set a timer for one second.',
  'what is on my list?',
  'what is nine hundred and nine divided by seven?',
  'what did i ask?',
  'add bread to my list.',
]

/** Starts `count` users, in turns on the one platform and the other, and a few strangers that the assistants refuse. */
export function startUsers(servers: readonly AssistantServer[], count: number): Users {
  const controller = new AbortController()
  const stop = controller.signal
  // Everybody who pauses listens.
  setMaxListeners(0, stop)
  const parts = Array.from({ length: count }, (_, index) => resident(serverOf(servers, index), index, stop))
  if (count > 0) {
    const strangers: [part: Part, firstAfter: number, period: number][] = [
      [mumbler, 200, 3_000],
      [nobody, 500, 3_500],
      [freeloader, 800, 4_000],
      [foreigner, 1_100, 4_500],
      [garbler, 1_400, 5_000],
      [chatterbox, 1_550, 5_000],
      [hasty, 1_700, 5_500],
    ]
    parts.push(...strangers.map(([part, firstAfter, period]) => repeat(part, servers, firstAfter, period, stop)))
  }
  return {
    async stop() {
      controller.abort()
      await Promise.all(parts)
    },
  }
}

/** Asks one thing after the other, each user starting at another point of the same agenda. */
async function resident(server: AssistantServer, index: number, stop: AbortSignal): Promise<void> {
  await pause(index * 150, stop)
  while (!stop.aborted) {
    const phone = await call(server, { user: nameOf(index), plan: 'premium' })
    for (let turn = index; turn < index + QUESTIONS.length && phone.wire.isOpen && !stop.aborted; turn++) {
      const { text, spoken } = await phone.ask(QUESTIONS[turn % QUESTIONS.length] as string)
      if (spoken !== text) throw new Error(`the assistant wrote '${text}' and said '${spoken}'`)
      await pause(300 + 70 * index, stop)
    }
    await phone.history()
    await phone.hangUp()
    await pause(500, stop)
  }
}

/** Makes a noise that is no speech. */
async function mumbler(server: AssistantServer): Promise<void> {
  const phone = await call(server, { user: 'mumbler' })
  await refusedAs('unintelligible', phone.play(noise(12)))
  await phone.hangUp()
}

/** Does not say who they are: the guard turns them away. */
async function nobody(server: AssistantServer): Promise<void> {
  const phone = await call(server, {})
  await refusedAs('unauthenticated', phone.ask('what is one plus one?'))
  await phone.hangUp()
}

/** Wants what only subscribers get: another guard turns them away. */
async function freeloader(server: AssistantServer): Promise<void> {
  const phone = await call(server, { user: 'freeloader' })
  await refusedAs('plan_required', phone.history())
  await phone.hangUp()
}

/** Says what the grammar does not know. */
async function foreigner(server: AssistantServer): Promise<void> {
  const phone = await call(server, { user: 'foreigner' })
  await refusedAs('not_understood', phone.ask('wie viel ist drei mal drei?'))
  await phone.hangUp()
}

/** Sends audio that is cut short: a pipe finds out. */
async function garbler(server: AssistantServer): Promise<void> {
  const phone = await call(server, { user: 'garbler' })
  const frame = encodeFrame({ utterance: 'u1', last: true }, noise(1))
  await refusedAs('bad_frame', phone.emit('audio', frame.subarray(0, -1)))
  await phone.hangUp()
}

/** Says something new before the last is finished. */
async function chatterbox(server: AssistantServer): Promise<void> {
  const phone = await call(server, { user: 'chatterbox' })
  phone.wire.send('listen', { utterance: 'first' })
  await refusedAs('busy', phone.emit('listen', { utterance: 'second' }))
  await phone.hangUp()
}

/** Hangs up in the middle of the answer. */
async function hasty(server: AssistantServer): Promise<void> {
  const phone = await call(server, { user: 'hasty' })
  phone.wire.events.once('token', () => phone.wire.vanish())
  await refusedAs('closed', phone.ask('how many feet are nine hundred and ninety nine metres?'))
}

function call(server: AssistantServer, caller: Caller): Promise<Phone> {
  return Phone.call(server.platform, server.url, caller)
}

async function refusedAs(code: RefusalCode | 'closed', answer: Promise<unknown>): Promise<void> {
  const refusal = await answer.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (!(refusal instanceof Refused) || refusal.code !== code) throw refusal ?? new Error(`${code} was expected`)
}

/** Samples of a pseudo-random sequence, the same every time. */
function noise(symbols: number): Buffer {
  const audio = Buffer.alloc(symbols * SYMBOL_BYTES)
  let state = 1
  for (let offset = 0; offset < audio.length; offset += 2) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    audio.writeInt16LE((state >> 15) - 32_768, offset)
  }
  return audio
}

/** Lets a stranger come again and again, to each platform in turn. */
async function repeat(
  part: Part,
  servers: readonly AssistantServer[],
  firstAfter: number,
  period: number,
  stop: AbortSignal,
): Promise<void> {
  await pause(firstAfter, stop)
  for (let round = 0; !stop.aborted; round++) {
    await part(serverOf(servers, round))
    await pause(period, stop)
  }
}

/** Waits, unless everybody is asked to stop. */
async function pause(milliseconds: number, stop: AbortSignal): Promise<void> {
  await delay(milliseconds, undefined, { signal: stop }).catch(() => {})
}

function serverOf(servers: readonly AssistantServer[], index: number): AssistantServer {
  return servers[index % servers.length] as AssistantServer
}

function nameOf(index: number): string {
  const name = NAMES[index % NAMES.length] as string
  return index < NAMES.length ? name : `${name}-${Math.floor(index / NAMES.length) + 1}`
}
