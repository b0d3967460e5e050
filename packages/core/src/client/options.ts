import { OptionError } from '../options/option-error.ts'
import type { TelemetryOptions } from '../options/types.ts'
import type { RemoteContext } from '../propagation/remote-context.ts'
import type { Protocol } from '../protocols/protocol.ts'
import type { ClientMetrics } from './metrics.ts'
import type { ClientOperations } from './reading.ts'

/** Options of a traced client: names, meaning and defaults are those of the servers. They are not read from variables. */
export interface ClientOptions
  extends Pick<
    TelemetryOptions,
    | 'enabled'
    | 'messages'
    | 'outgoing'
    | 'messageSizeMetric'
    | 'closeReason'
    | 'closeErrors'
    | 'closeCodes'
    | 'propagation'
    | 'carrierName'
    | 'operationNames'
    | 'streamItems'
    | 'followPromises'
    | 'maxChildSpans'
    | 'around'
    | 'isError'
    | 'spanKinds'
    | 'onMessage'
    | 'onClose'
    | 'tracerProvider'
    | 'meterProvider'
  > {
  /**
   * Template of the URL's path, such as `/chat/:room`: a text, or a function of the URL. Default: none, since a path with
   * ids in it would make a series of metrics per id.
   */
  route?: string | ((url: string) => string | undefined)
  /**
   * The name of a message: a function of the payload, such as `jsonName('$.type')`. Default: messages have no name.
   */
  messageName?: (data: unknown, binary: boolean) => string | undefined
  /** Use of a context that the server sends with a message: parent of the span, link, or nothing. Default `parent`. */
  remoteContext?: RemoteContext
  /**
   * How messages are read as operations, such as queries, calls and subscriptions: the name of a protocol that is built
   * in, the result of `jsonOperations()` or `defineProtocol()`, or `false` for none. Default: by the subprotocol,
   * otherwise by the form of the first messages.
   */
  protocol?: string | Protocol | false
  /**
   * Reads operations: `clientOperations`. Default: that in Node, and nothing in a page, which carries them only when it
   * asks for them.
   */
  operations?: ClientOperations
  /**
   * Measures what is traced: `clientMetrics`. Default: that in Node, and nothing in a page, which carries them only when it
   * asks for them.
   */
  metrics?: ClientMetrics
}

/** Default of option `maxChildSpans`. */
export const MAX_CHILD_SPANS = 1000

/** Type of each option's value. */
const KINDS: { readonly [K in keyof Required<ClientOptions>]: string } = {
  enabled: 'boolean',
  messages: 'boolean',
  outgoing: 'boolean',
  route: 'string function',
  messageName: 'function',
  messageSizeMetric: 'boolean',
  closeReason: 'boolean',
  closeErrors: 'object',
  closeCodes: 'object',
  propagation: 'string',
  carrierName: 'string',
  remoteContext: 'string',
  metrics: 'function',
  protocol: 'string object boolean',
  operations: 'function',
  operationNames: 'object function',
  streamItems: 'boolean',
  followPromises: 'string',
  maxChildSpans: 'number',
  around: 'function',
  isError: 'function',
  spanKinds: 'string',
  onMessage: 'function',
  onClose: 'function',
  tracerProvider: 'object',
  meterProvider: 'object',
}

/**
 * Validates options. A page does without: its types say more, and it would carry this code.
 *
 * @throws OptionError that names the option
 */
export function checkClientOptions(options: ClientOptions): void {
  for (const [name, value] of Object.entries(options)) {
    const kinds = (KINDS as Record<string, string | undefined>)[name]
    if (kinds === undefined) throw new OptionError(name, 'does not exist')
    if (value !== undefined && !kinds.includes(typeof value)) throw new OptionError(name, `must be a ${kinds}`)
  }
}
