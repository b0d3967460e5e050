export interface SlowOperation {
  /** Name of its spans. */
  readonly name: string
  readonly service: string
  readonly ofClient: boolean
  /** Milliseconds. */
  readonly p95: number
  readonly count: number
}

export interface FailingOperation {
  readonly name: string
  readonly service: string
  readonly ofClient: boolean
  /** How often it failed, of how many runs. */
  readonly failed: number
  readonly count: number
  /** The most frequent errors first; not all of them. */
  readonly errors: Counted['what']
}

export interface Counted {
  readonly all: number
  /** The most frequent first; not all of them. */
  readonly what: readonly { readonly what: string; readonly count: number }[]
}

/** A connection to which much waits to be sent. */
export interface SlowConsumer {
  readonly id: string
  readonly route: string
  readonly user: string
  readonly peer: string
  /** Bytes. */
  readonly buffered: number
}

/** A route of which metrics say that it has slow consumers, without saying which connections they are. */
export interface SlowRoute {
  readonly service: string
  readonly route: string
  readonly connections: number
  /** Bytes over all connections of the route; null where it is not known. */
  readonly buffered: number | null
}

/** What a newcomer should look at first; of each the worst first, and nothing where there is nothing to see. */
export interface Highlights {
  readonly slowest: readonly SlowOperation[]
  readonly failing: readonly FailingOperation[]
  readonly rejected: Counted
  readonly dropped: Counted
  readonly undelivered: Counted
  /** Whether these were counted by metrics, which name no connection, since they count more than the spans. */
  readonly undeliveredByMetrics: boolean
  readonly slowConsumers: readonly SlowConsumer[]
  readonly slowConsumerCount: number
  readonly slowRoutes: readonly SlowRoute[]
  /** How much there was to judge by: a card that has seen nothing says nothing. */
  readonly judged: {
    readonly operations: number
    readonly handshakes: number
    readonly closes: number
    readonly sends: number
    /** Connections of which it is known how much waits to be sent, and routes. */
    readonly consumers: number
  }
}
