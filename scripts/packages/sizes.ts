import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { banner, code, table } from '../docs/markdown.ts'
import { root } from '../run.ts'
import { bundle } from './bundle.ts'
import type { Published } from './tarballs.ts'

/** Most bytes that all doors of a package may have together: bundled without dependencies, minified and gzipped. */
const BUDGETS: Readonly<Record<string, number>> = {
  '@otel-ws/core': 63_000,
  '@otel-ws/ws': 4_800,
  '@otel-ws/client': 7_200,
  '@otel-ws/crossws': 2_700,
  '@otel-ws/fastify': 2_500,
  '@otel-ws/hono': 2_000,
  '@otel-ws/instrumentation': 5_200,
  '@otel-ws/nestjs': 5_200,
  '@otel-ws/socket.io': 10_300,
  '@otel-ws/testing': 5_000,
}

/** Most bytes of what a page imports from a door: bundled for browsers with all but the API, minified and gzipped. */
interface PageBudget {
  readonly door: string
  readonly imports: readonly string[]
  readonly budget: number
}

const PAGE_BUDGETS: Readonly<Record<string, readonly PageBudget[]>> = {
  '@otel-ws/client': [
    { door: '.', imports: ['traceWebSocket'], budget: 9_500 },
    { door: '.', imports: ['traceWebSocket', 'traceUrl'], budget: 11_800 },
    { door: '.', imports: ['traceWebSocket', 'traceUrl', 'jsonName'], budget: 12_900 },
    { door: '.', imports: ['traceWebSocket', 'traceUrl', 'clientMetrics'], budget: 14_300 },
    { door: './socket.io', imports: ['traceSocket'], budget: 16_500 },
  ],
}

/** The committed table of sizes. */
export const TABLE = 'docs/sizes.md'

/** Bytes by which a size may differ from the table's: less is no news. */
const TOLERANCE = 100

/** A measured size. */
interface Size {
  readonly package: string
  /** The content of the bundle, in words. */
  readonly content: string
  /** Bytes, minified and gzipped. */
  readonly bytes: number
  readonly budget: number
}

/** Measures packages that are installed in a project: each alone, and what pages import of it. Throws for one without a budget. */
export async function measureSizes(project: string, packages: readonly Published[]): Promise<Size[]> {
  const sizes: Size[] = []
  for (const published of packages) {
    const budget = BUDGETS[published.name]
    if (budget === undefined) throw new Error(`${published.name} has no size budget`)
    const all = await bundle(project, published, { platform: 'node', alone: true })
    sizes.push({ package: published.name, content: 'all of it, without dependencies', bytes: gzipped(all), budget })
    for (const page of PAGE_BUDGETS[published.name] ?? []) {
      const { door, imports } = page
      const text = await bundle(
        project,
        { ...published, doors: [door] },
        { platform: 'browser', alone: 'api', imports },
      )
      const content = `in a page: ${imports.map(code).join(', ')}`
      sizes.push({ package: published.name, content, bytes: gzipped(text), budget: page.budget })
    }
  }
  return sizes
}

/** Throws for sizes over their budget, and for those that differ from the committed table by more than is no news. */
export async function checkSizes(sizes: readonly Size[]): Promise<void> {
  const problems = sizes
    .filter(({ bytes, budget }) => bytes > budget)
    .map((size) => `${size.package}, ${size.content}, is over its budget: ${size.bytes} of ${size.budget} B`)
  const committed = await readFile(join(root, TABLE), 'utf8').catch(() => '')
  for (const size of sizes) {
    const known = sizeIn(committed, size)
    if (known === undefined || Math.abs(known - size.bytes) > TOLERANCE) {
      const before = known === undefined ? 'has no such row' : `has ${kilobytes(known)}`
      problems.push(`${size.package}, ${size.content}, is ${kilobytes(size.bytes)}; ${TABLE} ${before}`)
    }
  }
  if (problems.length > 0) throw new Error(`${problems.join('\n')}\nIf they should be so: \`pnpm generate sizes\``)
}

/** The table of sizes, as Markdown. */
export function sizesTable(sizes: readonly Size[]): string {
  return `${banner('the packed packages')}
# Sizes

Minified and gzipped, each within a budget that CI checks. A page has what it imports with everything that this needs,
but not the OpenTelemetry API, which the page's own code needs too.

${table(
  ['package', 'what', 'size', 'budget'],
  sizes.map((size) => [code(size.package), size.content, kilobytes(size.bytes), kilobytes(size.budget, 2)]),
)}`
}

/** The size in a table's row of the same package and content, in bytes. */
function sizeIn(text: string, size: Size): number | undefined {
  const rows = text.split('\n').map((line) => line.split('|').map((cell) => cell.trim()))
  const row = rows.find(([, name, content]) => name === code(size.package) && content === size.content)
  return row?.[3] === undefined ? undefined : Math.round(Number.parseFloat(row[3]) * 1000)
}

function kilobytes(bytes: number, digits = 1): string {
  return `${(bytes / 1000).toFixed(digits)} kB`
}

function gzipped(text: string): number {
  return gzipSync(text, { level: 9 }).length
}
