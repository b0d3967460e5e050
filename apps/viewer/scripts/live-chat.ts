import { startViewer } from '../src/index.ts'
import { ChatDay } from '../test/support/chat-day.ts'

// Shows the viewer with made-up traffic, for work on its page: `node --import tsx scripts/live-chat.ts`.
const viewer = await startViewer({ port: Number(process.argv[2] ?? 0) })
console.log(viewer.url)
const day = new ChatDay(viewer.endpoint)
day.play(Date.now() - 60_000, 60, 12)
await day.flush()
const timer = setInterval(() => {
  day.play(Date.now() - 1000, 1, 12)
  void day.flush()
}, 1000)
process.once('SIGINT', () => {
  clearInterval(timer)
  void day.shutdown().then(() => viewer.close())
})
