import { type WsHost, type WsHostOptions, wsHost, wsHostOptions } from '../ws-fixture.ts'
import type { Script, Stage } from './stage.ts'

/** The stage of a script about sockets and servers of `ws`: its handlers are given these. */
export interface WsStage extends Pick<Stage, 'log' | 'connect' | 'rawConnect' | 'upgrade'> {
  serve(options: Omit<WsHostOptions, 'telemetry'>): Promise<WsHost>
}

export type WsScript = (stage: WsStage) => Promise<void>

/** The scripts as they can be run with any stage whose harness has the capability `ws`. */
export function wsScripts(scripts: Readonly<Record<string, WsScript>>): Record<string, Script> {
  return Object.fromEntries(
    Object.entries(scripts).map(([name, script]): [string, Script] => [name, (stage) => script(wsStage(stage))]),
  )
}

function wsStage(stage: Stage): WsStage {
  return {
    log: stage.log,
    connect: (...args) => stage.connect(...args),
    rawConnect: (...args) => stage.rawConnect(...args),
    upgrade: (...args) => stage.upgrade(...args),
    serve: async (options) => wsHost(await stage.serve(wsHostOptions(options))),
  }
}
