const { registerInstrumentations } = require('@opentelemetry/instrumentation')
const { UndiciInstrumentation } = require('@opentelemetry/instrumentation-undici')

registerInstrumentations({
  instrumentations: [new UndiciInstrumentation({ ignoreRequestHook: ({ upgrade }) => upgrade === 'websocket' })],
})
