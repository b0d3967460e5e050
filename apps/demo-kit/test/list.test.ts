import { readdirSync } from 'node:fs'
import { useDemo } from '@otel-ws/demo-kit/testing'
import { expect, it } from 'vitest'

const demo = useDemo()

it('--list prints a line for each demo that there is', async () => {
  const run = demo(['--list'])
  expect(await run.exited).toBe(0)
  const names = run.stdout
    .trimEnd()
    .split('\n')
    .map((line) => /^ {2}(\w+) {2,}\S/.exec(line)?.[1])
  const apps = new URL('../..', import.meta.url)
  const withMain = readdirSync(apps).filter((app) => {
    try {
      return readdirSync(new URL(`${app}/src`, apps)).includes('main.ts')
    } catch {
      return false
    }
  })
  expect(names).toHaveLength(withMain.length)
  expect(names).toEqual(['fastify', 'crossws', 'hono', 'graphql', 'socketio', 'nestjs'])
})
