import type { WebSocket } from 'ws'
import { encodeFrame, OPCODE } from '../../testing/frames.ts'
import { RawClient } from '../../testing/raw-client.ts'
import { Telemetry } from '../../testing/telemetry.ts'
import type { Harness, HostOptions } from '../harness.ts'
import type { ChildTelemetry, ProcessScript } from './process.ts'

/** Runs one script in a process of its own: the module of a harness, the script, and the telemetry. */
const [, , module, script, telemetry] = process.argv as [string, string, string, ProcessScript, ChildTelemetry]
const { harness } = (await import(module)) as { harness: Harness }
if (telemetry === 'sampled') new Telemetry().install()

const connections: Readonly<Record<ProcessScript, HostOptions['connection']>> = {
  'a handler throws': (socket) =>
    socket.onMessage(() => {
      throw new RangeError('thrown on purpose')
    }),
  'a handler rejects': (socket) =>
    socket.onMessage(async () => {
      await null
      throw new RangeError('rejected on purpose')
    }),
  'an unhandled error event'({ raw }) {
    const socket = raw as WebSocket
    socket.on('message', () => socket.emit('error', new RangeError('emitted on purpose')))
  },
  'a handler exits': (socket) => socket.onMessage(() => process.exit(7)),
  'nothing is left to do': (socket) =>
    socket.onMessage(() => {
      socket.close(1000)
      socket.onClose(() => void host.close())
    }),
}

process.on('exit', (code) => process.stdout.write(`exit ${code}\n`))
const host = await harness.start({
  connection: connections[script],
  telemetry: telemetry === 'none' ? undefined : {},
})
const client = new RawClient(host.url, { head: encodeFrame(OPCODE.text, 'go') })
client.nextFrame().then(
  () => client.send(OPCODE.close),
  () => {},
)
await client.closed
process.stdout.write('client closed\n')
