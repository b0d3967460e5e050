import { duration, exact } from '../../src/format.ts'
import type { Attribute } from '../../src/model.ts'
import type { SpanDetail, SpanRef } from '../../src/wire.ts'
import { href } from './route.ts'

/** Everything that is known of one span. */
export function SpanFacts({ span, traceStart }: { readonly span: SpanDetail; readonly traceStart: number }) {
  return (
    <div class="facts" data-testid="facts">
      <h3>
        {span.name} <small>{span.kind}</small>
      </h3>
      <p class="sub">
        <span>{duration(span.duration)}</span>
        <span>starts at +{duration(span.start - traceStart)}</span>
        <span>{[span.service, span.instance].filter(Boolean).join(' ')}</span>
        {span.scope !== '' && <span>{span.scope}</span>}
        <code title="Span id">{span.spanId}</code>
      </p>
      {span.note !== '' && <p>{span.note}</p>}
      {span.error && (
        <p class="failure" role="note">
          Error{span.statusMessage !== '' && `: ${span.statusMessage}`}
        </p>
      )}
      <div class="columns">
        <Links title="Links to" links={span.links} total={span.links.length} />
        <Links title="Linked from" links={span.linkedFrom} total={span.linkedFromCount} />
        <Attributes title="Attributes" attributes={span.attributes} />
        {span.events.map((event, index) => (
          <Attributes
            key={index}
            title={`Event ${event.name} at +${duration(event.time - span.start)}`}
            attributes={event.attributes}
          />
        ))}
        <Attributes title="Resource" attributes={span.resource} />
      </div>
      {span.dropped > 0 && <p class="warn">{exact(span.dropped)} attributes, events or links were left out.</p>}
    </div>
  )
}

function Attributes({ title, attributes }: { readonly title: string; readonly attributes: readonly Attribute[] }) {
  if (attributes.length === 0) return null
  return (
    <section>
      <h4>{title}</h4>
      <table class="attributes">
        <tbody>
          {attributes.map(([key, value]) => (
            <tr key={key}>
              <th scope="row">{key}</th>
              <td>{String(value)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

function Links({
  title,
  links,
  total,
}: {
  readonly title: string
  readonly links: readonly SpanRef[]
  readonly total: number
}) {
  if (total === 0) return null
  return (
    <section>
      <h4>
        {title} {total > 1 && <small>{exact(total)}</small>}
      </h4>
      <ul class="link-list">
        {links.map((link) => (
          <li key={link.traceId + link.spanId}>
            {link.linkKind !== '' && <span class="tag other">{link.linkKind}</span>}
            {link.kept ? (
              <a href={href('traces', { open: link.traceId, span: link.spanId })}>{link.name}</a>
            ) : (
              <span class="muted">not kept</span>
            )}
            <code>{link.traceId.slice(0, 8)}</code>
          </li>
        ))}
        {links.length < total && <li class="muted">and {exact(total - links.length)} earlier ones</li>}
      </ul>
    </section>
  )
}
