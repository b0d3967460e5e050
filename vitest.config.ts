import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{packages,apps}/*/test/**/*.test.ts', 'scripts/test/**/*.test.ts'],
    execArgv: ['--expose-gc'],
    testTimeout: 15_000,
  },
})
