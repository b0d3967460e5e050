/** Token of the options that `WsTraceInterceptor` is made with by dependency injection; `WsTraceModule` provides it. */
export const WS_TRACE_OPTIONS = Symbol.for('otel-ws.nestjs.options')
