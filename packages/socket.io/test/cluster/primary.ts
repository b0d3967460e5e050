import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { setupPrimary } from '@socket.io/cluster-adapter'

/** Starts workers and passes orders and answers between them and the process that started this one. */
const COUNT = 3

setupPrimary()
cluster.setupPrimary({ exec: fileURLToPath(new URL('worker.ts', import.meta.url)) })
const workers: Worker[] = Array.from({ length: COUNT }, () => cluster.fork())

// An order that is sent before the worker listens is lost, so the worker reports that it listens.
const listening = workers.map((worker) => once(worker, 'message'))

cluster.on('message', (_worker, message: { answer?: unknown }) => {
  if (message.answer !== undefined) process.send?.(message)
})
process.on('message', async ({ to, ...order }: { to: number }) => {
  await listening[to]
  workers[to]?.send(order)
})
// Workers end with their primary.
process.on('disconnect', () => process.exit())
