const { NodeSDK } = require('@opentelemetry/sdk-node')
const { WebSocketInstrumentation } = require('@otel-ws/instrumentation')

const TYPES = ['sync', 'awareness']

const sdk = new NodeSDK({
  instrumentations: [
    new WebSocketInstrumentation({
      route: '/:document',
      messageName: (data) => TYPES[new Uint8Array(data)[0]],
    }),
  ],
})
sdk.start()
process.once('SIGTERM', () => sdk.shutdown().then(() => process.exit()))
