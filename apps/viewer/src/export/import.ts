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
  requests: number
  /** Records in them that were left out as invalid. */
  rejected: number
}

/**
 * Takes a file of OTLP/JSON: one object with `resourceSpans`, `resourceMetrics` or `resourceLogs` or several of them, or
 * one such object a line, as the Collector's file exporter writes. `mostBytes` bounds one object. Throws an `HttpError`
 * (400, 413) when it is none; what came before the line that is none has been taken then.
 */
export async function importFile(intake: Intake, chunks: AsyncIterable<Buffer>, mostBytes: number): Promise<Imported> {
  const imported: Imported = { requests: 0, rejected: 0 }
  /** What was read of an object that is written over several lines. */
  let open = ''
  for await (const line of linesOf(chunks, mostBytes)) {
    if (open === '' && line.trim() === '') continue
    open += line
    if (open.length > mostBytes) throw tooLarge(mostBytes)
    // An object is on one line, or its last line is a brace that is not indented.
    if (!line.trimEnd().endsWith('}') || !(line.startsWith('}') || line.trimStart().startsWith('{'))) continue
    const object = objectOf(open)
    if (object === undefined) continue
    takeObject(intake, object, imported)
    open = ''
  }
  if (open !== '') throw new HttpError(400, `the file is no OTLP/JSON: ${open.slice(0, 40).trim()}…`)
  if (imported.requests === 0) throw new HttpError(400, `the file has none of ${Object.keys(members).join(', ')}`)
  return imported
}

function objectOf(text: string): object | undefined {
  try {
    return parseJson(Buffer.from(text))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw new HttpError(413, error instanceof Error ? error.message : String(error))
  }
}

function takeObject(intake: Intake, object: object, imported: Imported): void {
  for (const [member, signal] of Object.entries(members)) {
    if (!Object.hasOwn(object, member)) continue
    const request = { [member]: (object as Record<string, unknown>)[member] }
    imported.rejected += intake.take(signal, 'json', Buffer.from(JSON.stringify(request))).rejected
    imported.requests++
  }
}

async function* linesOf(chunks: AsyncIterable<Buffer>, mostBytes: number): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > mostBytes) throw tooLarge(mostBytes)
    for (const line of lines) yield `${line}\n`
  }
  if (rest !== '') yield rest
}

function tooLarge(mostBytes: number): HttpError {
  return new HttpError(413, `one object of the file is larger than ${mostBytes} bytes`)
}
