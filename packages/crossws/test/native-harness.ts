import type { Harness } from '@otel-ws/testkit'
import type { Hooks } from 'crossws'
import { harness, type Served, startHost } from './harness.ts'

/** The members of the servers of Bun and Deno that are used: this repository has no types of them. */
interface NativeServer {
  readonly port?: number
  readonly addr?: { readonly port: number }
  stop?(closeActiveConnections: boolean): Promise<void>
  shutdown?(): Promise<void>
}

type Fetch = (request: Request, context: unknown) => Promise<Response | undefined>

const runtime = globalThis as unknown as {
  readonly Bun?: { serve(options: object): NativeServer }
  readonly Deno?: { serve(options: object, fetch: Fetch): NativeServer }
}

const isUpgrade = (request: Request): boolean => request.headers.get('upgrade') === 'websocket'

async function serveOnBun(hooks: Partial<Hooks>): Promise<Served> {
  const { default: bunAdapter } = await import('crossws/adapters/bun')
  const ws = bunAdapter({ hooks })
  const server = runtime.Bun?.serve({
    port: 0,
    hostname: '127.0.0.1',
    websocket: ws.websocket,
    fetch: (request: Request, bun: never) =>
      isUpgrade(request) ? ws.handleUpgrade(request, bun) : new Response('plain'),
  })
  return { port: server?.port ?? 0, peers: ws.peers, close: async () => server?.stop?.(true) }
}

async function serveOnDeno(hooks: Partial<Hooks>): Promise<Served> {
  const { default: denoAdapter } = await import('crossws/adapters/deno')
  const ws = denoAdapter({ hooks })
  const server = runtime.Deno?.serve({ port: 0, hostname: '127.0.0.1', onListen() {} }, async (request, info) =>
    isUpgrade(request) ? ws.handleUpgrade(request, info as never) : new Response('plain'),
  )
  return { port: server?.addr?.port ?? 0, peers: ws.peers, close: async () => server?.shutdown?.() }
}

/** crossws on the server of the runtime itself; `undefined` on Node. */
export const nativeHarness: Harness | undefined =
  runtime.Bun !== undefined
    ? { ...harness, name: 'crossws on Bun.serve', start: (options) => startHost(serveOnBun, options) }
    : runtime.Deno !== undefined
      ? { ...harness, name: 'crossws on Deno.serve', start: (options) => startHost(serveOnDeno, options) }
      : undefined
