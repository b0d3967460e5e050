import { isLoopback } from '../http/access.ts'
import { startViewer, type Viewer, type ViewerOptions } from '../viewer.ts'
import { openBrowser } from './open-browser.ts'

export interface StartFlags {
  readonly port?: number
  readonly grpcPort?: number | false
  readonly host?: string
  readonly token?: string
  readonly allowHost: readonly string[]
  readonly allowOrigin: readonly string[]
  readonly maxSpans?: number
  readonly maxMegabytes?: number
  readonly store?: string
  readonly maxStoreMegabytes?: number
  readonly open?: boolean
}

const standardPort = 4318
const standardGrpcPort = 4317
const MiB = 1024 * 1024
/** Milliseconds for which a program on the port may think about what it is. */
const patience = 1000

/** Starts a viewer, says where it is, and runs until a signal ends it. */
export async function start(flags: StartFlags): Promise<void> {
  const { host = '127.0.0.1' } = flags
  if (flags.port === undefined && isLoopback(host)) {
    const running = await viewerAt(`http://127.0.0.1:${standardPort}`)
    if (running !== undefined) {
      throw new Error(
        `A viewer is running already at http://127.0.0.1:${standardPort} (${running}).\nStart another one with --port 0, or with a port of your choice.`,
      )
    }
  }
  const viewer = await startOrExplain(optionsOf(flags), host)
  announce(viewer, flags)
  if (flags.open) openBrowser(viewer.openUrl)
  const stop = () => void viewer.close()
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
}

function optionsOf(flags: StartFlags): ViewerOptions {
  const { port, host, token, maxSpans, maxMegabytes, store, maxStoreMegabytes } = flags
  return {
    ...(port !== undefined && { port }),
    grpcPort: flags.grpcPort ?? standardGrpcPort,
    ...(host !== undefined && { host }),
    ...(token !== undefined && { token }),
    ...(maxSpans !== undefined && { maxSpans }),
    ...(maxMegabytes !== undefined && { maxBytes: maxMegabytes * MiB }),
    ...(store !== undefined && { storeFile: store }),
    ...(maxStoreMegabytes !== undefined && { maxStoreBytes: maxStoreMegabytes * MiB }),
    allowedHosts: flags.allowHost,
    allowedOrigins: flags.allowOrigin,
  }
}

async function startOrExplain(options: ViewerOptions, host: string): Promise<Viewer> {
  try {
    return await startViewer(options)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    const address = `http://${host.includes(':') ? `[${host}]` : host}:${options.port}`
    const running = await viewerAt(address)
    const who = running === undefined ? 'Another program' : `A viewer (${running})`
    throw new Error(`${who} is running already at ${address}: choose another --port, or --port 0 for any that is free.`)
  }
}

/** Name and version of the viewer that answers at an address; undefined when there is none. */
async function viewerAt(address: string): Promise<string | undefined> {
  try {
    const answer = await fetch(address, { method: 'HEAD', signal: AbortSignal.timeout(patience) })
    const server = answer.headers.get('server') ?? ''
    return server.startsWith('otel-ws-viewer/') ? server : undefined
  } catch {
    return undefined
  }
}

function announce(viewer: Viewer, flags: StartFlags): void {
  console.log(`Page:  ${viewer.openUrl}`)
  console.log(`OTLP:  OTEL_EXPORTER_OTLP_ENDPOINT=${viewer.endpoint}`)
  if (viewer.grpcEndpoint !== undefined) console.log(`gRPC:  OTEL_EXPORTER_OTLP_ENDPOINT=${viewer.grpcEndpoint}`)
  else if (flags.grpcPort !== false) {
    console.log(`Port ${flags.grpcPort ?? standardGrpcPort} belongs to another program: there is no gRPC.`)
  }
  if (viewer.token !== undefined) {
    console.log(`Token: OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer ${viewer.token}"`)
  }
  if (flags.port === undefined && viewer.port !== standardPort) {
    console.log(`Port ${standardPort} belongs to another program: exporters need the endpoint above.`)
  }
}
