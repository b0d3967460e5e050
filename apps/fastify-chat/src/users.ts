import { nameOf, pause, simulateUsers, smallTalk, type Users } from '@otel-ws/demo-kit'
import { ChatClient, type User } from './client.ts'
import type { ClientMessage } from './messages.ts'

const ROOMS = ['lobby', 'kitchen']

/** Starts `count` users that chat until they are stopped and, if there are any, a few strangers that misbehave. */
export function startUsers(url: string, count: number): Users {
  return simulateUsers({
    place: url,
    count,
    resident: (place, stop, index) => resident(place, stop, index, count),
    strangers: [
      { visit: sleeper, after: 0, every: 6_000 },
      { visit: intruder, after: 200, every: 4_000 },
      { visit: stammerer, after: 500, every: 5_000 },
      { visit: shouter, after: 900, every: 9_000 },
      { visit: vanisher, after: 1_200, every: 7_000 },
    ],
  })
}

/** Chats in turns, each user starting at another point of the same agenda, and comes back when the connection breaks. */
async function resident(url: string, stop: AbortSignal, index: number, count: number): Promise<void> {
  const room = ROOMS[index % ROOMS.length] as string
  const friend = nameOf((index + 1) % count)
  const user = await signUp(url, nameOf(index))

  while (!stop.aborted) {
    const client = await ChatClient.enter(url, room, user)
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
  const text = smallTalk(turn)
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

/** Tries an unknown token: the handshake is rejected. */
async function intruder(url: string): Promise<void> {
  await ChatClient.enter(url, 'lobby', { name: 'mallory', token: 'guessed' }).then(
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

async function signUp(url: string, name: string): Promise<User> {
  const token = await ChatClient.signUp(url, name)
  if (token === undefined) throw new Error(`the name ${name} is taken`)
  return { name, token }
}
