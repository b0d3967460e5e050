/** Name and version of this package. Its instrumentations have the same version. */
export const SCOPE = { name: '@otel-ws/instrumentation', version: '0.1.0' }
