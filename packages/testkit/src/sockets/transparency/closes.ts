import { answerClose, CLOSE_CASE_LIMIT, closeCases } from '../connection/close-cases.ts'
import type { HostSocket } from '../harness.ts'
import type { Script } from './stage.ts'

/** Every row of the close table: its bytes and events. */
export const closeScripts: Readonly<Record<string, Script>> = Object.fromEntries(
  Object.entries(closeCases).map(([name, { act }]): [string, Script] => [
    `the close: ${name}`,
    async (stage) => {
      let accept: (socket: HostSocket) => void = () => {}
      const accepted = new Promise<HostSocket>((resolve) => {
        accept = resolve
      })
      let closed: () => void = () => {}
      const done = new Promise<void>((resolve) => {
        closed = resolve
      })
      const host = await stage.serve({
        maxMessageSize: CLOSE_CASE_LIMIT,
        connection(socket) {
          if (!name.startsWith('both')) socket.onMessage((data) => stage.log('message', data))
          stage.watch(socket)
          socket.onClose(closed)
          accept(socket)
        },
      })
      const client = await stage.rawConnect(host)
      const socket = await accepted
      void answerClose(client)
      stage.log('returned', name.startsWith('local') ? act(client, socket) : void act(client, socket))
      await done
      const bytes = await client.closed
      // A reset may overtake what was sent before it.
      if (!name.startsWith('network')) stage.log(bytes)
    },
  ]),
)
