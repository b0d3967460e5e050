import { DiagLogLevel, diag } from '@opentelemetry/api'
import { printable } from './text.ts'

/** Prints what OpenTelemetry and its exporters complain about, each complaint once. */
export function reportDiagnostics(print: (line: string) => void): void {
  const seen = new Set<string>()
  const report = (...parts: unknown[]) => {
    const message = printable(parts.map(messageOf).join(' '))
    if (seen.has(message)) return
    seen.add(message)
    print(`OpenTelemetry: ${message}`)
  }
  const silent = () => {}
  diag.setLogger(
    { error: report, warn: report, info: silent, debug: silent, verbose: silent },
    { logLevel: DiagLogLevel.WARN },
  )
}

/** The SDK reports errors as JSON texts with a message and a long stack. */
function messageOf(part: unknown): string {
  try {
    const { message } = JSON.parse(String(part)) as { message?: unknown }
    return String(message ?? part)
  } catch {
    return String(part)
  }
}
