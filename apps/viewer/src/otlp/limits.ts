/** What is kept of one span or data point. Everything beyond is cut or counted as dropped, never an error. */
export const limits = {
  /** Messages and lists of one request; beyond it the answer is 413. A span takes about 40 of them. */
  requestValues: 1_000_000,
  /** Bytes of a body that was refused that are still read, so that its sender sees the answer. */
  discardedBytes: 32 * 1024 * 1024,
  /** Characters of all attributes of one span, with its events and links. */
  recordLength: 131_072,
  /** Characters of all attributes of one resource or data point. */
  identityLength: 8192,
  /** Characters of a name: span, event, metric, attribute key. */
  nameLength: 256,
  /** Characters of an attribute value or status message. */
  valueLength: 4096,
  /** Characters of the body of a log record. */
  bodyLength: 16_384,
  attributes: 128,
  /** Exemplars of one data point. */
  exemplars: 16,
  events: 64,
  links: 128,
  /** Elements of an array or map value, and how deep they may nest. */
  elements: 64,
  depth: 4,
  /** Buckets of a histogram. */
  buckets: 256,
}

export function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text
}
