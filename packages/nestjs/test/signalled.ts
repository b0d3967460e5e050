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
const { forceFlush } = telemetry.tracerProvider
telemetry.tracerProvider.forceFlush = async () => {
  writeSync(1, `flushed ${JSON.stringify(telemetry.names())}, open ${JSON.stringify(telemetry.openSpans())}\n`)
  await forceFlush.call(telemetry.tracerProvider)
}
const app = await startApp({
  platform: 'platform-ws',
  gateways: [ChatGateway],
  metadata: { imports: [WsTraceModule.forRoot()] },
  configure: (nest) => nest.enableShutdownHooks(),
})
writeSync(1, `${app.url}\n`)
