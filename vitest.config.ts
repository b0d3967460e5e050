import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const nest11 = fileURLToPath(new URL('packages/nestjs/test/nest-11/node_modules/@nestjs', import.meta.url))

export default defineConfig({
  test: {
    execArgv: ['--expose-gc'],
    // Files wait for sockets much of the time: three at once keep two cores busy.
    maxWorkers: Math.max(3, availableParallelism() - 1),
    // Far beyond what a test takes: a loaded machine is no failure.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    slowTestThreshold: 10_000,
    // With --coverage; `pnpm coverage` prints it.
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**/*.ts', 'apps/viewer/src/**/*.ts'],
      exclude: ['packages/{services,testkit}/**'],
      reporter: ['json'],
    },
    projects: [
      {
        extends: true,
        test: { name: 'all', include: ['{packages,apps}/*/test/**/*.test.ts', '{bench,scripts}/test/**/*.test.ts'] },
      },
      {
        // What was installed as Nest 12 for the project above is Nest 11 here.
        extends: true,
        resolve: { alias: [{ find: '@nestjs', replacement: nest11 }] },
        test: {
          name: 'nest 11',
          include: ['packages/nestjs/test/*.test.ts'],
          // What is kept, our code keeps, whatever the version of Nest.
          exclude: ['**/leaks.test.ts'],
          env: { NEST: '11' },
        },
      },
    ],
  },
})
