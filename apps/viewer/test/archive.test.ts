import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startViewer, type Viewer } from '../src/index.ts'
import { call, logsRequest, post, read, traceRequest } from './support/client.ts'

let folder: string
let file: string
const open: Viewer[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'viewer-'))
  file = join(folder, 'telemetry.db')
})
afterEach(async () => {
  for (const viewer of open.splice(0)) await viewer.close()
  await rm(folder, { recursive: true })
})

async function start(more = {}): Promise<Viewer> {
  const viewer = await startViewer({ port: 0, storeFile: file, ...more })
  open.push(viewer)
  return viewer
}

async function stop(viewer: Viewer): Promise<void> {
  open.splice(open.indexOf(viewer), 1)
  await viewer.close()
}

test('what was received is there again after a restart, as JSON, as protobuf and compressed', async () => {
  const first = await start()
  await post(first, 'traces', traceRequest({ name: 'plain' }))
  await post(first, 'traces', gzipSync(JSON.stringify(traceRequest({ name: 'compressed' }))), {
    'content-encoding': 'gzip',
  })
  await post(first, 'logs', logsRequest())
  await post(first, 'traces', 'nonsense')
  await stop(first)
  const second = await start()
  expect(await read(second, 'traces')).toMatchObject({ total: 2 })
  expect(await read(second, 'logs')).toMatchObject({ rows: [{ body: 'token expired' }] })
  // What was refused was not kept.
  expect(await read(second, 'status')).toMatchObject({ refused: 0, storeFile: file })
})

test('only the user can read the file, also where it was there before', async () => {
  await writeFile(file, '', { mode: 0o644 })
  const viewer = await start()
  await post(viewer, 'traces', traceRequest())
  for (const name of [file, `${file}-wal`]) expect((await stat(name)).mode & 0o777).toBe(0o600)
})

test('the file is bounded, and the oldest requests go first', async () => {
  const first = await start({ maxStoreBytes: 20_000 })
  for (let index = 0; index < 100; index++) await post(first, 'traces', traceRequest({ name: `request ${index}` }))
  await stop(first)
  const second = await start({ maxStoreBytes: 20_000 })
  const { total, rows } = await read<{ total: number; rows: { name: string }[] }>(second, 'traces')
  expect(total).toBeGreaterThan(20)
  expect(total).toBeLessThan(80)
  expect(rows.map(({ name }) => name)).toContain('request 99')
  expect((await stat(file)).size).toBeLessThan(200_000)
})

test('clearing forgets what is in the file', async () => {
  const first = await start()
  await post(first, 'traces', traceRequest())
  expect(await call(first, '/api/clear', { method: 'POST' })).toMatchObject({ status: 204 })
  await stop(first)
  expect(await read(await start(), 'traces')).toMatchObject({ total: 0 })
})

test('a second viewer on the file, and a file that is something else, are refused with a reason', async () => {
  await start()
  await expect(startViewer({ port: 0, storeFile: file })).rejects.toThrow(`${file} is in use by another viewer`)
  const other = join(folder, 'other')
  await writeFile(other, 'this is no database, and longer than the head of one would be'.repeat(10))
  await expect(startViewer({ port: 0, storeFile: other })).rejects.toThrow(`${other} cannot be used`)
})

test('a viewer that is killed has kept everything that it had answered', async () => {
  const child = fork(fileURLToPath(new URL('./support/killed-viewer.ts', import.meta.url)), [file], {
    execArgv: ['--import', 'tsx'],
  })
  const [url] = (await once(child, 'message')) as [string]
  for (let index = 0; index < 20; index++) {
    const body = JSON.stringify(traceRequest())
    await fetch(`${url}/v1/traces`, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
  }
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
  expect(await read(await start(), 'traces')).toMatchObject({ total: 20 })
})
