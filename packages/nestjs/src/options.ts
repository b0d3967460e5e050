/** Injection token of the options of `WsTraceInterceptor`, provided by `WsTraceModule`. */
export const WS_TRACE_OPTIONS = Symbol.for('otel-ws.nestjs.options')
