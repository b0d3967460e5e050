import { nameOf, pause, simulateUsers, smallTalk, type Users } from '@otel-ws/demo-kit'
import { type ChatClient, enter, gone } from './client.ts'

/** Milliseconds that an answer is waited for. */
const PATIENCE = 5_000

/** Starts `count` users on all nodes in turn and, if there are any, a few strangers that misbehave. */
export function startUsers(urls: readonly string[], count: number): Users {
  return simulateUsers({
    place: urls,
    count,
    resident: (place, stop, index) => resident(place, stop, index, count),
    strangers: [
      { visit: intruder, after: 300, every: 4_000 },
      { visit: dawdler, after: 100, every: 6_000 },
      { visit: vanisher, after: 1_200, every: 7_000 },
    ],
  })
}

/** Chats in turns, each user starting at another point of the same agenda, and comes back when the connection breaks. */
async function resident(urls: readonly string[], stop: AbortSignal, index: number, count: number): Promise<void> {
  const url = urls[index % urls.length] as string
  while (!stop.aborted) {
    const client = await enter(url, nameOf(index))
    await client
      .timeout(PATIENCE)
      .emitWithAck('enter', 'lobby')
      .catch(() => {})
    for (let turn = index; turn < index + 24 && client.connected && !stop.aborted; turn++) {
      await take(client, turn, nameOf((index + 1) % count))
      await pause(300 + Math.random() * 500, stop)
    }
    client.disconnect()
    await pause(1_000, stop)
  }
}

/** Takes one turn and waits for what comes of it, if the connection holds. */
async function take(client: ChatClient, turn: number, friend: string): Promise<void> {
  const text = smallTalk(turn)
  const ask = client.timeout(PATIENCE)
  const agenda: (() => unknown)[] = [
    () => client.emit('say', text),
    () => client.emit('announce', text),
    () => ask.emitWithAck('poll', text),
    () => ask.emitWithAck('search', 'coffee'),
    () => client.emit('say', text),
    () => ask.emitWithAck('whisper', friend, text),
    () => client.emit('translate', text),
    () => client.emit('reload'),
  ]
  // An answer that does not come is what an outage looks like from here.
  await Promise.resolve(agenda[turn % agenda.length]?.()).catch(() => {})
}

/** Uses a name that is not allowed: the connection is rejected. */
async function intruder([url]: readonly string[]): Promise<void> {
  await enter(url as string, 'no such name').then(
    () => Promise.reject(new Error('an impossible name was accepted')),
    () => {},
  )
}

/** Is in the room and never votes. */
async function dawdler(urls: readonly string[], stop: AbortSignal, round: number): Promise<void> {
  const client = await enter(urls[round % urls.length] as string, `dawdler-${round}`)
  client.off('vote')
  await client
    .timeout(PATIENCE)
    .emitWithAck('enter', 'lobby')
    .catch(() => {})
  await pause(3_000, stop)
  client.disconnect()
}

/** Is gone without a word, as a phone in a tunnel. */
async function vanisher(urls: readonly string[], stop: AbortSignal, round: number): Promise<void> {
  const client = await enter(urls[round % urls.length] as string, `vanisher-${round}`)
  client.emit('say', 'I am on the tr')
  await pause(200, stop)
  const disconnected = gone(client)
  // The transport itself: what is above it would say goodbye.
  const { transport } = client.io.engine as unknown as { transport: { ws?: { terminate(): void }; close(): void } }
  if (transport.ws === undefined) transport.close()
  else transport.ws.terminate()
  await disconnected
}
