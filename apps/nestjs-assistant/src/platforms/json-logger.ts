import type { Writable } from 'node:stream'
import type { LoggerService } from '@nestjs/common'

/** Pino's numbers for levels. */
const WARN = 40
const ERROR = 50

/** Nest's logger as JSON lines, warnings and worse. */
export class JsonLogger implements LoggerService {
  readonly #stream: Writable

  constructor(stream: Writable) {
    this.#stream = stream
  }

  log(): void {}

  warn(message: unknown): void {
    this.#write(WARN, message)
  }

  error(message: unknown): void {
    this.#write(ERROR, message)
  }

  #write(level: number, message: unknown): void {
    const text = message instanceof Error ? `${message.name}: ${message.message}` : String(message)
    this.#stream.write(`${JSON.stringify({ level, time: Date.now(), msg: text })}\n`)
  }
}
