import type { LoadCommands } from '../lib/commands.ts'
import { answerParent } from '../lib/remote.ts'
import { EchoConnection } from './connection.ts'

const HANDSHAKES_AT_ONCE = 50

const connections = new Map<number, EchoConnection[]>()

answerParent<LoadCommands>({
  async connect({ port, protocol, count }) {
    const open = connections.get(port) ?? []
    connections.set(port, open)
    for (let left = count; left > 0; left -= HANDSHAKES_AT_ONCE) {
      const batch = Array.from({ length: Math.min(left, HANDSHAKES_AT_ONCE) }, () =>
        EchoConnection.open(port, protocol),
      )
      open.push(...(await Promise.all(batch)))
    }
  },
  async echo({ port, messages, window }) {
    const open = connections.get(port) ?? []
    const share = Math.floor(messages / open.length)
    const first = messages - share * (open.length - 1)
    await Promise.all(open.map((connection, i) => connection.echo(i === 0 ? first : share, window)))
  },
  async broadcast({ port, messages }) {
    const open = connections.get(port) ?? []
    for (let sent = 0; sent < messages; sent++) {
      const received = open.map((connection) => connection.receiveBroadcast())
      open[0]?.requestBroadcast()
      await Promise.all(received)
    }
  },
  async disconnect({ port }) {
    const open = connections.get(port) ?? []
    connections.delete(port)
    await Promise.all(open.map((connection) => connection.close()))
  },
})
