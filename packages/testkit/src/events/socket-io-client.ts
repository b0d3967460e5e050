import type { Socket } from 'socket.io-client'
import { Queue } from '../testing/queue.ts'
import type { EventClient } from './harness.ts'

/**
 * Resolves with a client of the suites once this socket of `socket.io-client` has connected; rejects when it cannot.
 *
 * @param abort breaks the connection without a word
 */
export async function socketIoClient(socket: Socket, abort: () => void): Promise<EventClient> {
  const events = new Queue<{ name: string; data: unknown }>()
  const answers = new Map<string, (data: unknown) => unknown>()
  const closed = new Promise<void>((resolve) => socket.once('disconnect', () => resolve()))
  socket.once('disconnect', (reason) => events.end(new Error(`disconnected while an event was awaited: ${reason}`)))
  socket.onAny(async (name: string, ...args: unknown[]) => {
    const answer = answers.get(name)
    if (answer === undefined) events.push({ name, data: args[0] })
    else (args.pop() as (value: unknown) => void)(await answer(args[0]))
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('connect_error', reject)
  })
  return {
    emit: (name, data) => void (data === undefined ? socket.emit(name) : socket.emit(name, data)),
    request: (name, data) => (data === undefined ? socket.emitWithAck(name) : socket.emitWithAck(name, data)),
    answer: (name, answer) => void answers.set(name, answer),
    next: () => events.next(),
    async leave() {
      socket.disconnect()
      await closed
    },
    abort,
    closed,
  }
}
