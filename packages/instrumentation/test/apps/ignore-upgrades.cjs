const { registerInstrumentations } = require('@opentelemetry/instrumentation')
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http')
const { UndiciInstrumentation } = require('@opentelemetry/instrumentation-undici')

registerInstrumentations({
  instrumentations: [
    new HttpInstrumentation({ ignoreOutgoingRequestHook: ({ headers }) => headers?.Upgrade === 'websocket' }),
    new UndiciInstrumentation({ ignoreRequestHook: ({ upgrade }) => upgrade === 'websocket' }),
  ],
})
