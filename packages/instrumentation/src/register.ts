import { registerInstrumentations } from '@opentelemetry/instrumentation'
import { WsInstrumentation } from './ws-instrumentation.ts'

registerInstrumentations({ instrumentations: [new WsInstrumentation()] })
