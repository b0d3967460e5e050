// Opens and closes many connections with messages on a traced server, and compares all totals with what was done:
// `pnpm soak [--connections N] [--messages N] [--parallel N] [--host ws|socketio]`. Ends with 1 at a difference.
import { parseArgs } from 'node:util'
import { type Soak, soak } from './soak/soak.ts'
import { socketIo } from './soak/socket-io.ts'
import { ws } from './soak/ws.ts'

const HOSTS: Readonly<Record<string, Soak>> = { ws, socketio: socketIo }

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '2000' },
    messages: { type: 'string', default: '20' },
    parallel: { type: 'string', default: '50' },
    host: { type: 'string', multiple: true, default: Object.keys(HOSTS) },
  },
})

const number = (name: 'connections' | 'messages' | 'parallel'): number => {
  const value = Number(values[name])
  if (Number.isInteger(value) && value > 0) return value
  process.stderr.write(`--${name} must be a positive integer, not ${values[name]}\n`)
  process.exit(2)
}
const load = { connections: number('connections'), messages: number('messages'), parallel: number('parallel') }

for (const host of values.host) {
  const one = HOSTS[host]
  if (one === undefined) {
    process.stderr.write(`no host ${host}: there are ${Object.keys(HOSTS).join(', ')}\n`)
    process.exit(2)
  }
  const { summary, problems } = await soak(one, load)
  process.stdout.write(`${host}: ${summary}\n`)
  for (const problem of problems) process.stdout.write(`  ${problem}\n`)
  if (problems.length > 0) process.exitCode = 1
}
