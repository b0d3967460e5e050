// Starts a demo: `node scripts/demo.mjs [name] [options]`. The demos are TypeScript and need no build.
import { fileURLToPath } from 'node:url'
import { register } from 'tsx/esm/api'

const DEFAULT = 'fastify'

const demos = {
  fastify: { entry: '../apps/fastify-chat/src/main.ts', shows: 'chat rooms on Fastify and @fastify/websocket' },
  crossws: { entry: '../apps/crossws-chat/src/main.ts', shows: 'chat rooms on h3 and crossws, seen from both ends' },
  hono: { entry: '../apps/hono-chat/src/main.ts', shows: 'chat rooms on Hono and @hono/node-ws, seen from both ends' },
  graphql: { entry: '../apps/graphql-orders/src/main.ts', shows: 'queries and subscriptions of graphql-ws on Fastify' },
  socketio: { entry: '../apps/socketio-chat/src/main.ts', shows: 'a chat on three Socket.IO nodes' },
  nestjs: { entry: '../apps/nestjs-assistant/src/main.ts', shows: 'a voice assistant on NestJS gateways' },
}

const list = Object.entries(demos).map(([key, { shows }]) => `  ${key.padEnd(20)}  ${shows}\n`)

const [first, ...rest] = process.argv.slice(2)
if (first === '--list') {
  process.stdout.write(list.join(''))
  process.exit(0)
}
const named = first !== undefined && !first.startsWith('-')
const name = named ? first : DEFAULT
const options = named ? rest : process.argv.slice(2)

if (!Object.hasOwn(demos, name)) {
  process.stderr.write(`There is no demo '${name}'. Demos: ${Object.keys(demos).join(', ')}\n`)
  process.exit(2)
}
if (options.includes('--help') || options.includes('-h')) {
  process.stdout.write(`Usage: pnpm demo [name] [options]\n\nDemos (default: ${DEFAULT}):\n${list.join('')}\n`)
}

// A reader that has seen enough (`pnpm demo | head`) is no error.
process.stdout.on('error', (error) => process.exit(error.code === 'EPIPE' ? 0 : 1))

// The nearest tsconfig.json says how decorators are meant.
register({ tsconfig: fileURLToPath(new URL('../tsconfig.json', new URL(demos[name].entry, import.meta.url))) })
const { main } = await import(demos[name].entry)
const exitCode = await main(options)
process.stdout.write('', () => process.exit(exitCode))
