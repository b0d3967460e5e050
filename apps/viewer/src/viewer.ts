import type { Server } from 'node:http'
import { type AddressInfo, isIPv6 } from 'node:net'
import { Access } from './http/access.ts'
import { BodyReader } from './http/body.ts'
import { loadPage } from './http/page-files.ts'
import { createViewerServer } from './http/server.ts'
import { Live } from './live.ts'
import { Receiver } from './otlp/receiver.ts'
import { Store } from './store/store.ts'

/** Options of `startViewer`; all of them optional. */
export interface ViewerOptions {
  /**
   * Port to listen on; 0 takes any that is free. Default: 4318, the standard port of OTLP/HTTP, or any that is free
   * where another program has that one.
   */
  readonly port?: number
  /** Address to listen on. Default `127.0.0.1`: this machine only. */
  readonly host?: string
  /** Host names, besides loopback names and IP addresses, under which the viewer may be asked. Default none. */
  readonly allowedHosts?: readonly string[]
  /** Origins of pages, besides those served from loopback, that may export to the viewer. Default none. */
  readonly allowedOrigins?: readonly string[]
  /** Spans that are kept; the oldest traces are dropped beyond. Default 50,000. */
  readonly maxSpans?: number
  /** Approximate bytes of memory for the spans that are kept. Default 128 MiB. */
  readonly maxBytes?: number
  /** Bytes of one request as sent. Default 8 MiB; beyond it the answer is 413. */
  readonly maxBodyBytes?: number
  /** Bytes of one request after inflation. Default 32 MiB; beyond it the answer is 413. */
  readonly maxInflatedBytes?: number
}

/** A viewer that is running. */
export interface Viewer {
  /** Address of the page. */
  readonly url: string
  readonly port: number
  /** Value for `OTEL_EXPORTER_OTLP_ENDPOINT`: exporters add `/v1/traces` and `/v1/metrics`. */
  readonly endpoint: string
  /** Stops listening, ends the pages that are open, and forgets what was received. */
  close(): Promise<void>
}

const standardPort = 4318

/**
 * Starts an OTLP/HTTP receiver with a live page, in this process. It keeps no other work of the process alive once it is
 * closed, and rejects with the error of `listen` when the port that was asked for cannot be had.
 */
export async function startViewer(options: ViewerOptions = {}): Promise<Viewer> {
  const host = options.host ?? '127.0.0.1'
  const maxSpans = positive('maxSpans', options.maxSpans, 50_000)
  const store = new Store({
    maxSpans,
    maxBytes: positive('maxBytes', options.maxBytes, 128 * 1024 * 1024),
    maxSpansPerTrace: Math.max(1, Math.floor(maxSpans / 4)),
    maxConnections: 10_000,
    maxSeries: 2_000,
    maxSamples: 200_000,
  })
  const bodies = new BodyReader({
    maxBodyBytes: positive('maxBodyBytes', options.maxBodyBytes, 8 * 1024 * 1024),
    maxInflatedBytes: positive('maxInflatedBytes', options.maxInflatedBytes, 32 * 1024 * 1024),
  })
  let url = ''
  const live = new Live(store, () => url, 16)
  const access = new Access([...(options.allowedHosts ?? []), host], options.allowedOrigins ?? [])
  const receiver = new Receiver(store, bodies)
  const server = createViewerServer({ store, receiver, live, access, page: await loadPage() })
  const port = await listenSomewhere(server, host, options.port)
  url = `http://${shownHost(host)}:${port}`
  return {
    url,
    port,
    endpoint: url,
    async close() {
      live.close()
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
      store.clear()
    },
  }
}

async function listenSomewhere(server: Server, host: string, port: number | undefined): Promise<number> {
  if (port !== undefined) return listen(server, host, port)
  try {
    return await listen(server, host, standardPort)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    return listen(server, host, 0)
  }
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve((server.address() as AddressInfo).port)
    })
  })
}

function shownHost(host: string): string {
  // Listening everywhere is no address to go to.
  if (host === '0.0.0.0' || host === '::') return 'localhost'
  return isIPv6(host) ? `[${host}]` : host
}

function positive(name: string, value: number | undefined, otherwise: number): number {
  if (value === undefined) return otherwise
  if (!Number.isInteger(value) || value < 1) throw new TypeError(`${name} must be a whole number above 0, not ${value}`)
  return value
}
