import { ChatTraffic } from '../test/support/chat-traffic.ts'

// The sending side of scripts/load.ts: endpoint, spans per second, seconds and connections; sends its parent how many were sent.
const [endpoint = '', rate = '2000', seconds = '20', count = '200'] = process.argv.slice(2)
const chat = new ChatTraffic({ endpoint, service: 'load' })
const names = ['chat.message', 'typing', 'room.join', 'chat.summarize', 'presence']
const begun = Date.now()
const connections = Array.from({ length: Number(count) }, (_, index) =>
  chat.connect((0x1000 + index).toString(16).padStart(16, '0'), '/chat/:room', begun),
)
let sent = 2 * connections.length
let turn = 0

await new Promise<void>((resolve) => {
  const timer = setInterval(() => {
    const elapsed = (Date.now() - begun) / 1000
    // A message and its reply: two spans.
    while (sent < Number(rate) * Math.min(elapsed, Number(seconds))) {
      const at = Date.now()
      const name = names[turn % names.length]!
      const connection = connections[turn % connections.length]!
      const error = turn % 50 === 0 ? { error: 'TypeError' } : {}
      const within = connection.receive({ at, name, duration: (turn * 7) % 23, ...error })
      connection.send(name, at + 1, 100, within)
      sent += 2
      turn++
    }
    if (elapsed >= Number(seconds)) {
      clearInterval(timer)
      resolve()
    }
  }, 20)
})
await chat.telemetry.flush()
process.send?.(sent)
await chat.telemetry.shutdown()
process.disconnect?.()
