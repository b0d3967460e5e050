import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Collects garbage until the heap no longer shrinks, and returns its size. */
export async function heapUsed(): Promise<number> {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < 20; round++) {
    gc()
    await new Promise((resolve) => setImmediate(resolve))
    const { heapUsed } = process.memoryUsage()
    if (heapUsed >= least) return least
    least = heapUsed
  }
  return least
}

/** Collects garbage until none of these is left, or it is clear that some stay; returns how many do. */
export async function left(refs: readonly WeakRef<object>[]): Promise<number> {
  const count = (): number => refs.filter((ref) => ref.deref() !== undefined).length
  for (let round = 0; round < 50 && count() > 0; round++) {
    await new Promise((resolve) => setImmediate(resolve))
    await heapUsed()
  }
  return count()
}
