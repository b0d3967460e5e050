import type { Carrier } from '../propagation/carrier.ts'
import { MAX_RECORDS, MessageReader, READ_HEAD_BYTES, READ_TAIL_BYTES } from '../protocols/message-reader.ts'
import type { MessageKind, Protocol, ProtocolRecord, ProtocolState } from '../protocols/protocol.ts'

/** What reading needs of a connection. */
export interface PayloadHost {
  /** Text of the payload's bytes from `start` to `end`. */
  textOf(data: unknown, start: number, end: number): string
  /** The application's protocol threw. */
  protocolFailed(error: unknown): void
}

const KINDS: ReadonlySet<string> = /* @__PURE__ */ new Set<MessageKind>([
  'request',
  'started',
  'response',
  'item',
  'complete',
  'cancel',
  'event',
  'control',
])

const NONE: readonly ProtocolRecord[] = []

/** One for all messages: they are read one after the other. */
const reader = /* @__PURE__ */ new MessageReader()
let isReading = false

/** Reads the messages of one connection as the records of a protocol. */
export class RecordReader {
  readonly #protocol: Protocol
  readonly #host: PayloadHost
  readonly #state: ProtocolState & { isSent: boolean }
  /** The message that was read last authenticates. */
  isSecret = false
  /** The message that was read last has the signature of the protocol. Set if `read` was asked for it. */
  isRecognized = false

  /** @param state what the protocol reads of the connection; `isSent` is set with each message */
  constructor(protocol: Protocol, host: PayloadHost, state: ProtocolState & { isSent: boolean }) {
    this.#protocol = protocol
    this.#host = host
    this.#state = state
  }

  /**
   * Reads a message. Returns none if it is not of the protocol, or if the protocol throws.
   *
   * @param size bytes of the payload
   * @param wantsSignature `isRecognized` is to be set
   */
  read(
    data: unknown,
    binary: boolean,
    size: number,
    isSent: boolean,
    wantsSignature: boolean,
  ): readonly ProtocolRecord[] {
    this.isSecret = false
    // A protocol of an application may send while it reads.
    if ((binary && this.#protocol.binary !== true) || isReading) return NONE
    isReading = true
    this.#state.isSent = isSent
    try {
      return this.#records(data, size, wantsSignature)
    } catch (error) {
      this.#host.protocolFailed(error)
      return NONE
    } finally {
      isReading = false
    }
  }

  /** The context in the place that the specification of the protocol leaves for it, in the message that was read last. */
  carrier(): Carrier | undefined {
    const { slot } = this.#protocol
    if (slot === undefined || isReading) return undefined
    const traceparent = reader.text(`${slot}.traceparent`)
    return traceparent === undefined ? undefined : { traceparent, tracestate: reader.text(`${slot}.tracestate`) }
  }

  #records(data: unknown, size: number, wantsSignature: boolean): readonly ProtocolRecord[] {
    const protocol = this.#protocol
    const host = this.#host
    const isWhole = size <= READ_HEAD_BYTES
    const head = host.textOf(data, 0, isWhole ? size : READ_HEAD_BYTES)
    reader.load(head, isWhole ? '' : host.textOf(data, size - READ_TAIL_BYTES, size), isWhole)
    if (wantsSignature) this.isRecognized = (protocol.confirms ?? protocol.recognize)?.(reader) === true
    if (protocol.separator !== undefined) return this.#separated(head, protocol.separator)
    if (protocol.batches === true && reader.isBatch) return this.#batched()
    const record = this.#record()
    // A list that is pushed to would have room for 17.
    return record === undefined ? NONE : [record]
  }

  #separated(head: string, separator: string): ProtocolRecord[] {
    const records: ProtocolRecord[] = []
    let at = 0
    while (records.length < MAX_RECORDS && reader.enterRecord(at)) {
      const record = this.#record()
      if (record !== undefined) records.push(record)
      at = head.indexOf(separator, at) + 1
      if (at === 0) break
    }
    return records
  }

  #batched(): ProtocolRecord[] {
    const records: ProtocolRecord[] = []
    for (let index = 0; index < MAX_RECORDS && reader.enterElement(index); index++) {
      const record = this.#record()
      if (record !== undefined) records.push(record)
    }
    return records
  }

  #record(): ProtocolRecord | undefined {
    const { name } = this.#protocol
    const record = this.#protocol.read(reader, this.#state)
    if (record === undefined) return undefined
    if (!KINDS.has(record.kind)) throw new TypeError(`protocol ${name} has read no record`)
    if (!isText(record.id) || !isText(record.name) || !isText(record.type) || !isText(record.error)) {
      throw new TypeError(`protocol ${name} has read a value that is no text`)
    }
    if (record.secret) this.isSecret = true
    return record
  }
}

function isText(value: unknown): boolean {
  return value === undefined || typeof value === 'string'
}
