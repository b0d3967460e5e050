/** A server that tests and demos talk to. */
export interface Service {
  readonly url: string
  /** Stops it, if it was started here. */
  stop(): Promise<void>
}
