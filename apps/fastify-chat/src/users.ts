import { setMaxListeners } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { ChatClient } from './client.ts'
import type { ClientMessage } from './messages.ts'

/** Simulated users that have been let loose on a server. */
export interface Users {
  /** Lets everybody finish the sentence and leave. */
  stop(): Promise<void>
}

type Part = (url: string, stop: AbortSignal, round: number) => Promise<void>

const NAMES = ['ada', 'grace', 'alan', 'edsger', 'barbara', 'dennis', 'frances', 'donald', 'radia', 'ken']
const ROOMS = ['lobby', 'kitchen']
const LINES = ['hello', 'has anybody seen the minutes?', 'coffee is ready', 'brb', 'it works on my machine', 'ship it']

/** Starts `count` users that chat until they are stopped and, if there are any, a few strangers that misbehave. */
export function startUsers(url: string, count: number): Users {
  const controller = new AbortController()
  const stop = controller.signal
  // Everybody who pauses listens.
  setMaxListeners(0, stop)
  const parts = Array.from({ length: count }, (_, index) => resident(url, index, count, stop))
  if (count > 0) {
    const strangers: [part: Part, firstAfter: number, period: number][] = [
      [sleeper, 0, 6_000],
      [intruder, 200, 4_000],
      [stammerer, 500, 5_000],
      [shouter, 900, 9_000],
      [vanisher, 1_200, 7_000],
    ]
    parts.push(...strangers.map(([part, firstAfter, period]) => repeat(part, url, firstAfter, period, stop)))
  }
  return {
    async stop() {
      controller.abort()
      await Promise.all(parts)
    },
  }
}

/** Chats in turns, each user starting at another point of the same agenda, and comes back when the connection breaks. */
async function resident(url: string, index: number, count: number, stop: AbortSignal): Promise<void> {
  const room = ROOMS[index % ROOMS.length] as string
  const friend = nameOf((index + 1) % count)
  const token = await signUp(url, nameOf(index))

  while (!stop.aborted) {
    const client = await ChatClient.enter(url, room, token)
    for (let turn = index; turn < index + 24 && client.connected && !stop.aborted; turn++) {
      await take(client, turn, friend)
      await pause(300 + Math.random() * 500, stop)
    }
    await client.leave()
    await pause(1_000, stop)
  }
}

/** Takes one turn and waits for what comes of it, if the connection holds. */
async function take(client: ChatClient, turn: number, friend: string): Promise<void> {
  const text = LINES[turn % LINES.length] as string
  const agenda: [message: ClientMessage, answer?: 'found' | 'error'][] = [
    [{ type: 'say', text }],
    [{ type: 'search', text: 'coffee' }, 'found'],
    [{ type: 'whisper', to: friend, text }],
    [{ type: 'translate', text }, 'error'],
    [{ type: 'announce', text }],
    [{ type: 'say', text }],
    [{ type: 'remind', text }],
    [{ type: 'say', text }],
  ]
  const [message, answer] = agenda[turn % agenda.length] as (typeof agenda)[number]
  const answered = answer === undefined ? undefined : client.answer(answer)
  client.send(message)
  await answered
}

/** Tries a token that nobody was given: the login is rejected. */
async function intruder(url: string): Promise<void> {
  await ChatClient.enter(url, 'lobby', 'guessed').then(
    () => Promise.reject(new Error('a guessed token was accepted')),
    () => {},
  )
}

/** Sends JSON that breaks off: the server closes the connection with a code of its own. */
async function stammerer(url: string, _stop: AbortSignal, round: number): Promise<void> {
  const client = await enterAs(`stammerer-${round}`, url)
  client.socket.send('{"text":"I was about to')
  await client.closed()
}

/** Sends more than the server takes. */
async function shouter(url: string, _stop: AbortSignal, round: number): Promise<void> {
  const client = await enterAs(`shouter-${round}`, url)
  client.send({ type: 'say', text: 'A'.repeat(100_000) })
  await client.closed()
}

/** Stops answering pings, as a laptop does whose lid was closed: the heartbeat finds out. */
async function sleeper(url: string, stop: AbortSignal, round: number): Promise<void> {
  const client = await enterAs(`sleeper-${round}`, url, { autoPong: false })
  const wake = () => client.socket.close(1000)
  stop.addEventListener('abort', wake)
  await client.closed()
  stop.removeEventListener('abort', wake)
}

/** Is gone without a word, as a phone in a tunnel. */
async function vanisher(url: string, stop: AbortSignal, round: number): Promise<void> {
  const client = await enterAs(`vanisher-${round}`, url)
  client.send({ type: 'say', text: 'I am on the tr' })
  await pause(200, stop)
  client.socket.terminate()
  await client.closed()
}

async function enterAs(name: string, url: string, options?: { autoPong: boolean }): Promise<ChatClient> {
  return ChatClient.enter(url, 'lobby', await signUp(url, name), options)
}

async function signUp(url: string, name: string): Promise<string> {
  const token = await ChatClient.signUp(url, name)
  if (token === undefined) throw new Error(`the name ${name} is taken`)
  return token
}

async function repeat(part: Part, url: string, firstAfter: number, period: number, stop: AbortSignal): Promise<void> {
  await pause(firstAfter, stop)
  for (let round = 1; !stop.aborted; round++) {
    await part(url, stop, round)
    await pause(period, stop)
  }
}

/** Waits, unless everybody is asked to stop. */
async function pause(milliseconds: number, stop: AbortSignal): Promise<void> {
  await delay(milliseconds, undefined, { signal: stop }).catch(() => {})
}

function nameOf(index: number): string {
  const name = NAMES[index % NAMES.length] as string
  return index < NAMES.length ? name : `${name}-${Math.floor(index / NAMES.length) + 1}`
}
