import { logWarning } from '../api/log.ts'

/** Reports to OpenTelemetry's `diag` logger, each subject once: a fault in every message must not log a line per message. */
export class Diagnostics {
  readonly #warned = new Set<string>()

  /** A hook of the application threw. */
  hookFailed(name: string, error: unknown): void {
    hookFailed(this.#warned, name, error)
  }

  /** A peer sent a carrier that is not valid. */
  carrierRejected(problem: string): void {
    carrierRejected(this.#warned, problem)
  }

  /**
   * A request has an offer of context in messages that was made for another connection.
   *
   * @param authority the one that the client dialled, for an offer in the query
   */
  offerCopied(by: 'header' | 'query', authority: string | undefined, host: string | undefined): void {
    if (this.#warned.has(`offer ${by}`)) return
    this.#warned.add(`offer ${by}`)
    logWarning(
      by === 'header'
        ? 'a request has the offer of context in messages of another connection, which an intermediary has copied: context is not exchanged with its peer (reported once)'
        : `a client that dialled ${JSON.stringify(authority)} offers context in messages to ${JSON.stringify(host?.slice(0, 261))}: context is not exchanged with it. If a proxy in front of this server rewrites the header Host, name what clients dial in option authorities (reported once)`,
    )
  }

  /** The SDK has not sampled a message whose handshake was sampled, with `messageSampling: 'connection'`. */
  samplingNotInherited(): void {
    warnOnce(
      this.#warned,
      "messageSampling: 'connection' has no effect on sampled connections: the sampler of the SDK decides for each message. Wrap it: new TracerProvider({ sampler: connectionSampler(yourSampler) }) (reported once)",
    )
  }

  /** A handler that is no `async` function returned a promise, which is not followed. */
  promiseNotFollowed(handler: unknown): void {
    promiseNotFollowed(this.#warned, handler)
  }

  /** The SDK could not export at shutdown. */
  flushFailed(error: unknown): void {
    flushFailed(error)
  }
}

/** Warns of a hook that threw, unless `warned` has it already. */
export function hookFailed(warned: Set<string>, name: string, error: unknown): void {
  warnOnce(warned, `option ${name}: the hook threw (reported once)`, error)
}

/** Warns of a carrier that is not valid, unless `warned` has its problem already. */
export function carrierRejected(warned: Set<string>, problem: string): void {
  warnOnce(warned, `a peer sent context that is ${problem}: it is not used (reported once)`)
}

/** Warns of a handler whose promise is not followed, unless `warned` has its name already. */
export function promiseNotFollowed(warned: Set<string>, handler: unknown): void {
  const { name } = handler as { readonly name?: unknown }
  const handled =
    typeof name === 'string' && name !== '' ? `handler '${name.slice(0, 64)}'` : 'a handler without a name'
  warnOnce(
    warned,
    `${handled} returns a promise and is no async function, so its span and duration end when it returns: write it as an async function, or set option followPromises to 'all' (reported once)`,
  )
}

/** Warns that the SDK could not export at shutdown. */
export function flushFailed(error: unknown): void {
  logWarning('the SDK could not flush', error)
}

function warnOnce(warned: Set<string>, text: string, ...error: unknown[]): void {
  if (warned.has(text)) return
  warned.add(text)
  logWarning(text, ...error)
}

/** Warns of a set-up that has no effect. */
export function warn(message: string): void {
  logWarning(message)
}
