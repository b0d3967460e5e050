import { Telemetry } from '@otel-ws/testkit'
import { afterEach, beforeEach } from 'vitest'
import type { WebSocketServer } from 'ws'
import { close, listen } from './clients.ts'

/** What is there while a test runs. */
export interface Fixture {
  /** Installed as the global SDK. */
  readonly telemetry: Telemetry
  readonly url: string
}

/** Has an SDK and a `ws` server there for each test. */
export function useServer(prepare: (wss: WebSocketServer) => void = () => {}): Fixture {
  let telemetry: Telemetry
  let wss: WebSocketServer
  let url: string

  beforeEach(async () => {
    telemetry = new Telemetry()
    telemetry.install()
    ;({ wss, url } = await listen())
    prepare(wss)
  })

  afterEach(async () => {
    await close(wss)
    await telemetry.uninstall()
  })

  return {
    get telemetry() {
      return telemetry
    },
    get url() {
      return url
    },
  }
}
