import type { LoadCommands } from '../lib/commands.ts'
import { answerParent } from '../lib/remote.ts'
import { EchoConnection } from './connection.ts'

const HANDSHAKES_AT_ONCE = 50

let connections: EchoConnection[] = []

answerParent<LoadCommands>({
  async connect({ port, path, count }) {
    for (let left = count; left > 0; left -= HANDSHAKES_AT_ONCE) {
      const batch = Array.from({ length: Math.min(left, HANDSHAKES_AT_ONCE) }, () => EchoConnection.open(port, path))
      connections.push(...(await Promise.all(batch)))
    }
  },
  async echo({ messages, window }) {
    const share = Math.floor(messages / connections.length)
    const first = messages - share * (connections.length - 1)
    await Promise.all(connections.map((connection, i) => connection.echo(i === 0 ? first : share, window)))
  },
  async disconnect() {
    const open = connections
    connections = []
    await Promise.all(open.map((connection) => connection.close()))
  },
})
