import type { EventHarness } from '../events/harness.ts'
import type { Harness } from '../sockets/harness.ts'
import { runEventScript } from './events/run.ts'
import { eventScripts } from './events/script.ts'
import { type Subject, subject } from './property.ts'
import { runSocketScript } from './sockets/run.ts'
import { socketScripts } from './sockets/script.ts'

export { type Log, type Logs, recordLogs } from './log.ts'
export { differentialSuite, type Options, type Subject, subject } from './property.ts'

/** Random applications on a host whose users have sockets of `ws`. */
export function socketSubject(harness: Harness): Subject {
  return subject(harness.name, socketScripts, (script, telemetry) => runSocketScript(harness, script, telemetry))
}

/** Random applications on a host of events. */
export function eventSubject(harness: EventHarness): Subject {
  return subject(harness.name, eventScripts(harness.capabilities), (script, telemetry) =>
    runEventScript(harness, script, telemetry),
  )
}
