import { duration, exact, plural } from '../../src/format.ts'
import type { Counted, FailingHandler, Highlights, SlowHandler } from '../../src/wire.ts'
import { href } from './route.ts'

interface Entry {
  readonly main: string
  readonly detail: string
  readonly link: string
}

interface Card {
  readonly title: string
  readonly tone: 'slow' | 'bad'
  /** The worst first. */
  readonly entries: readonly Entry[]
  /** Told where there is nothing to see. */
  readonly quiet: string
  /** Where a person can convince themselves that there is nothing. */
  readonly link: string
}

/** The four questions that bring people here, answered before they ask. */
export function HighlightStrip({ highlights }: { readonly highlights: Highlights | undefined }) {
  return (
    <section class="highlights" aria-label="Highlights">
      {cards(highlights ?? nothing).map((card) => (
        <HighlightCard key={card.title} card={card} />
      ))}
    </section>
  )
}

function HighlightCard({ card: { title, tone, entries, quiet, link } }: { readonly card: Card }) {
  const [first = { main: quiet, detail: 'in what is kept', link }, ...others] = entries
  return (
    <div class={`card ${entries.length === 0 ? 'good' : tone}`}>
      <a class="card-main" href={first.link}>
        <span class="card-title">{title}</span>
        <strong>{first.main}</strong>
        <span class="card-detail">{first.detail}</span>
      </a>
      <span class="card-also">
        {others.map((entry) => (
          <a key={entry.main + entry.detail} href={entry.link} title={`${entry.main}: ${entry.detail}`}>
            {entry.main} <span>{entry.detail}</span>
          </a>
        ))}
      </span>
    </div>
  )
}

const nothing: Highlights = {
  slowest: [],
  failing: [],
  rejected: { all: 0, what: [] },
  dropped: { all: 0, what: [] },
}

function cards({ slowest, failing, rejected, dropped }: Highlights): Card[] {
  return [
    {
      title: 'Slowest handler',
      tone: 'slow',
      entries: slowest.map(slowEntry),
      quiet: 'None is slow',
      link: href('traces', { q: 'process', sort: 'slowest' }),
    },
    {
      title: 'Failing handler',
      tone: 'bad',
      entries: failingEntries(failing),
      quiet: 'None fails',
      link: href('traces', { q: 'process', errors: '1' }),
    },
    {
      title: 'Rejected handshakes',
      tone: 'bad',
      entries: countedEntries(rejected, href('traces', { q: 'websocket.handshake.outcome=rejected' }), rejectedLink),
      quiet: 'None',
      link: href('connections', { state: 'rejected' }),
    },
    {
      title: 'Dropped connections',
      tone: 'bad',
      entries: countedEntries(dropped, href('connections', { state: 'dropped' }), (what) =>
        href('connections', { state: 'dropped', q: what.replace(/ \(\d+\)$/, '') }),
      ),
      quiet: 'None',
      link: href('connections', { state: 'dropped' }),
    },
  ]
}

function slowEntry({ name, ofClient, p95, count }: SlowHandler, index: number): Entry {
  return {
    main: handlerName(name, ofClient),
    detail: `p95 ${duration(p95)}${index === 0 ? `, ${plural(count, 'message')}` : ''}`,
    link: href('traces', { q: name, sort: 'slowest' }),
  }
}

/** The worst handler with its errors, then the others with theirs. */
function failingEntries([worst, ...others]: readonly FailingHandler[]): Entry[] {
  if (worst === undefined) return []
  const { name, ofClient, failed, count, errors } = worst
  const detail = `${exact(failed)} of ${exact(count)} failed`
  return [
    { main: handlerName(name, ofClient), detail, link: href('traces', { q: name, errors: '1' }) },
    ...errors.map((error) => ({ main: error.what, detail: exact(error.count), link: errorLink(name, error.what) })),
    ...others.flatMap((other) =>
      other.errors.slice(0, 2).map((error) => ({
        main: handlerName(other.name, other.ofClient),
        detail: `${error.what} ${exact(error.count)}`,
        link: errorLink(other.name, error.what),
      })),
    ),
  ]
}

function errorLink(handler: string, error: string): string {
  // An error without a type is told by its message, which is no word to look for.
  return href('traces', { q: /\s/.test(error) ? handler : `${handler} error.type=${error}`, errors: '1' })
}

/** The most frequent, which leads to all of them, then the others, each of which leads to its own. */
function countedEntries({ all, what }: Counted, allLink: string, link: (what: string) => string): Entry[] {
  return what.map((one, index) => {
    const times = exact(one.count)
    if (index > 0) return { main: withoutStandardCode(one.what), detail: times, link: link(one.what) }
    return {
      main: one.what,
      detail: one.count === all ? plural(all, 'time') : `${times} of ${exact(all)}`,
      link: allLink,
    }
  })
}

/** The category says it all, unless the code is one of the application's own. */
function withoutStandardCode(what: string): string {
  return what.replace(/ \(1\d{3}\)$/, '')
}

function rejectedLink(what: string): string {
  const status = /^\d+/.exec(what)?.[0]
  return href('traces', {
    q: `websocket.handshake.outcome=rejected${status === undefined ? '' : ` http.response.status_code=${status}`}`,
  })
}

function handlerName(span: string, ofClient: boolean): string {
  return `${span.replace(/^process /, '')}${ofClient ? ' (client)' : ''}`
}
