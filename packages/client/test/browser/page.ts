import { context, propagation, type Span, SpanKind, type TracerProvider, trace } from '@opentelemetry/api'
import { ExportResultCode, W3CTraceContextPropagator } from '@opentelemetry/core'
import { BatchSpanProcessor, type ReadableSpan, TracerProvider as SdkTracerProvider } from '@opentelemetry/sdk-trace'
import { StackContextManager } from '@opentelemetry/sdk-trace-web'
import { connectionOf, jsonName, traceUrl, traceWebSocket } from '@otel-ws/client'
import { promises } from './promises.ts'
import { scripts } from './scripts.ts'

/** A span as a page tells it. */
export interface ToldSpan {
  readonly page: string
  readonly name: string
  readonly kind: string
  readonly traceId: string
  readonly spanId: string
  readonly parentId: string | undefined
  readonly links: readonly { readonly spanId: string; readonly kind: unknown }[]
  readonly attributes: Readonly<Record<string, unknown>>
  readonly milliseconds: number
}

/** What the tests can have a page do. */
export interface Page {
  /** Opens a connection, in the span of an action of the user's; resolves when the server has agreed. */
  enter(url: string): Promise<string>
  /** Exports what is there. */
  flush(): Promise<void>
  /** Echoes a message to a traced listener that returns what `promises` makes, and reports errors of the page. */
  listen(kind: string, url: string, followPromises: 'async-functions' | 'all'): Promise<string[]>
  /** Runs a script on a socket, traced or not, or with a tracer that throws, and resolves with what happened. */
  run(script: string, url: string, traced: boolean | 'faulty'): Promise<unknown[]>
}

const page = new URLSearchParams(location.search).get('page') ?? ''
const ROUTE = '/chat/:room'

const tell = (span: ReadableSpan): ToldSpan => ({
  page,
  name: span.name,
  kind: SpanKind[span.kind],
  traceId: span.spanContext().traceId,
  spanId: span.spanContext().spanId,
  parentId: span.parentSpanContext?.spanId,
  links: span.links.map((link) => ({
    spanId: link.context.spanId,
    kind: link.attributes?.['websocket.link.kind'],
  })),
  attributes: span.attributes,
  milliseconds: span.duration[0] * 1e3 + span.duration[1] / 1e6,
})

const provider = new SdkTracerProvider({
  spanProcessors: [
    new BatchSpanProcessor({
      exporter: {
        export(spans, done) {
          // The one way out that a page has while it goes away.
          navigator.sendBeacon('/spans', JSON.stringify(spans.map(tell)))
          done({ code: ExportResultCode.SUCCESS })
        },
        async shutdown() {},
      },
      scheduledDelayMillis: 1_000_000,
    }),
  ],
})
context.setGlobalContextManager(new StackContextManager().enable())
propagation.setGlobalPropagator(new W3CTraceContextPropagator())
trace.setGlobalTracerProvider(provider)
const tracer = trace.getTracer('page')

let socket: WebSocket
const lines = document.querySelector('ol') as HTMLElement

function action<R>(name: string, act: () => R): R {
  return tracer.startActiveSpan(name, { root: true }, (span) => {
    try {
      return act()
    } finally {
      span.end()
    }
  })
}

document.querySelector('button')?.addEventListener('click', () => {
  action('click', () => socket.send('{"type":"say","text":"hello"}'))
})

function broken(): never {
  throw new Error('the SDK is broken')
}

/** Every other span cannot be started, and of the others no method works. */
let started = 0
const faulty: TracerProvider = {
  getTracer: () => ({
    startSpan: () => (++started % 2 === 0 ? broken() : (new Proxy({}, { get: () => broken }) as Span)),
    startActiveSpan: broken,
  }),
}

const harness: Page = {
  async enter(url) {
    const options = { route: ROUTE, messageName: jsonName('$.type') }
    socket = action('enter', () => traceWebSocket(new WebSocket(traceUrl(url, options)), options))
    await new Promise((resolve, reject) => {
      socket.onmessage = ({ data }) => {
        if (JSON.parse(data).type === 'welcome') resolve(undefined)
        else
          tracer.startActiveSpan('render', (span) => {
            lines.append(document.createElement('li'))
            span.end()
          })
      }
      socket.addEventListener('close', reject)
    })
    return connectionOf(socket)?.id ?? ''
  },
  flush: () => provider.forceFlush(),
  listen: async (kind, url, followPromises) => {
    const errors: string[] = []
    addEventListener('unhandledrejection', ({ reason }) => errors.push(String(reason)))
    const socket = traceWebSocket(new WebSocket(url), { route: kind, followPromises })
    const { handler, settled } = (promises[kind] as (typeof promises)[string])()
    socket.addEventListener('message', handler)
    socket.addEventListener('open', () => socket.send('x'))
    await settled
    // A turn later what follows the promise is done, and the page knows of rejections.
    await new Promise((resolve) => setTimeout(resolve, 50))
    await provider.forceFlush()
    return errors
  },
  run: async (script, url, traced) => {
    const transcript: unknown[] = []
    const open = (): WebSocket => {
      const made = new WebSocket(url)
      if (traced === 'faulty') return traceWebSocket(made, { tracerProvider: faulty })
      return traced ? traceWebSocket(made) : made
    }
    await scripts[script]?.(open, (...entry) => transcript.push(entry))
    return transcript
  },
}
Object.assign(window, { harness })
