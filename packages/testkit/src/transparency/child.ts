import { encodeFrame, OPCODE } from '../frames.ts'
import type { Harness, HostOptions } from '../harness.ts'
import { RawClient } from '../raw-client.ts'
import { Telemetry } from '../telemetry.ts'
import type { ChildTelemetry, ProcessScript } from './process.ts'

/** Runs one script in a process of its own: the module of a harness, the script, and the telemetry. */
const [, , module, script, telemetry] = process.argv as [string, string, string, ProcessScript, ChildTelemetry]
const { harness } = (await import(module)) as { harness: Harness }
if (telemetry === 'sampled') new Telemetry().install()

const connections: Readonly<Record<ProcessScript, HostOptions['connection']>> = {
  'a listener throws': (socket) =>
    socket.on('message', () => {
      throw new RangeError('thrown on purpose')
    }),
  'a listener rejects': (socket) =>
    socket.on('message', async () => {
      await null
      throw new RangeError('rejected on purpose')
    }),
  'an unhandled error event': (socket) =>
    socket.on('message', () => socket.emit('error', new RangeError('emitted on purpose'))),
  'a listener exits': (socket) => socket.on('message', () => process.exit(7)),
  'nothing is left to do': (socket) =>
    socket.on('message', () => {
      socket.close(1000)
      socket.on('close', () => void host.close())
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
