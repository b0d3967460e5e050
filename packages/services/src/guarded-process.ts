import { type ChildProcess, spawn } from 'node:child_process'

/**
 * The shell outlives this process for a moment, however it ends: when its standard input closes it stops the server, and
 * once the server is gone it removes its directory. `$1` is the directory, `$2` the signal that stops the server.
 */
const GUARD = `
directory=$1 signal=$2
shift 2
exec 3<&0
"$@" </dev/null 2>&1 &
server=$!
echo "pid $server"
(cat <&3 >/dev/null; kill -s "$signal" "$server") 2>/dev/null &
wait "$server"
status=$?
rm -rf "$directory"
exit "$status"
`

/** Milliseconds that a server may take to be ready, or to stop, on a busy machine. */
const PATIENCE = 60_000

/** What a server is started with. */
export interface GuardedCommand {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  readonly uid?: number | undefined
  readonly gid?: number | undefined
  /** Directory of the server's own, removed when it has ended. */
  readonly directory: string
  readonly stopSignal: 'TERM' | 'INT'
  /** What the server prints when it takes connections. */
  readonly ready: RegExp
}

/**
 * A server that ends with this process, even when this process is killed. It has a session of its own: Ctrl-C is for
 * whoever uses it, who then stops it.
 */
export class GuardedProcess {
  readonly #guard: ChildProcess
  readonly #ended: Promise<unknown>
  #pid = 0

  private constructor(guard: ChildProcess) {
    this.#guard = guard
    this.#ended = new Promise((resolve) => {
      guard.once('exit', resolve)
      guard.once('error', resolve)
    })
  }

  /** Starts a server; rejects with the end of its output when it does not come up. */
  static async start(command: GuardedCommand): Promise<GuardedProcess> {
    const args = ['-c', GUARD, 'guard', command.directory, command.stopSignal, command.command, ...command.args]
    const { uid, gid } = command
    const guard = spawn('/bin/sh', args, {
      env: { ...process.env, ...command.env },
      stdio: ['pipe', 'pipe', 'ignore'],
      detached: true,
      ...(uid !== undefined && { uid }),
      ...(gid !== undefined && { gid }),
    })
    const server = new GuardedProcess(guard)
    try {
      await server.#whenReady(command.ready)
    } catch (error) {
      guard.stdin?.end()
      throw error
    }
    // What runs in the background must not keep a process alive that has nothing else to do.
    guard.unref()
    for (const stream of guard.stdio) (stream as { unref?: () => void } | null)?.unref?.()
    return server
  }

  /** Stops the server in good order. */
  async stop(): Promise<void> {
    this.#guard.stdin?.end()
    await this.#gone()
  }

  /** Ends the server as a crash would. */
  async kill(): Promise<void> {
    process.kill(this.#pid, 'SIGKILL')
    await this.#gone()
  }

  async #gone(): Promise<void> {
    this.#guard.ref()
    const timer = setTimeout(() => process.kill(this.#pid, 'SIGKILL'), PATIENCE)
    await this.#ended
    clearTimeout(timer)
  }

  #whenReady(ready: RegExp): Promise<void> {
    const { stdout } = this.#guard
    let output = ''
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => reject(new Error(`${why}: ${output.trim().slice(-500)}`))
      const timer = setTimeout(fail, PATIENCE, 'the server is not ready')
      this.#guard.once('error', (error) => fail(error.message))
      this.#guard.once('exit', () => fail('the server ended'))
      const look = (chunk: string): void => {
        output += chunk
        this.#pid ||= Number(/^pid (\d+)$/m.exec(output)?.[1] ?? 0)
        if (!ready.test(output)) return
        clearTimeout(timer)
        // What it prints later is read and forgotten, so that it never waits for a reader.
        stdout?.off('data', look).resume()
        resolve()
      }
      stdout?.setEncoding('utf8').on('data', look)
    })
  }
}
