import { duration, exact } from '../../src/format.ts'
import type { SpanDetail, SpanRef, TraceDetail } from '../../src/wire.ts'
import { AttributeTable } from './attribute-table.tsx'
import { CopyButton } from './copy-button.tsx'
import { LogLines } from './log-lines.tsx'
import { href } from './route.ts'

/** Everything that is known of one span. */
export function SpanFacts({ span, trace }: { readonly span: SpanDetail; readonly trace: TraceDetail }) {
  const logs = trace.logs.filter((log) => log.spanId === span.spanId)
  return (
    <div class="facts" data-testid="facts">
      <h3>
        {span.name} <small>{span.kind}</small>
      </h3>
      <p class="sub">
        <span>{duration(span.duration)}</span>
        <span>starts at +{duration(span.start - trace.start)}</span>
        <span>{[span.service, span.instance].filter(Boolean).join(' ')}</span>
        {span.scope !== '' && <span>{span.scope}</span>}
        <span>
          <code title="Span id">{span.spanId}</code>
          <CopyButton text={span.spanId} label="Copy the span id" />
        </span>
      </p>
      {span.note !== '' && <p>{span.note}</p>}
      {span.error && <Failure span={span} />}
      <LogLines logs={logs} count={logs.length} since={span.start} title="Logs of this span" />
      <div class="columns">
        <Links title="Links to" links={span.links} total={span.links.length} />
        <Links title="Linked from" links={span.linkedFrom} total={span.linkedFromCount} />
        <AttributeTable title="Attributes" attributes={span.attributes} />
        {span.events.map((event, index) => (
          <AttributeTable
            key={index}
            title={`Event ${event.name} at +${duration(event.time - span.start)}`}
            attributes={event.attributes.filter(([key]) => !span.error || key !== STACK)}
            empty="without attributes"
          />
        ))}
        {span.links.map((link, index) => (
          <AttributeTable
            key={index}
            title={`Link to ${link.name || link.spanId}`}
            attributes={link.attributes.filter(([key]) => key !== 'websocket.link.kind')}
          />
        ))}
        <AttributeTable title="Resource" attributes={span.resource} />
      </div>
      {span.dropped > 0 && <p class="warn">{exact(span.dropped)} attributes, events or links were left out.</p>}
    </div>
  )
}

const STACK = 'exception.stacktrace'

/** What failed, with the stack where one was recorded: first of all that is said of a span. */
function Failure({ span }: { readonly span: SpanDetail }) {
  const stacks = span.events.flatMap(({ attributes }) =>
    attributes.flatMap(([key, value]) => (key === STACK ? [String(value)] : [])),
  )
  return (
    <>
      <p class="failure" role="note">
        Error{span.statusMessage !== '' && `: ${span.statusMessage}`}
      </p>
      {stacks.map((stack, index) => (
        <div key={index} class="code-block">
          <CopyButton text={stack} label="Copy the stack" />
          <pre>{stack}</pre>
        </div>
      ))}
    </>
  )
}

interface LinksProps {
  readonly title: string
  readonly links: readonly SpanRef[]
  readonly total: number
}

function Links({ title, links, total }: LinksProps) {
  if (total === 0) return null
  return (
    <section>
      <h3 class="part">
        {title} {total > 1 && <small>{exact(total)}</small>}
      </h3>
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
