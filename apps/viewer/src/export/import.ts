import { HttpError } from '../http/error.ts'
import type { Intake } from '../otlp/intake.ts'
import { parseJson } from '../otlp/parse.ts'
import type { Signal } from '../otlp/signals.ts'

const members: Readonly<Record<string, Signal>> = {
  resourceSpans: 'traces',
  resourceMetrics: 'metrics',
  resourceLogs: 'logs',
}

export interface Imported {
  /** Requests that were taken. */
  readonly requests: number
  /** Records in them that were left out as invalid. */
  readonly rejected: number
}

/**
 * Takes a file of OTLP/JSON: one object with `resourceSpans`, `resourceMetrics` or `resourceLogs` or several of them, or
 * one such object a line, as the Collector's file exporter writes. Throws an `HttpError` (400, 413) when it is none.
 */
export function importFile(intake: Intake, body: Buffer): Imported {
  let requests = 0
  let rejected = 0
  for (const object of objectsOf(body)) {
    for (const [member, signal] of Object.entries(members)) {
      if (!(member in object)) continue
      const request = { [member]: (object as Record<string, unknown>)[member] }
      const bytes = Buffer.from(JSON.stringify(request))
      rejected += intake.take(signal, 'json', bytes).rejected
      requests++
    }
  }
  if (requests === 0) throw new HttpError(400, `the file has none of ${Object.keys(members).join(', ')}`)
  return { requests, rejected }
}

function objectsOf(body: Buffer): object[] {
  try {
    return [parseJson(body)]
  } catch {
    // Not one object: one a line, then.
  }
  const lines = body.toString('utf8').split('\n')
  return lines.flatMap((line, index) => {
    if (line.trim() === '') return []
    try {
      return [parseJson(Buffer.from(line))]
    } catch {
      throw new HttpError(400, `line ${index + 1} of the file is no OTLP/JSON`)
    }
  })
}
