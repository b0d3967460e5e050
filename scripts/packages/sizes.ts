import { gzipSync } from 'node:zlib'
import { bundle } from './bundle.ts'
import type { Published } from './tarballs.ts'

/** Most bytes that all doors of a package may have together: bundled without dependencies, minified and gzipped. */
const BUDGETS: Readonly<Record<string, number>> = {
  '@otel-ws/core': 29_500,
  '@otel-ws/ws': 4_500,
  '@otel-ws/client': 6_300,
  '@otel-ws/fastify': 2_500,
  '@otel-ws/instrumentation': 4_000,
  '@otel-ws/nestjs': 5_200,
  '@otel-ws/socket.io': 9_000,
}

/** Most bytes of what a page imports from a door: bundled for browsers with all but the API, minified and gzipped. */
interface PageBudget {
  readonly door: string
  readonly imports: readonly string[]
  readonly budget: number
}

const PAGE_BUDGETS: Readonly<Record<string, readonly PageBudget[]>> = {
  '@otel-ws/client': [
    { door: '.', imports: ['traceWebSocket'], budget: 6_000 },
    { door: '.', imports: ['traceWebSocket', 'traceUrl'], budget: 8_050 },
    { door: '.', imports: ['traceWebSocket', 'traceUrl', 'jsonName'], budget: 9_100 },
    { door: '.', imports: ['traceWebSocket', 'traceUrl', 'clientMetrics'], budget: 10_000 },
    { door: './socket.io', imports: ['traceSocket'], budget: 12_000 },
  ],
}

/** Returns a package's size as text. Throws when it is over its budget, or when it has none. */
export async function checkSize(project: string, published: Published): Promise<string> {
  const budget = BUDGETS[published.name]
  if (budget === undefined) throw new Error(`${published.name} has no size budget`)
  const code = await bundle(project, published, { platform: 'node', alone: true })
  const size = gzipSync(code, { level: 9 }).length
  const text = `${size} of ${budget} B`
  if (size > budget) throw new Error(`${published.name} is over its size budget: ${text}`)
  return `${text}${await checkPageSize(project, published)}`
}

async function checkPageSize(project: string, published: Published): Promise<string> {
  const sizes: string[] = []
  for (const { door, imports, budget } of PAGE_BUDGETS[published.name] ?? []) {
    const alone = { ...published, doors: [door] }
    const code = await bundle(project, alone, { platform: 'browser', alone: 'api', imports })
    const size = gzipSync(code, { level: 9 }).length
    const text = `${size} of ${budget} B in a page for ${imports.join(' + ')}`
    if (size > budget) throw new Error(`${published.name} is over its size budget: ${text}`)
    sizes.push(text)
  }
  return sizes.length === 0 ? '' : ` (${sizes.join(', ')})`
}
