const FastifyOtelInstrumentation = require('@fastify/otel')
const { registerInstrumentations } = require('@opentelemetry/instrumentation')

const { FastifyOtelInstrumentation: Instrumentation = FastifyOtelInstrumentation } = FastifyOtelInstrumentation
registerInstrumentations({ instrumentations: [new Instrumentation({ registerOnInitialization: true })] })
