#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { startViewer, type ViewerOptions } from './index.ts'

const help = `otel-ws-viewer: shows OpenTelemetry traces and metrics, live, of everything that exports OTLP/HTTP to it.

  --port <n>             port to listen on (4318)
  --host <address>       address to listen on (127.0.0.1)
  --allow-host <name>    further host name the viewer may be asked under; may be repeated
  --allow-origin <url>   further origin whose pages may export to it; may be repeated
  --max-spans <n>        spans to keep (50000)
  --max-megabytes <n>    memory for spans, in MiB (128)
  --help
`

function wholeNumber(flag: string, value: string): number {
  if (!/^\d+$/.test(value)) throw new TypeError(`--${flag} takes a whole number, not "${value}"`)
  return Number(value)
}

function readOptions(): ViewerOptions | undefined {
  const { values } = parseArgs({
    options: {
      port: { type: 'string' },
      host: { type: 'string' },
      'allow-host': { type: 'string', multiple: true },
      'allow-origin': { type: 'string', multiple: true },
      'max-spans': { type: 'string' },
      'max-megabytes': { type: 'string' },
      help: { type: 'boolean' },
    },
  })
  if (values.help) return undefined
  const { port, host, 'max-spans': maxSpans, 'max-megabytes': maxMegabytes } = values
  return {
    ...(port !== undefined && { port: wholeNumber('port', port) }),
    ...(host !== undefined && { host }),
    ...(maxSpans !== undefined && { maxSpans: wholeNumber('max-spans', maxSpans) }),
    ...(maxMegabytes !== undefined && { maxBytes: wholeNumber('max-megabytes', maxMegabytes) * 1024 * 1024 }),
    allowedHosts: values['allow-host'] ?? [],
    allowedOrigins: values['allow-origin'] ?? [],
  }
}

try {
  const options = readOptions()
  if (options === undefined) console.log(help)
  else {
    const viewer = await startViewer(options)
    console.log(`Page:  ${viewer.url}`)
    console.log(`OTLP:  OTEL_EXPORTER_OTLP_ENDPOINT=${viewer.endpoint}`)
    if (options.port === undefined && viewer.port !== 4318) {
      console.log('Port 4318 belongs to another program: exporters need the endpoint above.')
    }
    const stop = () => void viewer.close()
    process.once('SIGINT', stop)
    process.once('SIGTERM', stop)
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
