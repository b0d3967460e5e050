import { parseArgs } from 'node:util'
import { parseDuration } from './duration.ts'

/** Parsed command line of a demo. */
export interface DemoArguments {
  readonly help: boolean
  /** Milliseconds until the demo stops; `undefined` to run until it is interrupted. */
  readonly runFor: number | undefined
  /** Port to listen on, 0 for any free one; `undefined` for the default, or a free one if that is taken. */
  readonly port: number | undefined
  /** Number of simulated users. */
  readonly users: number
  /** Milliseconds between two lines of metrics. */
  readonly metricsInterval: number
  /** Whether the live viewer is started with the demo. */
  readonly viewer: boolean
  /** Values of the demo's own options: a string for options with choices, `true` for those without. */
  readonly own: Readonly<Record<string, string | true>>
}

/** An option that only one demo has. */
export interface DemoOption {
  readonly name: string
  /** Allowed values, the default first; absent for an option without a value. */
  readonly choices?: readonly string[]
  /** Text for `--help`. */
  readonly help: string
}

/** A wrong command line. The message says what is wrong. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

const DEFAULT_USERS = 5
const DEFAULT_METRICS_INTERVAL = 3_000

/** Help text for the options of every demo. */
export const OPTIONS_HELP = `Options:
  --for <duration>      stop after this time and print a summary, for example 8s or 2m (default: run until Ctrl-C)
  --users <n>           simulated users, 0 to 100 (default: ${DEFAULT_USERS}; 0: only you)
  --port <n>            port to listen on, 0 for any free port (default: 3000, or any if it is taken)
  --metrics <duration>  time between two lines of metrics (default: ${DEFAULT_METRICS_INTERVAL / 1_000}s)
  --no-viewer           do not start the live viewer
  -h, --help            print this text

Environment:
  OTEL_EXPORTER_OTLP_ENDPOINT   export traces and metrics there too (OTLP/HTTP), for example http://localhost:4318
  OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, NO_COLOR as usual
`

/** Returns the help text for the own options of a demo; empty if it has none. */
export function ownOptionsHelp(options: readonly DemoOption[]): string {
  const lines = options.map(({ name, choices, help }) => {
    const usage = choices === undefined ? `--${name}` : `--${name} <${choices.join('|')}>`
    return `  ${usage.padEnd(36)}  ${help}${choices === undefined ? '' : ` (default: ${choices[0]})`}\n`
  })
  return lines.length === 0 ? '' : `Options of this demo:\n${lines.join('')}\n`
}

/**
 * Parses the command line of a demo. Throws a {@link UsageError} that names the wrong word or option.
 *
 * @param own options that only this demo has
 */
export function parseDemoArguments(argv: readonly string[], own: readonly DemoOption[] = []): DemoArguments {
  const values = parse(argv, own)
  return {
    help: values.help === true,
    runFor: values.for === undefined ? undefined : duration('--for', values.for),
    port: values.port === undefined ? undefined : integer('--port', values.port, 65_535),
    users: values.users === undefined ? DEFAULT_USERS : integer('--users', values.users, 100),
    metricsInterval: values.metrics === undefined ? DEFAULT_METRICS_INTERVAL : duration('--metrics', values.metrics),
    viewer: values['no-viewer'] !== true,
    own: ownValues(values, own),
  }
}

function ownValues(values: Readonly<Record<string, unknown>>, own: readonly DemoOption[]): DemoArguments['own'] {
  const chosen: Record<string, string | true> = {}
  for (const { name, choices } of own) {
    const value = values[name]
    if (choices === undefined) {
      if (value === true) chosen[name] = true
      continue
    }
    const choice = value === undefined ? choices[0] : choices.find((one) => one === value)
    if (choice === undefined) throw new UsageError(`--${name} takes ${choices.join(', ')}, not '${value}'`)
    chosen[name] = choice
  }
  return chosen
}

function parse(argv: readonly string[], own: readonly DemoOption[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        for: { type: 'string' },
        users: { type: 'string' },
        port: { type: 'string' },
        metrics: { type: 'string' },
        'no-viewer': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        ...(Object.fromEntries(
          own.map(({ name, choices }) => [name, { type: choices === undefined ? 'boolean' : 'string' }]),
        ) as Record<never, { type: 'string' | 'boolean' }>),
      },
    }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function duration(option: string, text: string): number {
  const milliseconds = parseDuration(text)
  // Node's timers are limited to 2^31 - 1 ms.
  if (milliseconds === undefined || milliseconds < 1 || milliseconds > 2_147_483_647) {
    throw new UsageError(`${option} takes a duration such as 500ms, 8s or 2m (at most 24 days), not '${text}'`)
  }
  return milliseconds
}

function integer(option: string, text: string, max: number): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value > max) {
    throw new UsageError(`${option} takes a whole number from 0 to ${max}, not '${text}'`)
  }
  return value
}
