import { Writable } from 'node:stream'
import type { Colors } from './colors.ts'
import { clock, printable, shortId } from './text.ts'

const LEVELS: Readonly<Record<number, string>> = {
  10: 'TRACE',
  20: 'DEBUG',
  30: 'INFO',
  40: 'WARN',
  50: 'ERROR',
  60: 'FATAL',
}

/**
 * Stream for a logger that writes JSON lines, as pino does: each is printed below the columns of the trees, so that a
 * log line and its trace are found together by the trace id that the line carries. `emit` gets each line that is JSON.
 */
export function logStream(
  print: (line: string) => void,
  colors: Colors,
  emit?: (record: Readonly<Record<string, unknown>>) => void,
): Writable {
  return new Writable({
    decodeStrings: false,
    write(chunk: string | Buffer, _encoding, done) {
      for (const line of String(chunk).split('\n')) {
        if (line === '') continue
        const record = parsed(line)
        if (record !== undefined) emit?.(record)
        print(record === undefined ? printable(line) : formatLogLine(record, colors))
      }
      done()
    },
  })
}

function parsed(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

function formatLogLine(record: Readonly<Record<string, unknown>>, colors: Colors): string {
  const level = LEVELS[Number(record.level)] ?? 'LOG'
  const time = typeof record.time === 'number' ? record.time : Date.now()
  const trace = typeof record.trace_id === 'string' ? shortId(record.trace_id) : '      '
  const paint = level === 'ERROR' || level === 'FATAL' ? colors.red : level === 'WARN' ? colors.yellow : colors.dim
  const error = record.err as { type?: unknown } | undefined
  const message = printable([error?.type, record.msg].filter((part) => part !== undefined).join(': '))
  return `${colors.dim(clock(time))}  ${colors.cyan(trace)}  ${paint(`log ${level}`.padEnd(9))} ${message}`
}
