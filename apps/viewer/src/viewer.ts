import type { Archive } from './archive/archive.ts'
import { Access, isLoopback } from './http/access.ts'
import { Api } from './http/api.ts'
import { BodyReader } from './http/body.ts'
import { closeAll, listenOn, shownHost } from './http/listen.ts'
import { loadPage } from './http/page-files.ts'
import { createViewerServer } from './http/server.ts'
import { newToken, TokenCheck } from './http/token.ts'
import { Live } from './live.ts'
import type { ServerFacts } from './live-page.ts'
import type { GrpcOptions } from './otlp/grpc.ts'
import { Intake } from './otlp/intake.ts'
import { Receiver } from './otlp/receiver.ts'
import { Store } from './store/store.ts'
import { version } from './version.ts'

/** Options of `startViewer`; all of them optional. */
export interface ViewerOptions {
  /**
   * Port to listen on; 0 takes any that is free. Default: 4318, the standard port of OTLP/HTTP, or any that is free
   * where another program has that one.
   */
  readonly port?: number
  /**
   * Port for OTLP over gRPC; 0 takes any that is free, `false` leaves gRPC out. Default: 4317, the standard port, where
   * `port` is left out as well; else none. Where the port is taken, HTTP goes on alone and the page says so.
   */
  readonly grpcPort?: number | false
  /** Address to listen on. Default: this machine only, `127.0.0.1` and `::1`. */
  readonly host?: string
  /**
   * Token that the page, the API and exporters have to carry. Default: none where `host` is this machine only, else a
   * random one (`Viewer.token`).
   */
  readonly token?: string
  /** Host names, besides local ones and IP addresses, under which the viewer may be asked. Default none. */
  readonly allowedHosts?: readonly string[]
  /** Origins of pages, besides those served from this machine, that may export to the viewer. Default none. */
  readonly allowedOrigins?: readonly string[]
  /** Spans that are kept; the oldest traces are dropped beyond. Default 50,000. */
  readonly maxSpans?: number
  /** Approximate bytes of memory for the spans that are kept. Default 128 MiB. */
  readonly maxBytes?: number
  /** Log records that are kept, in at most a quarter of `maxBytes`. Default 20,000. */
  readonly maxLogs?: number
  /** Bytes of one request as sent. Default 8 MiB; beyond it the answer is 413. */
  readonly maxBodyBytes?: number
  /** Bytes of one request after inflation. Default 32 MiB; beyond it the answer is 413. */
  readonly maxInflatedBytes?: number
  /** File in which everything is kept across restarts, made with mode 0600 if it is not there. Default none. */
  readonly storeFile?: string
  /** Bytes of export requests, as sent, that the file keeps; the oldest go first. Default 64 MiB. */
  readonly maxStoreBytes?: number
}

/** A viewer that is running. */
export interface Viewer {
  /** Address of the page. */
  readonly url: string
  /** Address that opens the page also where a token is asked for: it carries the token. */
  readonly openUrl: string
  readonly port: number
  /** Value for `OTEL_EXPORTER_OTLP_ENDPOINT`: exporters add `/v1/traces`, `/v1/metrics` and `/v1/logs`. */
  readonly endpoint: string
  /** Value for `OTEL_EXPORTER_OTLP_ENDPOINT` of exporters that speak gRPC; undefined where gRPC is off or its port is taken. */
  readonly grpcEndpoint: string | undefined
  /** Token that is asked for; undefined for none. */
  readonly token: string | undefined
  /** Stops listening, ends the pages that are open, and forgets what is in memory. A store file stays. */
  close(): Promise<void>
}

const MiB = 1024 * 1024
const standardGrpcPort = 4317

/**
 * Starts an OTLP receiver with a live page, in this process. It keeps no other work of the process alive once it is
 * closed, and rejects with the error of `listen` when the port that was asked for cannot be had, and with an `Error` when
 * the store file cannot be used.
 */
