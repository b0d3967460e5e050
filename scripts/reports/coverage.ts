/** A place in a source file. Lines count from 1. */
interface Range {
  readonly start: { readonly line: number }
  readonly end: { readonly line: number }
}

/** One file of Istanbul's coverage format. */
export interface FileCoverage {
  readonly path: string
  readonly statementMap: Readonly<Record<string, Range>>
  readonly s: Readonly<Record<string, number>>
  readonly f: Readonly<Record<string, number>>
  readonly b: Readonly<Record<string, readonly number[]>>
}

/** A number of places in code, and how many of them ran. */
interface Count {
  total: number
  covered: number
}

/** The lines to print, from coverage by path. */
export function describeCoverage(files: readonly FileCoverage[]): string[] {
  const packages = new Map<string, FileCoverage[]>()
  for (const file of files) {
    const name = file.path.split('/')[1] ?? ''
    packages.set(name, [...(packages.get(name) ?? []), file])
  }
  const names = [...packages.keys()].sort()
  const width = Math.max(...names.map((name) => name.length))
  const row = (name: string, of: readonly FileCoverage[]): string =>
    `${name.padEnd(width)}  ${percent(statements(of))} statements  ${percent(functions(of))} functions  ${percent(branches(of))} branches`
  return [
    ...names.map((name) => row(name, packages.get(name) ?? [])),
    row('all', files),
    '',
    ...[...files]
      .sort((a, b) => a.path.localeCompare(b.path))
      .map((file) => ({ path: file.path, lines: uncoveredLines(file) }))
      .filter(({ lines }) => lines !== '')
      .map(({ path, lines }) => `${path}: ${lines}`),
  ]
}

/** The lines of statements that did not run, such as `3, 7-9`. */
function uncoveredLines({ statementMap, s }: FileCoverage): string {
  const lines = new Set<number>()
  for (const [id, { start, end }] of Object.entries(statementMap)) {
    if (s[id] !== 0) continue
    for (let line = start.line; line <= end.line; line++) lines.add(line)
  }
  const ranges: [from: number, to: number][] = []
  for (const line of [...lines].sort((a, b) => a - b)) {
    const last = ranges.at(-1)
    if (last !== undefined && last[1] === line - 1) last[1] = line
    else ranges.push([line, line])
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(', ')
}

function statements(files: readonly FileCoverage[]): Count {
  return count(files.flatMap(({ s }) => Object.values(s)))
}

function functions(files: readonly FileCoverage[]): Count {
  return count(files.flatMap(({ f }) => Object.values(f)))
}

function branches(files: readonly FileCoverage[]): Count {
  return count(files.flatMap(({ b }) => Object.values(b).flat()))
}

function count(runs: readonly number[]): Count {
  return { total: runs.length, covered: runs.filter((times) => times > 0).length }
}

function percent({ total, covered }: Count): string {
  return `${(total === 0 ? 100 : Math.floor((covered / total) * 1000) / 10).toFixed(1).padStart(5)} %`
}
