import type { ChildProcess } from 'node:child_process'

/** The commands of one kind of child process, as that process implements them. */
export type Commands<T> = { [K in keyof T]: (...args: never[]) => unknown }

interface Request {
  id: number
  name: string
  args: unknown[]
}

interface Reply {
  id: number
  result?: unknown
  error?: string
}

/** Answers the commands that the parent process sends. Exits when the parent goes away, so no server is left behind. */
export function answerParent<T extends Commands<T>>(commands: T): void {
  const handlers = new Map<string, (...args: unknown[]) => unknown>(Object.entries(commands))
  process.on('disconnect', () => process.exit())
  process.on('message', async ({ id, name, args }: Request) => {
    const reply: Reply = { id }
    try {
      reply.result = await handlers.get(name)?.(...args)
    } catch (error) {
      reply.error = error instanceof Error ? (error.stack ?? error.message) : String(error)
    }
    process.send?.(reply)
  })
}

/** The parent's side of a child process that calls `answerParent`. */
export class Remote<T extends Commands<T>> {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, (reply: Reply) => void>()
  #lastId = 0

  constructor(child: ChildProcess) {
    this.#child = child
    child.on('message', (reply: Reply) => {
      this.#waiting.get(reply.id)?.(reply)
      this.#waiting.delete(reply.id)
    })
    child.once('exit', (code, signal) => {
      for (const [id, settle] of this.#waiting) settle({ id, error: `the process ended (${signal ?? code})` })
      this.#waiting.clear()
    })
  }

  /** Runs a command in the child and resolves with its result. Rejects with its error, or when the child ends. */
  ask<K extends keyof T & string>(name: K, ...args: Parameters<T[K]>): Promise<Awaited<ReturnType<T[K]>>> {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId
      this.#waiting.set(id, ({ result, error }) => {
        if (error === undefined) resolve(result as Awaited<ReturnType<T[K]>>)
        else reject(new Error(`${name}: ${error}`))
      })
      this.#child.send({ id, name, args } satisfies Request, (error) => {
        if (error === null) return
        this.#waiting.delete(id)
        reject(error)
      })
    })
  }

  /** Ends the child and resolves when it is gone. */
  stop(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) return resolve()
      this.#child.once('exit', () => resolve())
      if (this.#child.connected) this.#child.disconnect()
    })
  }
}
