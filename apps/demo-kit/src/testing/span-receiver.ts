import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** The members of a span in OTLP that tests look at. */
export interface OtlpSpan {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  /** Of OTLP: one more than that of the API. */
  readonly kind: number
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[]
}

interface OtlpTraces {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[] }[]
}

/** An OTLP/HTTP receiver for the pages of a test. */
export class SpanReceiver {
  readonly spans: OtlpSpan[] = []
  readonly #server: Server
  #onReceived = (): void => {}

  private constructor() {
    this.#server = createServer((request, response) => {
      let body = ''
      request.setEncoding('utf8')
      request.on('data', (part: string) => {
        body += part
      })
      request.on('end', () => {
        response.setHeader('access-control-allow-origin', request.headers.origin ?? '')
        response.setHeader('access-control-allow-headers', 'content-type')
        response.end('{}')
        if (request.method !== 'POST' || request.url !== '/v1/traces') return
        const { resourceSpans } = JSON.parse(body) as OtlpTraces
        this.spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)))
        this.#onReceived()
      })
    })
  }

  /** A receiver on a port of its own. */
  static async listen(): Promise<SpanReceiver> {
    const receiver = new SpanReceiver()
    receiver.#server.listen(0, '127.0.0.1')
    await once(receiver.#server, 'listening')
    return receiver
  }

  /** Base URL for exporters. */
  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Variables that have a process export here. */
  get env(): NodeJS.ProcessEnv {
    return { OTEL_EXPORTER_OTLP_ENDPOINT: this.endpoint }
  }

  /** The first `count` spans that fit, as soon as they are there. */
  async next(fits: (span: OtlpSpan) => boolean, count = 1): Promise<OtlpSpan[]> {
    for (;;) {
      const found = this.spans.filter(fits)
      if (found.length >= count) return found.slice(0, count)
      await new Promise<void>((resolve) => {
        this.#onReceived = resolve
      })
    }
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}
