/** The context of a connection that `connectionOf()` of an adapter returns, as far as the suites use it. */
export interface Connection {
  readonly id: string
  readonly route: string | undefined
  readonly subprotocol: string | undefined
  setAttribute(name: string, value: string | number | boolean): void
  setAttributes(attributes: Record<string, string | number | boolean>): void
  run<T>(fn: () => T): T
  traceContext(): Record<string, string>
  waitUntil(promise: unknown): void
  stream(): { item(count?: number): void; end(error?: unknown): void; cancel(): void }
}
