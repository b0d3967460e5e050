import type { Highlights } from '../../src/wire.ts'
import { type Card, cardsOf } from './highlight-cards.ts'
import { type Params, scopeOf } from './route.ts'

interface Props {
  /** Undefined until the first answer is here. */
  readonly highlights: Highlights | undefined
  readonly params: Params
}

/** The strip above every view: what is slow, fails, was turned away, dropped, or waits. It follows filters and time. */
export function HighlightStrip({ highlights, params }: Props) {
  return (
    <section class="highlights" aria-label="Highlights" aria-busy={highlights === undefined}>
      {cardsOf(highlights ?? nothing, scopeOf(params)).map((card) => (
        <HighlightCard key={card.title} card={card} />
      ))}
    </section>
  )
}

function HighlightCard({ card }: { readonly card: Card }) {
  const { title, tone, judged, quiet, basis, unknown, link } = card
  const known = judged > 0 || card.entries.length > 0
  const nothingSeen = known ? { main: quiet, detail: basis, link } : { main: 'Not known', detail: unknown, link }
  const [first = nothingSeen, ...others] = card.entries
  return (
    <div class={`card ${!known ? 'unknown' : card.entries.length === 0 ? 'good' : tone}`}>
      <a class="card-main" href={first.link} title={`${first.main}: ${first.detail}`}>
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

const none = { all: 0, what: [] }
const nothing: Highlights = {
  slowest: [],
  failing: [],
  rejected: none,
  dropped: none,
  undelivered: none,
  undeliveredByMetrics: false,
  slowConsumers: [],
  slowConsumerCount: 0,
  slowRoutes: [],
  judged: { operations: 0, handshakes: 0, closes: 0, sends: 0, consumers: 0 },
}
