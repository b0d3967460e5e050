import { Telemetry } from '@otel-ws/testkit'
import { createAdapter } from '@socket.io/cluster-adapter'
import { startNode } from './nodes.ts'

/** Orders to a worker. */
export type Order =
  | { readonly do: 'start' }
  | { readonly do: 'emit' | 'ask' | 'tell servers'; readonly name: string }
  /** Waits for a span. */
  | { readonly do: 'span'; readonly name: string }
  | { readonly do: 'names' }
  | { readonly do: 'servers' }

/** The parts of a span that are sent to another process. */
export interface ToldSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  readonly attributes: Readonly<Record<string, unknown>>
}

const global = new Telemetry()
global.install()
process.on('message', ({ id, order }: { id?: number; order?: Order }) => {
  if (order !== undefined) obey(order).then((answer) => process.send?.({ id, answer }))
})

process.send?.('listening')
const starting = startNode({ adapter: createAdapter() as never })

async function obey(order: Order): Promise<unknown> {
  const { io, sdk, url } = await starting
  switch (order.do) {
    case 'start':
      io.on('refresh', async () => null)
      return url
    case 'servers':
      return io.of('/').adapter.serverCount()
    case 'emit':
      return io.emit(order.name, 1)
    case 'ask':
      return io.timeout(30_000).emitWithAck(order.name)
    case 'tell servers':
      return io.serverSideEmit(order.name as never)
    case 'names':
      return sdk.names()
    case 'span': {
      const span = await sdk.waitForSpan(order.name)
      const { traceId, spanId } = span.spanContext()
      const { attributes, parentSpanContext } = span
      return { traceId, spanId, parentSpanId: parentSpanContext?.spanId, attributes } satisfies ToldSpan
    }
  }
}
