import { bytes, duration, exact, plural } from '../../src/format.ts'
import type { Counted, FailingOperation, Highlights, SlowConsumer, SlowOperation } from '../../src/wire.ts'
import { href, type Params } from './route.ts'

export interface Entry {
  readonly main: string
  readonly detail: string
  readonly link: string
}

export interface Card {
  readonly title: string
  readonly tone: 'slow' | 'bad'
  /** The worst first. */
  readonly entries: readonly Entry[]
  /** How much there was to judge by: nothing is said where it is 0. */
  readonly judged: number
  /** What is said where there was something to judge and nothing to see. */
  readonly quiet: string
  readonly basis: string
  /** What is said where there was nothing to judge. */
  readonly unknown: string
  /** Where everything that was judged can be looked at. */
  readonly link: string
}

/** The questions that bring people here, answered before they ask. `scope` is what of the page's filters stays in links. */
export function cardsOf(highlights: Highlights, scope: Params): Card[] {
  const { slowest, failing, rejected, dropped, undelivered, judged } = highlights
  const to = linksWithin(scope)
  const none = (noun: string) =>
    Object.keys(scope).length > 0 ? `no ${noun} matches the filters` : `no ${noun} has been received`
  return [
    {
      title: 'Slowest operation',
      tone: 'slow',
      entries: slowest.map((one, index) => slowEntry(one, index, to)),
      judged: judged.operations,
      quiet: 'None is slow',
      basis: `of ${plural(judged.operations, 'run')}, p95 below 20 ms each`,
      unknown: none('operation'),
      link: to.traces('', { sort: 'slowest' }),
    },
    {
      title: 'Failing operation',
      tone: 'bad',
      entries: failingEntries(failing, to),
      judged: judged.operations,
      quiet: 'None fails',
      basis: `of ${plural(judged.operations, 'run')} received`,
      unknown: none('operation'),
      link: to.traces('', { errors: '1' }),
    },
    {
      title: 'Rejected handshakes',
      tone: 'bad',
      entries: countedEntries(rejected, to.traces('websocket.handshake.outcome=rejected', {}), (what) =>
        rejectedLink(what, to),
      ),
      judged: judged.handshakes,
      quiet: 'None',
      basis: `of ${plural(judged.handshakes, 'handshake')} received`,
      unknown: none('handshake'),
      link: to.connections('', { state: 'rejected' }),
    },
    {
      title: 'Dropped connections',
      tone: 'bad',
      entries: countedEntries(dropped, to.connections('', { state: 'dropped' }), (what) => droppedLink(what, to)),
      judged: judged.closes,
      quiet: 'None',
      basis: `of ${plural(judged.closes, 'close')} received`,
      unknown: none('close'),
      link: to.connections('', { state: 'dropped' }),
    },
    {
      title: 'Slow consumers',
      tone: 'slow',
      entries: consumerEntries(highlights, to),
      judged: judged.consumers,
      quiet: 'None',
      basis: 'no socket holds data back',
      unknown: 'no buffered bytes reported yet',
      link: to.connections('', { sort: 'buffered' }),
    },
    {
      title: 'Undelivered messages',
      tone: 'bad',
      entries: countedEntries(undelivered, to.connections('', { state: 'undelivered' }), (what) =>
        // Metrics name no connection: the chart shows when it was.
        highlights.undeliveredByMetrics ? href('metrics', scope) : undeliveredLink(what, to),
      ),
      judged: judged.sends,
      quiet: 'None',
      basis: `of ${plural(judged.sends, 'send')} received`,
      unknown: none('send'),
      link: to.connections('', { sort: 'undelivered' }),
    },
  ]
}

type Links = ReturnType<typeof linksWithin>

/** Addresses that keep the filters of the page, and pick what a card names from their list. */
function linksWithin(scope: Params) {
  return {
    traces: (pick: string, params: Params) => href('traces', { ...scope, pick, ...params }),
    connections: (pick: string, params: Params) => href('connections', { ...scope, pick, ...params }),
  }
}

