import type { Build } from './build.ts'
import { type Case, caseOf } from './cases.ts'

/** One server that is measured: a case in one build. */
export interface Subject {
  /** Unique among all that are measured. */
  key: string
  id: string
  build: Build
}

/** This checkout's server of a case. */
export function subjectOf(id: string, build: Build = 'after'): Subject {
  return { key: id, id, build }
}

/** The same server with the packages of the checkout that is compared with. */
export function subjectBefore(id: string): Subject {
  return { key: `${id}, before`, id, build: 'before' }
}

/** The subjects of these cases. With `compares`, each case that runs packages is two: with those of the other checkout, and with these. */
export function subjectsOf(cases: readonly Case[], compares: boolean): Subject[] {
  return cases.flatMap(({ id, runsPackages }) =>
    compares && runsPackages ? [subjectBefore(id), subjectOf(id)] : [subjectOf(id)],
  )
}

/** The cases that these ids need: themselves, their baselines and their limits. */
export function withReferences(cases: readonly Case[], ids: readonly string[]): Case[] {
  const needed = new Set(ids.flatMap((id) => [id, caseOf(id).baseline, caseOf(id).limit ?? id]))
  return cases.filter(({ id }) => needed.has(id))
}
