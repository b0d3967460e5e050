import type { Writable } from 'node:stream'
import { startViewer } from '@otel-ws/viewer'
import { type DemoOption, OPTIONS_HELP, ownOptionsHelp, parseDemoArguments, UsageError } from './arguments.ts'
import { terminalColors } from './colors.ts'
import { reportDiagnostics } from './diagnostics.ts'
import { formatDuration } from './duration.ts'
import { logExporter } from './log-exporter.ts'
import { logStream } from './log-stream.ts'
import { MetricStore } from './metric-store.ts'
import { formatMetricsLine } from './metrics-line.ts'
import { RemoteTelemetry } from './remote-telemetry.ts'
import { stopRequest } from './stop-request.ts'
import { formatMetrics, SpanTally } from './summary.ts'
import { environmentEndpoint, startTelemetry } from './telemetry.ts'
import { printable } from './text.ts'
import { TraceRecorder } from './trace-recorder.ts'
import { formatTrace, traceHeading } from './trace-tree.ts'

/** Arguments of {@link Demo.start}. */
export interface DemoSettings {
  /** Port to listen on, 0 for any free one; undefined for port 3000, or any if that is taken. */
  readonly port: number | undefined
  /** Number of simulated users. */
  readonly users: number
  /** Takes a logger's JSON lines and prints them between the traces. */
  readonly log: Writable
  /** Values of the demo's own options. */
  readonly own: Readonly<Record<string, string | true>>
  /** Milliseconds until the demo stops, if it does not run until it is interrupted. */
  readonly runFor: number | undefined
  /** Milliseconds between two collections of the metrics. */
  readonly metricsInterval: number
  /** Base URLs of the OTLP/HTTP receivers that processes started by the demo export to. */
  readonly endpoints: readonly string[]
  /** Takes the telemetry of processes started by the demo. */
  readonly remote: RemoteTelemetry
}

export type { DemoOption } from './arguments.ts'

/** A demo that has been started. */
export interface RunningDemo {
  /** URL of its page, or of its sockets. */
  readonly url: string
  /** Waits until the simulated users have finished and disconnected. */
  stopUsers(): Promise<void>
  /** Closes the server and the remaining connections. */
  close(): Promise<void>
}

/** A server with simulated users. */
export interface Demo {
  /** The `service.name` of its telemetry, and its title. */
  readonly name: string
  /** One line about what it shows. */
  readonly description: string
  /** Options that only this demo has. */
  readonly options?: readonly DemoOption[]
  /** Starts server and users. Called after the OpenTelemetry SDK was started. */
  start(settings: DemoSettings): Promise<RunningDemo>
}

/** Characters in a line if the width of the terminal is unknown, and at most. */
const WIDTH = 140
const MAX_WIDTH = 160
const STOP_LIMIT = 15_000

/**
 * Runs a demo until its time is over or it is interrupted: prints every finished trace as a tree, a line of metrics
 * every few seconds and, after the last span has ended, a summary. Returns the exit code: 0, 1 if the demo failed or lost
 * a span, 2 for a wrong command line.
 */
