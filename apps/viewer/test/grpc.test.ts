import { createServer } from 'node:net'
import { gzipSync } from 'node:zlib'
import { type ChannelCredentials, Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc'
import { CompressionAlgorithm } from '@opentelemetry/otlp-exporter-base'
import { SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { afterEach, expect, test } from 'vitest'
import { startViewer, type Viewer, type ViewerOptions } from '../src/index.ts'
import { read } from './support/client.ts'

let viewer: Viewer
let client: Client | undefined

async function start(options: ViewerOptions = {}): Promise<Viewer> {
  viewer = await startViewer({ port: 0, grpcPort: 0, ...options })
  return viewer
}
afterEach(async () => {
  client?.close()
  client = undefined
  await viewer.close()
})

const trace = 'opentelemetry.proto.collector.trace.v1.TraceService'

/** Calls `Export` of a service with bytes; resolves with the error of the call, or null. */
function send(service: string, body: Uint8Array, metadata = new Metadata()): Promise<ServiceError | null> {
  const insecure: ChannelCredentials = credentials.createInsecure()
  client ??= new Client(new URL(viewer.grpcEndpoint!).host, insecure)
  const bytes = (value: Uint8Array) => Buffer.from(value)
  return new Promise((resolve) => {
    client!.makeUnaryRequest(`/${service}/Export`, bytes, bytes, body, metadata, (error) => resolve(error))
  })
}

test.each([CompressionAlgorithm.NONE, CompressionAlgorithm.GZIP])(
  'the exporter of the SDK reaches it, compression %s',
  async (compression) => {
    await start()
    const exporter = new OTLPTraceExporter({ url: viewer.grpcEndpoint!, compression })
    const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] })
    provider.getTracer('test').startSpan('over gRPC').end()
    await provider.forceFlush()
    await provider.shutdown()
    expect(await read(viewer, 'traces')).toMatchObject({ rows: [{ name: 'over gRPC' }] })
    expect(await read(viewer, 'status')).toMatchObject({ refused: 0, grpcEndpoint: viewer.grpcEndpoint })
  },
)

test('what is malformed, too large or of no signal is answered as gRPC asks, and counted', async () => {
  await start({ maxInflatedBytes: 1000 })
  expect(await send(trace, Buffer.from('nonsense'))).toMatchObject({ code: status.INVALID_ARGUMENT })
  expect(await send(trace, Buffer.alloc(2000))).toMatchObject({ code: status.RESOURCE_EXHAUSTED })
  expect(
    await send('opentelemetry.proto.collector.profiles.v1development.ProfilesService', Buffer.alloc(0)),
  ).toMatchObject({
    code: status.UNIMPLEMENTED,
  })
  const { refused, refusals } = await read<{ refused: number; refusals: { what: string }[] }>(viewer, 'status')
  expect(refused).toBe(3)
  expect(refusals.map(({ what }) => what.split(':')[0])).toEqual([
    'gRPC INVALID_ARGUMENT',
    'gRPC RESOURCE_EXHAUSTED',
    'gRPC UNIMPLEMENTED',
  ])
})

test('a small message that inflates to a large one is refused', async () => {
  await start({ maxInflatedBytes: 100_000 })
  const bomb = gzipSync(Buffer.alloc(10_000_000))
  expect(bomb.length).toBeLessThan(100_000)
  // As a message of gRPC that says of itself that it is compressed.
  const { connect } = await import('node:http2')
  const session = connect(viewer.grpcEndpoint!)
  const stream = session.request({
    ':method': 'POST',
    ':path': `/${trace}/Export`,
    'content-type': 'application/grpc',
    'grpc-encoding': 'gzip',
    te: 'trailers',
  })
  const head = Buffer.alloc(5)
  head.writeUInt8(1, 0)
  head.writeUInt32BE(bomb.length, 1)
  const answered = new Promise<unknown>((resolve) => {
    stream.on('response', (headers) => headers['grpc-status'] !== undefined && resolve(headers['grpc-status']))
    stream.on('trailers', (trailers) => resolve(trailers['grpc-status']))
  })
  stream.resume().end(Buffer.concat([head, bomb]))
  expect(String(await answered)).toBe(String(status.RESOURCE_EXHAUSTED))
  session.destroy()
})

test('the token holds here too', async () => {
  await start({ token: 'secret' })
  expect(await send(trace, Buffer.alloc(0))).toMatchObject({ code: status.UNAUTHENTICATED })
  const metadata = new Metadata()
  metadata.set('authorization', 'Bearer wrong')
  expect(await send(trace, Buffer.alloc(0), metadata)).toMatchObject({ code: status.UNAUTHENTICATED })
  metadata.set('authorization', 'Bearer secret')
  expect(await send(trace, Buffer.alloc(0), metadata)).toBeNull()
})

test('where the port is taken HTTP goes on, and the page says so', async () => {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  const { port } = other.address() as { port: number }
  await start({ grpcPort: port })
  expect(viewer.grpcEndpoint).toBeUndefined()
  expect(await read(viewer, 'status')).toMatchObject({ grpcProblem: `port ${port} is taken by another program` })
  other.close()
})