/** A value of a search: in quotes where it contains what would end it. */
export function quoted(value: string): string {
  return /[\s"=<>!]/.test(value) || value.startsWith('-') ? `"${value.replaceAll('"', '')}"` : value
}

function slowEntry({ name, service, ofClient, p95, count }: SlowOperation, index: number, to: Links): Entry {
  return {
    main: operationName(name, ofClient),
    detail: `p95 ${duration(p95)}${index === 0 ? `, ${plural(count, 'run')}` : ''}`,
    link: to.traces(`name=${quoted(name)} service=${quoted(service)}`, { sort: 'slowest' }),
  }
}

/** The worst operation with its errors, then the errors of the others. */
function failingEntries([worst, ...others]: readonly FailingOperation[], to: Links): Entry[] {
  if (worst === undefined) return []
  const { name, service, ofClient, failed, count, errors } = worst
  return [
    {
      main: operationName(name, ofClient),
      detail: `${exact(failed)} of ${exact(count)} failed`,
      link: to.traces(`name=${quoted(name)} service=${quoted(service)}`, { errors: '1' }),
    },
    ...errors.map((error) => ({
      main: error.what,
      detail: exact(error.count),
      link: errorLink(worst, error.what, to),
    })),
    ...others.flatMap((other) =>
      other.errors.slice(0, 2).map((error) => ({
        main: operationName(other.name, other.ofClient),
        detail: `${error.what} ${exact(error.count)}`,
        link: errorLink(other, error.what, to),
      })),
    ),
  ]
}

function errorLink({ name, service }: FailingOperation, error: string, to: Links): string {
  return to.traces(`name=${quoted(name)} service=${quoted(service)} error=${quoted(error)}`, { errors: '1' })
}

/** Each leads to its own; the first one says of how many. */
function countedEntries({ all, what }: Counted, allLink: string, link: (what: string) => string): Entry[] {
  const entries = what.map((one, index) => ({
    main: index === 0 ? one.what : withoutStandardCode(one.what),
    detail:
      index > 0 ? exact(one.count) : one.count === all ? plural(all, 'time') : `${exact(one.count)} of ${exact(all)}`,
    link: link(one.what),
  }))
  return what.length > 1 ? [...entries, { main: 'all', detail: exact(all), link: allLink }] : entries
}

/** The category says it all, unless the code is one of the application's own. */
function withoutStandardCode(what: string): string {
  return what.replace(/ \(1\d{3}\)$/, '')
}

function rejectedLink(what: string, to: Links): string {
  const status = /^(\d{3}) (.+)$/.exec(what)
  if (status !== null) {
    return to.traces(`websocket.handshake.outcome=rejected http.response.status_code=${status[1]}`, {})
  }
  const [name = '', error] = what.split(': ', 2)
  const search = `websocket.handshake.outcome=rejected name=${quoted(name)}`
  return to.traces(error === undefined ? search : `${search} error.type=${quoted(error)}`, {})
}

function droppedLink(what: string, to: Links): string {
  const found = /^(.*?)(?: \((\d+)\))?$/.exec(what)
  const code = found?.[2] === undefined ? '' : ` code=${found[2]}`
  return to.connections(`close=${quoted(found?.[1] ?? what)}${code}`, { state: 'dropped' })
}

function undeliveredLink(what: string, to: Links): string {
  const [reason = ''] = what.split(': ', 1)
  return to.connections(`websocket.send.undelivered.reason=${quoted(reason)}`, { state: 'undelivered' })
}

function consumerEntries({ slowConsumers, slowConsumerCount, slowRoutes }: Highlights, to: Links): Entry[] {
  const sorted = { state: 'slow', sort: 'buffered' }
  return [
    ...slowConsumers.map((one: SlowConsumer, index) => ({
      main: one.user || one.peer || one.id.slice(0, 8),
      detail: `${bytes(one.buffered)}${index === 0 && slowConsumerCount > 1 ? `, one of ${exact(slowConsumerCount)}` : ''}`,
      link: to.connections('', { ...sorted, open: one.id }),
    })),
    ...slowRoutes.map(({ service, route, connections, buffered }) => ({
      main: route || 'all routes',
      detail: `${plural(connections, 'connection')}${buffered === null ? '' : `, ${bytes(buffered)}`}; no span says which`,
      link: to.connections('', { service, route, sort: 'buffered' }),
    })),
  ]
}

function operationName(span: string, ofClient: boolean): string {
  return `${span.replace(/^process /, '')}${ofClient ? ' (client)' : ''}`
}
