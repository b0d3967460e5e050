import { type DiagLogger, diag } from '@opentelemetry/api'

const logger: DiagLogger = diag.createComponentLogger({ namespace: 'otel-ws' })

/** Logs a warning through OpenTelemetry's `diag`. Never throws, whatever the registered logger does. */
export function logWarning(text: string, ...details: unknown[]): void {
  try {
    logger.warn(text, ...details)
  } catch {
    // There is no other place to report to.
  }
}

const reported = new Set<string>()

/** Reports that a part of the SDK threw, once for each method: a fault in every message must not log a line per message. */
export function reportThrown(method: string, error: unknown): void {
  if (reported.has(method)) return
  reported.add(method)
  logWarning(`${method} of the OpenTelemetry SDK failed; the application continues without it (reported once)`, error)
}
