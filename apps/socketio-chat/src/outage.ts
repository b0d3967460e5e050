import { setTimeout as delay } from 'node:timers/promises'
import type { DemoSettings } from '@otel-ws/demo-kit'
import type { RedisService } from '@otel-ws/services'
import { log } from './nodes.ts'

/** Milliseconds that Redis is gone for. */
const DURATION = 1_500
/** Milliseconds until then, for a demo that nobody has given an end. */
const DEFAULT_START = 3_000

/** Ends Redis in the middle of the demo, as a crash would, and starts it again. Stops when the signal says so. */
export async function breakRedis(redis: RedisService, settings: DemoSettings, stop: AbortSignal): Promise<void> {
  const pause = (milliseconds: number): Promise<unknown> =>
    delay(milliseconds, undefined, { signal: stop }).catch(() => {})
  await pause(settings.runFor === undefined ? DEFAULT_START : settings.runFor / 3)
  if (stop.aborted) return
  log(settings, 'Redis is killed')
  await redis.kill()
  await pause(DURATION)
  await redis.restart()
  log(settings, 'Redis is started again')
}
