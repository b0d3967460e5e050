/** Name and version of this package: the instrumentation scope of its spans and metrics. */
export const SCOPE = { name: '@otel-ws/client', version: '0.1.0' }
