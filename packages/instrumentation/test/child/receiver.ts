import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

interface KeyValue {
  readonly key: string
  readonly value: Readonly<Record<string, unknown>>
}

/** A span in OTLP's JSON. */
export interface OtlpSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly attributes: readonly KeyValue[]
  readonly links?: readonly { readonly spanId: string; readonly attributes: readonly KeyValue[] }[]
  readonly scope: string
  readonly service: unknown
}

interface OtlpTraces {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] }
    readonly scopeSpans: readonly { readonly scope: { readonly name: string }; readonly spans: readonly OtlpSpan[] }[]
  }[]
}

interface OtlpMetrics {
  readonly resourceMetrics: readonly {
    readonly scopeMetrics: readonly { readonly metrics: readonly { readonly name: string }[] }[]
  }[]
}

const KINDS = ['', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER']

/** An OTLP endpoint for one process, for JSON over HTTP. */
export class Receiver {
  readonly spans: OtlpSpan[] = []
  readonly metrics = new Set<string>()
  readonly #server: Server
  readonly #waiting: { prefix: string; resolve: () => void }[] = []

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(): Promise<Receiver> {
    const server = createServer((request, response) => {
      let body = ''
      request.setEncoding('utf8')
      request.on('data', (chunk) => {
        body += chunk
      })
      request.on('end', () => {
        if (request.url === '/v1/traces') receiver.#takeTraces(JSON.parse(body) as OtlpTraces)
        else if (request.url === '/v1/metrics') receiver.#takeMetrics(JSON.parse(body) as OtlpMetrics)
        response.setHeader('content-type', 'application/json')
        response.end('{}')
      })
    })
    const receiver = new Receiver(server)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return receiver
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Resolves when a span was received whose name starts with this prefix. */
  async waitFor(prefix: string): Promise<void> {
    if (this.spans.some(({ name }) => name.startsWith(prefix))) return
    await new Promise<void>((resolve) => {
      this.#waiting.push({ prefix, resolve })
    })
  }

  stop(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  /**
   * Every span in one line, in order of names: `name KIND < parent`, and `~ linked` for each link. Nothing but names, so
   * that one line says whether the tree is right.
   */
  tree(): string[] {
    const named = new Map(this.spans.map((span) => [span.spanId, span.name]))
    const nameOf = (id: string) => named.get(id) ?? 'a span that was not exported'
    return this.spans
      .map((span) => {
        const parent = span.parentSpanId ? ` < ${nameOf(span.parentSpanId)}` : ''
        const links = (span.links ?? []).map((link) => ` ~ ${nameOf(link.spanId)}`).join('')
        return `${span.name} ${KINDS[span.kind]}${parent}${links}`
      })
      .sort()
  }

  #takeTraces({ resourceSpans }: OtlpTraces): void {
    for (const { resource, scopeSpans } of resourceSpans) {
      const service = resource.attributes.find(({ key }) => key === 'service.name')?.value['stringValue']
      for (const { scope, spans } of scopeSpans) {
        this.spans.push(...spans.map((span) => ({ ...span, scope: scope.name, service })))
      }
    }
    for (const { prefix, resolve } of this.#waiting) {
      if (this.spans.some(({ name }) => name.startsWith(prefix))) resolve()
    }
  }

  #takeMetrics({ resourceMetrics }: OtlpMetrics): void {
    for (const { scopeMetrics } of resourceMetrics) {
      for (const { metrics } of scopeMetrics) for (const { name } of metrics) this.metrics.add(name)
    }
  }
}
