import type { Highlights } from '../../src/wire.ts'
import { duration, plural } from './format.ts'
import { href } from './route.ts'

interface Card {
  readonly title: string
  readonly tone: 'slow' | 'bad' | 'good'
  readonly main: string
  readonly detail: string
  readonly link: string
}

/** The four questions that bring people here, answered before they ask. */
export function HighlightStrip({ highlights }: { readonly highlights: Highlights | undefined }) {
  return (
    <section class="highlights" aria-label="Highlights">
      {cards(highlights).map((card) => (
        <a key={card.title} class={`card ${card.tone}`} href={card.link}>
          <span class="card-title">{card.title}</span>
          <strong>{card.main}</strong>
          <span class="card-detail">{card.detail}</span>
        </a>
      ))}
    </section>
  )
}

function cards(highlights: Highlights | undefined): Card[] {
  const { slowest, failing, rejected, dropped } = highlights ?? {}
  return [
    slowest
      ? {
          title: 'Slowest handler',
          tone: 'slow',
          main: handlerName(slowest.name),
          detail: `p95 ${duration(slowest.p95)}, ${plural(slowest.count, 'message')}`,
          link: href('traces', { q: slowest.name, sort: 'slowest' }),
        }
      : quiet('Slowest handler', 'None is slow', href('traces', { q: 'process', sort: 'slowest' })),
    failing
      ? {
          title: 'Failing handler',
          tone: 'bad',
          main: handlerName(failing.name),
          detail: `${failing.failed} of ${failing.count}: ${failing.error}`,
          link: href('traces', { q: failing.name, errors: '1' }),
        }
      : quiet('Failing handler', 'None fails', href('traces', { q: 'process', errors: '1' })),
    rejected
      ? {
          title: 'Rejected handshakes',
          tone: 'bad',
          main: rejected.what,
          detail:
            rejected.all === rejected.count
              ? plural(rejected.all, 'time')
              : `${rejected.count} of ${rejected.all} rejections`,
          link: href('traces', { q: 'websocket.handshake.outcome=rejected' }),
        }
      : quiet('Rejected handshakes', 'None', href('connections', { state: 'rejected' })),
    dropped
      ? {
          title: 'Dropped connections',
          tone: 'bad',
          main: dropped.what,
          detail:
            dropped.all === dropped.count ? plural(dropped.all, 'time') : `${dropped.count} of ${dropped.all} drops`,
          link: href('connections', { state: 'dropped' }),
        }
      : quiet('Dropped connections', 'None', href('connections', { state: 'dropped' })),
  ]
}

function handlerName(span: string): string {
  return span.replace(/^process /, '')
}

function quiet(title: string, main: string, link: string): Card {
  return { title, tone: 'good', main, detail: 'in what is kept', link }
}
