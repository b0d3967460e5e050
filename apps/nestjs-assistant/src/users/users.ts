import { nameOf, pause, simulateUsers, type Users } from '@otel-ws/demo-kit'
import { encodeFrame } from '../audio-frame.ts'
import { SYMBOL_BYTES } from '../engines/tones.ts'
import type { RefusalCode } from '../errors.ts'
import type { AssistantServer } from '../platforms/server.ts'
import { Phone, Refused } from './phone.ts'
import type { Caller } from './wire.ts'

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
  return simulateUsers({
    place: servers,
    count,
    resident: (places, stop, index) => resident(serverOf(places, index), stop, index),
    strangers: [
      { visit: inTurn(mumbler), after: 200, every: 3_000 },
      { visit: inTurn(callAnonymously), after: 500, every: 3_500 },
      { visit: inTurn(freeloader), after: 800, every: 4_000 },
      { visit: inTurn(foreigner), after: 1_100, every: 4_500 },
      { visit: inTurn(garbler), after: 1_400, every: 5_000 },
      { visit: inTurn(chatterbox), after: 1_550, every: 5_000 },
      { visit: inTurn(hasty), after: 1_700, every: 5_500 },
    ],
  })
}

/** Goes to each platform in turn. */
function inTurn(visit: (server: AssistantServer) => Promise<void>) {
  return (servers: readonly AssistantServer[], _stop: AbortSignal, round: number) => visit(serverOf(servers, round - 1))
}

/** Asks one thing after the other, each user starting at another point of the same agenda. */
async function resident(server: AssistantServer, stop: AbortSignal, index: number): Promise<void> {
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
async function callAnonymously(server: AssistantServer): Promise<void> {
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

function serverOf(servers: readonly AssistantServer[], index: number): AssistantServer {
  return servers[index % servers.length] as AssistantServer
}
