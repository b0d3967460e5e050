/** Lays out rows under a heading: the first column to the left, the others to the right. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heading.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd()
  return [line(heading), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n')
}

/** A figure with its target and whether it is met, such as `1.31 (≤ 1.20, missed)`. */
export function against(figure: string, value: number, target: number | undefined, unit = ''): string {
  if (target === undefined) return figure
  return `${figure} ${value <= target ? 'ok    ' : 'missed'} ≤ ${target}${unit}`
}
