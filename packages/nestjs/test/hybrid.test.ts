import { once } from 'node:events'
import { createServer } from 'node:net'
import { Controller, Get, UseInterceptors } from '@nestjs/common'
import { ClientProxyFactory, MessagePattern, Transport } from '@nestjs/microservices'
import { WsTraceInterceptor, WsTraceModule } from '@otel-ws/nestjs'
import { lastValueFrom } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { platforms } from './app.ts'
import { createChatGateway } from './chat-gateway.ts'
import { useFixture } from './fixture.ts'

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

@Controller()
@UseInterceptors(WsTraceInterceptor)
class SumController {
  @Get('sum')
  page() {
    return 'three'
  }

  @MessagePattern('sum')
  sum(numbers: number[]) {
    return numbers.reduce((sum, number) => sum + number, 0)
  }
}

describe.each(platforms)('a hybrid application on %s', (platform) => {
  const fixture = useFixture()

  it.each([true, false])(
    'has its gateways traced and nothing else (inheritAppConfig: %s)',
    async (inheritAppConfig) => {
      const tcp = { host: '127.0.0.1', port: await freePort() }
      const app = await fixture.start({
        platform,
        gateways: [createChatGateway()],
        metadata: { imports: [WsTraceModule.forRoot()], controllers: [SumController] },
        configure: (nest) => {
          nest.connectMicroservice({ transport: Transport.TCP, options: tcp }, { inheritAppConfig })
          nest.useGlobalInterceptors(new WsTraceInterceptor())
        },
      })
      await app.nest.startAllMicroservices()
      const service = ClientProxyFactory.create({ transport: Transport.TCP, options: tcp })
      expect(await lastValueFrom(service.send('sum', [1, 2]))).toBe(3)
      await service.close()
      const page = await fetch(`http://127.0.0.1:${app.port}/sum`)
      expect(await page.text()).toBe('three')
      const client = await fixture.connect(app)
      client.emit('value', 1)
      expect(await client.next()).toEqual(['answer', 1])
      await fixture.settle()
      const handshakes = platform === 'platform-ws' ? ['GET /'] : ['CONNECT /', 'GET /socket.io']
      expect(fixture.telemetry.names()).toEqual([
        ...handshakes,
        'close /',
        'handling',
        'piping',
        'process value',
        'send answer',
      ])
    },
  )
})
