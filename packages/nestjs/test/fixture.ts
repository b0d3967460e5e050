import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { Telemetry } from '@otel-ws/testkit'
import { afterEach, beforeEach, expect } from 'vitest'
import { type App, type AppOptions, startApp } from './app.ts'
import { connectClient, type EventClient } from './event-client.ts'

type Span = ReturnType<Telemetry['spans']>[number]

/** Set-up of one test. */
export interface Fixture {
  readonly telemetry: Telemetry
  start(options: AppOptions): Promise<App>
  connect(app: App, path?: string): Promise<EventClient>
  /** Closes clients and applications now rather than after the test: afterwards no further span can come. */
  settle(): Promise<void>
  /** The trace below a span, a line for each span in the order of their starts. */
  tree(root: Span): string[]
}

/** Warning of the SDK when a span is used after its end. */
const MISUSE = /ended Span|end\(\) on a span once|startTime > endTime/

export function useFixture(): Fixture {
  let telemetry = new Telemetry()
  let apps: App[] = []
  let clients: EventClient[] = []

  async function settle(): Promise<void> {
    for (const client of clients.splice(0)) await client.close()
    for (const app of apps.splice(0)) await app.nest.close()
  }

  beforeEach(() => {
    apps = []
    clients = []
    telemetry = new Telemetry()
    telemetry.install()
  })

  afterEach(async () => {
    await settle()
    await telemetry.uninstall()
    expect(telemetry.openSpans()).toEqual([])
    expect(telemetry.diagnostics.filter((line) => MISUSE.test(line))).toEqual([])
  })

  return {
    get telemetry() {
      return telemetry
    },
    async start(options) {
      const app = await startApp(options)
      apps.push(app)
      return app
    },
    async connect(app, path = '') {
      const client = await connectClient(app.platform, app.url + path)
      clients.push(client)
      return client
    },
    settle,
    tree: (root) => lines(telemetry.spans(), root, ''),
  }
}

function lines(spans: Span[], span: Span, indent: string): string[] {
  const { spanId } = span.spanContext()
  const children = spans.filter((child) => child.parentSpanContext?.spanId === spanId)
  children.sort((a, b) => a.startTime[0] - b.startTime[0] || a.startTime[1] - b.startTime[1])
  return [indent + describeSpan(span), ...children.flatMap((child) => lines(spans, child, `${indent}  `))]
}

/** Name, kind, handler, stream, and how it failed. */
function describeSpan({ name, kind, attributes, status, links }: Span): string {
  const parts = [name]
  if (kind !== SpanKind.INTERNAL) parts.push(SpanKind[kind])
  for (const link of links) parts.push(`after ${link.attributes?.['websocket.link.kind']}`)
  const handler = attributes['code.function.name']
  if (handler !== undefined) parts.push(`in ${handler}`)
  const items = attributes['websocket.stream.items']
  if (items !== undefined) parts.push(`${items} items ${attributes['websocket.stream.outcome']}`)
  if (status.code === SpanStatusCode.ERROR) parts.push(`! ${attributes['error.type']}: ${status.message}`)
  else if (attributes['error.type'] !== undefined) parts.push(`refused: ${attributes['error.type']}`)
  return parts.join(' ')
}
