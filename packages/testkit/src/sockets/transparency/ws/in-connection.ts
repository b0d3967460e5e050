import { EventEmitter, getEventListeners } from 'node:events'
import type { WebSocket } from 'ws'
import { turns } from '../../../shared/turns.ts'
import { encodeFrame, OPCODE } from '../../../testing/frames.ts'
import type { WsScript, WsStage } from '../ws-stage.ts'

/** Runs `act` in the connection handler, then sends `messages` and waits until the server has sent the ping `end`. */
export function inConnection(
  act: (socket: WebSocket, stage: WsStage) => void,
  messages: string[] = [],
  afterwards: (socket: WebSocket, stage: WsStage) => unknown = () => {},
): WsScript {
  return async (stage) => {
    const host = await stage.serve({
      connection(socket) {
        act(socket, stage)
        const emit = EventEmitter.prototype.on
        emit.call(socket, 'pong', (data: Buffer) => data.toString() === 'end' && socket.ping('end'))
      },
    })
    const client = await stage.rawConnect(host)
    const [socket] = host.ws.server.clients
    client.write(...messages.map((text) => encodeFrame(OPCODE.text, text)), encodeFrame(OPCODE.pong, 'end'))
    while ((await client.nextFrame()).opcode !== OPCODE.ping) {}
    await turns()
    if (socket) await afterwards(socket, stage)
  }
}

export function logLists(socket: EventEmitter, stage: WsStage, when: string): void {
  for (const event of ['message', 'close', 'error', 'open', 'ping']) {
    stage.log(
      when,
      event,
      socket.listenerCount(event),
      socket.listeners(event),
      socket.rawListeners(event),
      socket.rawListeners(event).map((raw) => (raw as { listener?: unknown }).listener),
      getEventListeners(socket, event),
    )
  }
  stage.log(when, socket.eventNames())
}

export function named(stage: WsStage, name: string): (...args: unknown[]) => void {
  const listener = (...args: unknown[]): void => stage.log(name, ...args)
  Object.defineProperty(listener, 'name', { value: name })
  return listener
}
