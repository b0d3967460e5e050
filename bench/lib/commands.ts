import type { Protocol } from './cases.ts'

/** A server's counters at one moment. */
export interface Mark {
  /** CPU time that the process has used, user and system, in µs. */
  cpu: number
  /** Spans that reached the exporter. */
  exported: number
}

/** Bytes that were allocated on the heap, as long as nothing was collected. */
export interface Allocated {
  /** Bytes in use. Between two readings without a collection they grow by what was allocated. */
  bytes: number
  /** Collections so far. */
  collections: number
}

/** Properties that two spans must have in common to count as the same. */
export interface SpanShape {
  name: string
  kind: number
  attributes: string[]
  links: string[][]
  hasParent: boolean
}

/** Commands to a server under test. */
export interface ServerCommands {
  /** The port that it listens on. */
  port(): Promise<number>
  /** Flushes the span processor, then reads the counters. */
  mark(): Promise<Mark>
  /** Flushes, collects garbage and returns `heapUsed` in bytes. */
  heap(): Promise<number>
  /** Reads what has been allocated. Flushes and collects nothing. */
  allocated(): Promise<Allocated>
  /** Keeps the spans that are exported from now on. */
  keepSpans(): Promise<void>
  /** The kept spans of the names that start with `process` or `send`. */
  keptSpans(): Promise<SpanShape[]>
  startCpuProfile(): Promise<void>
  /** Stops profiling and writes the `.cpuprofile` to this file. */
  stopCpuProfile(file: string): Promise<void>
  /** Follows allocations from now on: those still reachable at the end, by samples; or every single one. */
  startHeapProfile(which: 'reachable' | 'all'): Promise<void>
  /** Writes the `.heapprofile` of these allocations to this file. */
  stopHeapProfile(file: string): Promise<void>
  /** The number of objects that each place has made so far, by file and text; for a server that was built to count them. */
  madeObjects(): Promise<Record<string, number>>
}

/** Commands to the load generator. A server is named by its port. */
export interface LoadCommands {
  /** Opens this many connections more. */
  connect(options: { port: number; protocol: Protocol; count: number }): Promise<void>
  /** Sends this many messages over the open connections and resolves when every echo is back, byte for byte. */
  echo(options: { port: number; messages: number; window: number }): Promise<void>
  /** Sends this many messages, one after the other, each when the one before has come to all open connections. */
  broadcast(options: { port: number; messages: number }): Promise<void>
  /** Closes all connections to one server. */
  disconnect(options: { port: number }): Promise<void>
}
