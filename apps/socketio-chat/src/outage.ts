import { setTimeout as delay } from 'node:timers/promises'
import type { DemoSettings } from '@otel-ws/demo-kit'
import type { RedisService } from '@otel-ws/services'
import { log } from './nodes.ts'

/** Milliseconds of the outage. */
const DURATION = 1_500
/** Milliseconds until the outage, for a demo without `--for`. */
const DEFAULT_START = 3_000

/** Kills Redis during the demo, like a crash, and restarts it. Stops when the signal is aborted. */
export async function breakRedis(redis: RedisService, settings: DemoSettings, stop: AbortSignal): Promise<void> {
  const pause = (milliseconds: number): Promise<unknown> =>
    delay(milliseconds, undefined, { signal: stop }).catch(() => {})
  await pause(settings.runFor === undefined ? DEFAULT_START : settings.runFor / 3)
  if (stop.aborted) return
  log(settings, { msg: 'Redis is killed' })
  await redis.kill()
  await pause(DURATION)
  await redis.restart()
  log(settings, { msg: 'Redis is restarted' })
}
