import { context, trace } from '@opentelemetry/api'
import { startNodeTelemetry } from '@otel-ws/demo-kit'
import { createNodeAdapter } from './adapters.ts'
import { type NodeConfig, type NodeReport, STOP } from './node-messages.ts'

/** One node of the chat, in a process of its own that `nodes.ts` has started. */
const config = JSON.parse(process.env.CHAT_NODE ?? '') as NodeConfig
const { node, adapter, port, metricsInterval, endpoints } = config

// Ctrl-C reaches every process of a terminal; the nodes stop by a message of the demo.
process.on('SIGINT', () => {})

const telemetry = startNodeTelemetry({ serviceName: 'socketio-chat', node, metricsInterval, endpoints })
// Imported after the SDK was started.
const { startChatServer } = await import('./server.ts')

function report(message: NodeReport): void {
  if (process.connected) process.send?.(message)
}

/** Writes a line into the demo's log, which leads to the trace of the code that is running. */
function warn(msg: string): void {
  const span = trace.getSpanContext(context.active())
  report({ node, warning: { msg: `${node}: ${msg}`, trace_id: span?.traceId, span_id: span?.spanId } })
}

const connected = createNodeAdapter(adapter, warn)
try {
  const server = await startChatServer({
    node,
    adapter: connected.adapter,
    port,
    page: { endpoint: endpoints[0] },
    warn,
  })
  // The cluster adapter's messages come the same way.
  process.on('message', async (message) => {
    if (message !== STOP) return
    await server.close()
    await connected.close()
    await telemetry.shutdown()
    process.disconnect()
  })
  report({ node, url: server.url })
} catch (error) {
  report({ node, failure: error instanceof Error ? error.message : String(error) })
}