export async function startViewer(options: ViewerOptions = {}): Promise<Viewer> {
  const limits = readLimits(options)
  const host = options.host ?? '127.0.0.1'
  const secret = options.token ?? (isLoopback(host) ? undefined : newToken())
  const token = new TokenCheck(secret)
  const archive =
    options.storeFile === undefined ? undefined : await openArchive(options.storeFile, limits.maxStoreBytes)
  const store = new Store(limits.store, archive?.oldest)
  const facts = { endpoint: '', grpcEndpoint: '', grpcProblem: '', storeFile: options.storeFile ?? '', version }
  if (archive !== undefined) await archive.replay(new Intake(store), limits.maxInflatedBytes)
  const intake = new Intake(store, archive && ((packed) => archive.keep(packed)))
  const bodies = new BodyReader(limits)
  const live = new Live(store, (): ServerFacts => facts, 16)
  const clear = () => {
    store.clear()
    archive?.clear()
  }
  const parts = {
    receiver: new Receiver(intake, bodies),
    api: new Api({ store, live, intake, mostImported: limits.maxInflatedBytes, facts: () => facts, clear }),
    access: new Access([...(options.allowedHosts ?? []), host], options.allowedOrigins ?? []),
    token,
    page: await loadPage(),
    name: `otel-ws-viewer/${version}`,
    refused: (reason: string) => store.refused(reason),
  }
  const { port, servers } = await listenOn(() => createViewerServer(parts), options.host, options.port)
  facts.endpoint = `http://${shownHost(host)}:${port}`
  const grpc = await startGrpc(options, host, { intake, token, maxBytes: limits.maxInflatedBytes }, facts)
  return {
    url: facts.endpoint,
    openUrl: secret === undefined ? facts.endpoint : `${facts.endpoint}/?token=${encodeURIComponent(secret)}`,
    port,
    endpoint: facts.endpoint,
    grpcEndpoint: facts.grpcEndpoint || undefined,
    token: secret,
    async close() {
      live.close()
      grpc?.close()
      await closeAll(servers)
      archive?.close()
      store.clear()
    },
  }
}

async function openArchive(file: string, most: number): Promise<Archive> {
  // Loaded only where it is used: it brings a library of its own for every platform.
  const { Archive } = await import('./archive/archive.ts')
  return new Archive(file, most)
}

/** Starts gRPC where it is asked for. A port that is taken is no failure: HTTP goes on, and the page says so. */
async function startGrpc(
  { port, grpcPort }: ViewerOptions,
  host: string,
  options: GrpcOptions,
  facts: { grpcEndpoint: string; grpcProblem: string },
): Promise<{ close(): void } | undefined> {
  const wanted = grpcPort ?? (port === undefined ? standardGrpcPort : false)
  if (wanted === false) return undefined
  // Loaded only where it is used: it is larger than the rest of the viewer.
  const { GrpcReceiver } = await import('./otlp/grpc.ts')
  const receiver = new GrpcReceiver(options)
  try {
    const bound = await receiver.listen(host, wanted)
    facts.grpcEndpoint = `http://${shownHost(host)}:${bound}`
    // `localhost` may lead to either loopback address; without IPv6 on this machine one has to do.
    if (host === '127.0.0.1') await receiver.listen('::1', bound).catch(() => undefined)
    return receiver
  } catch {
    receiver.close()
    facts.grpcProblem = `port ${wanted} is taken by another program`
    return undefined
  }
}

function readLimits(options: ViewerOptions) {
  const maxSpans = positive('maxSpans', options.maxSpans, 50_000)
  const maxBytes = positive('maxBytes', options.maxBytes, 128 * MiB)
  return {
    maxBodyBytes: positive('maxBodyBytes', options.maxBodyBytes, 8 * MiB),
    maxInflatedBytes: positive('maxInflatedBytes', options.maxInflatedBytes, 32 * MiB),
    maxStoreBytes: positive('maxStoreBytes', options.maxStoreBytes, 64 * MiB),
    store: {
      maxSpans,
      maxBytes,
      maxSpansPerTrace: Math.max(1, Math.floor(maxSpans / 4)),
      maxConnections: 10_000,
      maxSeries: 2_000,
      maxSamples: 200_000,
      maxLogs: positive('maxLogs', options.maxLogs, 20_000),
      maxLogBytes: Math.floor(maxBytes / 4),
    },
  }
}

function positive(name: string, value: number | undefined, otherwise: number): number {
  if (value === undefined) return otherwise
  if (!Number.isInteger(value) || value < 1) throw new TypeError(`${name} must be a whole number above 0, not ${value}`)
  return value
}
