/** Name and version of this package; the instrumentations in it have the version. */
export const SCOPE = { name: '@otel-ws/instrumentation', version: '0.1.0' }
