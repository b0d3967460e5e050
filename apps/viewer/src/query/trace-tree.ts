import type { Span } from '../model.ts'
import type { Trace } from '../store/traces.ts'

/** A span of a trace at its place in the tree. */
export interface Node {
  /** Its key among the spans of the trace: its id, or `id#2` where several spans share one. */
  readonly key: string
  readonly span: Span
  /** Key of the parent that it hangs from; empty for what hangs from none. */
  readonly parent: string
  readonly depth: number
}

/**
 * The spans of a trace, parents before children, siblings by start. Each span comes once: parent ids may form a chain of
 * any length or a ring.
 */
export function treeOf(trace: Trace): Node[] {
  const children = new Map<string, [string, Span][]>()
  const roots: [string, Span][] = []
  const byStart = [...trace.spans].sort(([, a], [, b]) => a.start - b.start)
  for (const entry of byStart) {
    const [, { spanId, parentSpanId }] = entry
    if (parentSpanId === spanId || !trace.spans.has(parentSpanId)) roots.push(entry)
    else if (children.has(parentSpanId)) children.get(parentSpanId)!.push(entry)
    else children.set(parentSpanId, [entry])
  }
  const seen = new Set<string>()
  const nodes: Node[] = []
  // Spans in a ring hang from no root: whatever is left over starts a tree of its own.
  for (const [startKey, start] of [...roots, ...byStart]) {
    const stack: Node[] = [{ key: startKey, span: start, parent: '', depth: 0 }]
    while (stack.length > 0) {
      const node = stack.pop()!
      if (seen.has(node.key)) continue
      seen.add(node.key)
      nodes.push(node)
      // Where several spans share an id, the children hang from the first of them.
      const below = children.get(node.key) ?? []
      for (let index = below.length - 1; index >= 0; index--) {
        const [key, span] = below[index]!
        stack.push({ key, span, parent: node.key, depth: node.depth + 1 })
      }
    }
  }
  return nodes
}

export interface Choice {
  /** Spans that are drawn at most, and bytes that they may take. */
  readonly most: number
  readonly mostBytes: number
  readonly bytesOf: (span: Span) => number
  /** Key or id of the span that was asked for; empty for none. */
  readonly asked: string
  /** What is looked for within the trace; undefined for nothing. */
  readonly sought: ((span: Span) => boolean) | undefined
}

/** Of the slowest spans, those that are drawn whatever else there is. */
const slowest = 100

/**
 * The spans to draw of a trace that is too large to draw as a whole, in the order of the tree: the one that was asked
 * for, those that failed, those that are looked for and the slowest, each with the path that leads to it, then the rest
 * from the top.
 */
export function choose(nodes: readonly Node[], { most, mostBytes, bytesOf, asked, sought }: Choice): Node[] {
  const byKey = new Map(nodes.map((node) => [node.key, node]))
  const chosen = new Set<Node>()
  let bytes = 0
  const add = (from: Node | undefined): boolean => {
    for (let node = from; node !== undefined && !chosen.has(node); node = byKey.get(node.parent)) {
      if (chosen.size >= most || (bytes > mostBytes && chosen.size > 0)) return false
      bytes += bytesOf(node.span)
      chosen.add(node)
    }
    return true
  }
  const important = [
    nodes.filter((node) => node.key === asked),
    nodes.slice(0, 1),
    nodes.filter(({ span }) => span.error),
    sought === undefined ? [] : nodes.filter(({ span }) => sought(span)),
    [...nodes].sort((a, b) => b.span.duration - a.span.duration).slice(0, slowest),
    nodes,
  ]
  for (const group of important) for (const node of group) if (!add(node)) return nodes.filter((one) => chosen.has(one))
  return nodes.filter((node) => chosen.has(node))
}
