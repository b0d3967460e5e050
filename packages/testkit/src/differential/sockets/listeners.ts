import type { EventEmitter } from 'node:events'
import type { MessageEvent, WebSocket } from 'ws'
import { turns } from '../../shared/turns.ts'
import type { Log } from '../log.ts'
import type { Behaviour, ListenerSpec } from './script.ts'

/** A socket of the application, with the part of the log that it writes to. */
export interface Speaker {
  readonly raw: WebSocket
  readonly part: string
  readonly log: Log
  /** All sockets of the server. */
  readonly all: readonly WebSocket[]
}

/** Registers a listener of messages. Returns a function that removes it. */
export function listen(speaker: Speaker, spec: ListenerSpec, name: string): () => void {
  const { how, does } = spec
  const { raw, part, log } = speaker
  let remove = (): void => {}
  const react = (data: unknown): unknown => actions[does](speaker, data, () => remove(), name)
  if (how === 'addEventListener' || how === 'onmessage') {
    const listener = ofKind(does, function (this: unknown, event: MessageEvent): unknown {
      log.add(part, name, this === raw, arguments.length, event.type, event.target === raw, event.data)
      return react(event.data)
    })
    if (how === 'onmessage') raw.onmessage = listener as never
    else raw.addEventListener('message', listener as never)
    remove = () => {
      if (how === 'onmessage') raw.onmessage = null
      else raw.removeEventListener('message', listener as never)
    }
  } else {
    const listener = ofKind(does, function (this: unknown, ...args: unknown[]): unknown {
      log.add(part, name, this === raw, ...args)
      return react(args[1] === false ? String(args[0]) : args[0])
    })
    ;(raw as EventEmitter)[how]('message', listener as never)
    remove = () => {
      raw.off('message', listener as never)
    }
  }
  return () => remove()
}

/** Behaviours whose listeners are written `async`. */
const ASYNC: ReadonlySet<Behaviour> = new Set(['echo later', 'reject', 'reject later'])

function ofKind(
  does: Behaviour,
  listener: (this: unknown, ...args: never[]) => unknown,
): (this: unknown, ...args: never[]) => unknown {
  if (!ASYNC.has(does)) return listener
  return async function (this: unknown, ...args: never[]) {
    return listener.apply(this, args)
  }
}

type Action = (speaker: Speaker, data: unknown, remove: () => void, name: string) => unknown

const actions: Readonly<Record<Behaviour, Action>> = {
  nothing: () => undefined,
  echo: ({ raw }, data) => raw.send(data as never),
  'echo twice'({ raw }, data) {
    raw.send(data as never)
    raw.send(data as never, { binary: true })
    return 'a value'
  },
  async 'echo later'({ raw }, data) {
    await turns(2)
    raw.send(data as never)
  },
  'echo to all'({ all }, data) {
    for (const socket of all) socket.send(data as never)
  },
  'echo with callback'({ raw, log, part }, data) {
    raw.send(data as never, (error) => log.add(`${part} callbacks`, 'echoed', error))
  },
  async reject() {
    throw new RangeError('rejected at once')
  },
  async 'reject later'() {
    await turns(1)
    throw new RangeError('rejected later')
  },
  'return a promise': ({ raw, log, part }) => turns(1).then(() => log.add(`${part} later`, raw.readyState)),
  'remove itself': (_, __, remove) => remove(),
  'add another'(speaker, _, __, name) {
    listen(speaker, { how: 'once', does: 'echo' }, `${name}+`)
  },
  ping({ raw }) {
    raw.ping('from a listener')
  },
  close: ({ raw }) => raw.close(4000, 'by a listener'),
}
