import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { connect } from '@otel-ws/testkit'
import { expect, it } from 'vitest'
import { isNest11 } from './app.ts'

// The application runs on the Nest that is installed here.
it.skipIf(isNest11)('ends what is open when a signal ends the application', async () => {
  const folder = fileURLToPath(new URL('..', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', 'test/signalled.ts'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  try {
    const exited = once(child, 'exit')
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
    const line = async () => (await lines.next()).value as string
    const client = await connect(await line())
    client.send('{"event":"never"}')
    expect(await line()).toBe('waiting')
    child.kill('SIGTERM')
    expect(await line()).toBe('ended ["GET /","close /","process never"], open []')
    expect(await exited).toEqual([null, 'SIGTERM'])
    expect((await client.closed).code).toBe(1006)
  } finally {
    child.kill('SIGKILL')
  }
})
