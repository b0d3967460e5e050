// Run as a process: listens, writes its address, and ends by a signal. Writes each span when it ends.
import 'reflect-metadata'
import { writeSync } from 'node:fs'
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets'
import { WsTraceModule } from '@otel-ws/nestjs'
import { Telemetry } from '@otel-ws/testkit'
import { NEVER } from 'rxjs'
import { startApp } from './app.ts'

class ChatGateway {
  never() {
    writeSync(1, 'waiting\n')
    return NEVER
  }
}
const { prototype } = ChatGateway
SubscribeMessage('never')(prototype, 'never', Object.getOwnPropertyDescriptor(prototype, 'never') as PropertyDescriptor)
WebSocketGateway()(ChatGateway)

const telemetry = new Telemetry()
telemetry.install()
// Nest sends the signal to its own process once the application has closed.
const { kill } = process
process.kill = (pid, signal) => {
  writeSync(1, `ended ${JSON.stringify(telemetry.names())}, open ${JSON.stringify(telemetry.openSpans())}\n`)
  return kill.call(process, pid, signal)
}
const app = await startApp({
  platform: 'platform-ws',
  gateways: [ChatGateway],
  metadata: { imports: [WsTraceModule.forRoot()] },
  configure: (nest) => nest.enableShutdownHooks(),
})
writeSync(1, `${app.url}\n`)
