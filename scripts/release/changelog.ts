/** A change that a changeset describes. */
export interface Change {
  readonly summary: string
  /** The packages that it concerns, without their scope. */
  readonly packages: readonly string[]
  readonly type: 'major' | 'minor' | 'patch' | 'none'
}

const HEADINGS: readonly (readonly [Change['type'], string])[] = [
  ['major', 'Breaking'],
  ['minor', 'New'],
  ['patch', 'Fixed'],
]

/** A changelog with a section for a version in front of the others. */
export function withSection(changelog: string, version: string, changes: readonly Change[]): string {
  const groups = HEADINGS.map(([type, heading]) => {
    const items = changes.filter((change) => change.type === type).map(item)
    return items.length === 0 ? '' : `\n### ${heading}\n\n${items.join('')}`
  })
  const section = `## ${version}\n${groups.join('')}\n`
  const first = changelog.search(/^## /m)
  return first === -1
    ? `${changelog}\n${section.trimEnd()}\n`
    : `${changelog.slice(0, first)}${section}${changelog.slice(first)}`
}

/** The text of a version's section without its heading, or `undefined` if there is no such section. */
export function sectionOf(changelog: string, version: string): string | undefined {
  const sections = changelog.split(/^## /m).slice(1)
  const section = sections.find((text) => text.split('\n', 1)[0]?.trim() === version)
  return section?.slice(section.indexOf('\n')).trim()
}

/** A list item: the packages, then the summary, whose further lines are indented. */
function item({ summary, packages }: Change): string {
  const text = summary.trim().replaceAll('\n', '\n  ').replaceAll(/^ +$/gm, '')
  return `- **${packages.join(', ')}**: ${text}\n`
}