export async function runDemo(demo: Demo, argv: readonly string[]): Promise<number> {
  const settings = readArguments(argv, demo.options)
  if (typeof settings === 'string') {
    process.stderr.write(`${settings}\nTry: pnpm demo --help\n`)
    return 2
  }
  if (settings.help) {
    process.stdout.write(`${demo.name}: ${demo.description}\n\n${ownOptionsHelp(demo.options ?? [])}${OPTIONS_HELP}`)
    return 0
  }

  const colors = terminalColors()
  const print = (line: string) => process.stdout.write(`${line}\n`)
  const width = () => Math.min(process.stdout.columns ?? WIDTH, MAX_WIDTH)
  const startTime = Date.now()
  const tally = new SpanTally()
  let traces = 0
  const recorder = new TraceRecorder((spans) => {
    traces++
    for (const span of spans) tally.add(span)
    for (const line of formatTrace(spans, colors, width())) print(line)
  })
  let stopping = false
  const metrics = new MetricStore((now, before) => {
    if (!stopping) print(formatMetricsLine(now, before, startTime, colors))
  })

  reportDiagnostics((line) => process.stderr.write(`${line}\n`))
  const viewer = settings.viewer ? await startViewer({}) : undefined
  const endpoints = viewer === undefined ? [] : [viewer.endpoint]
  const remote = new RemoteTelemetry(recorder)
  const telemetry = startTelemetry({
    serviceName: demo.name,
    endpoints,
    spanProcessor: recorder,
    metricExporter: metrics,
    metricsInterval: settings.metricsInterval,
  })

  const logs = logExporter(demo.name, endpoints)

  const stop = stopRequest()
  let running: RunningDemo
  try {
    const { port, users, own, runFor, metricsInterval } = settings
    const log = logStream(print, colors, logs.emit)
    running = await demo.start({ port, users, own, runFor, metricsInterval, log, endpoints, remote })
  } catch (error) {
    process.stderr.write(`${demo.name} could not start: ${error instanceof Error ? error.message : String(error)}\n`)
    return 1
  }

  print(`\n${colors.bold(demo.name)}  ${colors.underline(running.url)}  ${colors.dim(demo.description)}`)
  if (viewer !== undefined) {
    print(
      `${colors.bold('viewer'.padEnd(demo.name.length))}  ${colors.underline(viewer.url)}  ${colors.dim('traces, connections, logs and metrics as they happen')}`,
    )
  }
  print(colors.dim(introduction(settings.users, settings.runFor)))
  print(`\n${traceHeading(colors)}`)

  const timer = setInterval(() => remote.exportMetrics(metrics), settings.metricsInterval)
  if (settings.runFor !== undefined) setTimeout(stop.request, settings.runFor)
  await stop.requested
  stopping = true
  clearInterval(timer)
  print(colors.dim('\nStopping: users disconnect, the server closes, remaining spans are exported.\n'))
  const isStopped = await within(STOP_LIMIT, async () => {
    await running.stopUsers()
    await running.close()
    await telemetry.shutdown()
    await logs.shutdown()
    remote.exportMetrics(metrics)
    await viewer?.close()
  })

  const open = recorder.openSpans()
  print('')
  for (const line of tally.format(colors)) print(line)
  print('')
  for (const line of formatMetrics(metrics.last, colors, width())) print(line)
  print(
    `\n${colors.bold('Total')}  ${recorder.started} spans started, ${recorder.started - open.length} ended, ` +
      `${recorder.reported} printed in ${traces} traces, ${tally.errors} with an error, ` +
      `in ${formatDuration(Date.now() - startTime)}.`,
  )
  if (isStopped && recorder.reported === recorder.started) return 0
  for (const span of open)
    print(colors.red(`Span never ended: ${printable(span.name)} (trace ${span.spanContext().traceId})`))
  if (!isStopped) print(colors.red(`Not stopped after ${formatDuration(STOP_LIMIT)}.`))
  return 1
}

function readArguments(argv: readonly string[], own: readonly DemoOption[] | undefined) {
  try {
    return parseDemoArguments(argv, own)
  } catch (error) {
    if (error instanceof UsageError) return error.message
    throw error
  }
}

function introduction(users: number, runFor: number | undefined): string {
  const who = users === 0 ? 'No simulated users' : `${users} simulated users and some misbehaving clients`
  const until = runFor === undefined ? 'Ctrl-C stops' : `stops after ${formatDuration(runFor)}`
  const endpoint = environmentEndpoint()
  return [who, until, ...(endpoint === undefined ? [] : [`exports to ${printable(endpoint)} too`])].join('  |  ')
}

/** Resolves with true if the work was done in time. */
async function within(milliseconds: number, work: () => Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, milliseconds, false)
  })
  try {
    return await Promise.race([work().then(() => true), limit])
  } finally {
    clearTimeout(timer)
  }
}
