import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Telemetry } from '@otel-ws/testkit'

/** How much is done. */
export interface Load {
  readonly connections: number
  /** Messages that each client sends, one after the other; each is echoed. */
  readonly messages: number
  /** Clients at the same time. */
  readonly parallel: number
}

/** A traced server with its clients. */
export interface Soak {
  start(): Promise<SoakServer>
  /** Names of the spans of one connection, each with its number, for a number of messages. */
  spans(messages: number): Readonly<Record<string, number>>
  /** The value of `websocket.namespace` in the metrics of the server's connections. */
  readonly namespace?: string
}

/** A server that echoes. */
export interface SoakServer {
  /** Connects a client, sends texts and waits for each echo, and leaves. Resolves when the server has seen it leave. */
  visit(texts: readonly string[]): Promise<void>
  /** Bytes of a text on the wire, as the server counts them. */
  size(text: string): number
  close(): Promise<void>
}

/** Options of the traced server: every span is counted, so that none is left out. */
export const OPTIONS = { maxSpansPerSecond: false, maxMessageSpansPerSecond: Number.POSITIVE_INFINITY } as const

/** Bytes by which the heap may have grown from the half to the end. */
const MAX_GROWTH = 1_000_000

/** Puts a load on a server and compares all totals of spans and metrics, and the heap. */
export async function soak(host: Soak, load: Load): Promise<{ summary: string; problems: string[] }> {
  const telemetry = new Telemetry()
  telemetry.install()
  const spans = new SpanTotals(telemetry)
  const server = await host.start()
  const startedAt = performance.now()
  let bytes = 0
  let heapBefore = 0
  for (let done = 0; done < load.connections; done += load.parallel) {
    const visits = Array.from({ length: Math.min(load.parallel, load.connections - done) }, (_, index) => {
      const texts = textsOf(done + index, load.messages)
      for (const text of texts) bytes += server.size(text)
      return server.visit(texts)
    })
    await Promise.all(visits)
    spans.take()
    if (heapBefore === 0 && done >= load.connections / 2) heapBefore = heapUsed()
  }
  const growth = heapUsed() - heapBefore
  const seconds = (performance.now() - startedAt) / 1000
  await telemetry.waitUntil(() => telemetry.openSpans().length === 0, 'the end of all spans')
  spans.take()
  const problems = [
    ...differences('spans named', spans.totals, expectedSpans(host, load)),
    ...differences('', await metricTotals(telemetry, host.namespace), expectedMetrics(load, bytes)),
    ...telemetry.diagnostics.map((line) => `a warning: ${line}`),
    ...(growth > MAX_GROWTH ? [`the heap has grown by ${growth} B from the half to the end`] : []),
  ]
  await server.close()
  await telemetry.uninstall()
  const messages = load.connections * load.messages
  const rate = Math.round((2 * messages) / seconds)
  const done = `${load.connections} connections, ${messages} messages in and as many out, ${bytes} B each way`
  return { summary: `${done}, ${rate} messages/s; heap ${growth >= 0 ? '+' : ''}${growth} B`, problems }
}

/** Texts of all sizes, different for each client. */
function textsOf(client: number, messages: number): string[] {
  return Array.from({ length: messages }, (_, n) => `${client} ${n} ${'ä'.repeat((client * 7 + n * 13) % 300)}`)
}

/** Counts ended spans by name, so that none is kept. */
class SpanTotals {
  readonly totals: Record<string, number> = {}
  readonly #telemetry: Telemetry

  constructor(telemetry: Telemetry) {
    this.#telemetry = telemetry
  }

  take(): void {
    for (const { name } of this.#telemetry.spans()) this.totals[name] = (this.totals[name] ?? 0) + 1
    this.#telemetry.forget()
  }
}

function expectedSpans({ spans }: Soak, { connections, messages }: Load): Record<string, number> {
  return Object.fromEntries(Object.entries(spans(messages)).map(([name, count]) => [name, count * connections]))
}

function expectedMetrics({ connections, messages }: Load, bytes: number): Record<string, number> {
  const all = connections * messages
  return {
    'websocket.server.connection.active': 0,
    'websocket.server.message.process.active': 0,
    'websocket.server.connection.duration': connections,
    'websocket.server.handshake.duration': connections,
    'websocket.server.open.duration': connections,
    'websocket.server.message.process.duration': all,
    'websocket.server.messages receive': all,
    'websocket.server.messages send': all,
    'websocket.server.io receive': bytes,
    'websocket.server.io send': bytes,
    'websocket.server.send.buffered': 0,
  }
}

/** Sums of instruments over their series: of values, or of counts for histograms. */
async function metricTotals(telemetry: Telemetry, namespace: string | undefined): Promise<Record<string, number>> {
  const totals: Record<string, number> = {}
  for (const { name, attributes, value, count } of await telemetry.collect()) {
    if (attributes['websocket.namespace'] !== namespace) continue
    const direction = attributes['websocket.message.direction']
    const key = direction === undefined ? name : `${name} ${direction}`
    totals[key] = (totals[key] ?? 0) + (value ?? count ?? 0)
  }
  return totals
}

function differences(
  what: string,
  actual: Readonly<Record<string, number>>,
  expected: Readonly<Record<string, number>>,
): string[] {
  const names = what === '' ? Object.keys(expected) : Object.keys({ ...actual, ...expected })
  return names
    .filter((name) => (actual[name] ?? 0) !== (expected[name] ?? 0))
    .map((name) => `${what} ${name}: ${actual[name] ?? 0} instead of ${expected[name] ?? 0}`.trim())
}

function heapUsed(): number {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < 10; round++) {
    gc()
    least = Math.min(least, process.memoryUsage().heapUsed)
  }
  return least
}
