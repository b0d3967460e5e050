import { initTRPC } from '@trpc/server'
import { applyWSSHandler } from '@trpc/server/adapters/ws'
import { WebSocketServer } from 'ws'

const t = initTRPC.create()
const router = t.router({ greeting: t.procedure.query(() => 'hello') })

const wss = new WebSocketServer({ port: 0, host: '127.0.0.1', path: '/trpc' })
applyWSSHandler({ wss, router })
wss.on('listening', () => process.stdout.write(`${wss.address().port}\n`))
