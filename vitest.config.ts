import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{packages,apps}/*/test/**/*.test.ts', 'scripts/test/**/*.test.ts'],
    execArgv: ['--expose-gc'],
    // Files wait for sockets most of the time: on two cores two at once halve the time.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // Far beyond what a test takes: a loaded machine is no failure.
    testTimeout: 60_000,
    slowTestThreshold: 10_000,
  },
})
