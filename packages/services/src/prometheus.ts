import { type Binary, type DebianProgram, debianBinary } from './debian.ts'

const PROMETHEUS: Omit<DebianProgram, 'name'> = {
  packages: ['prometheus'],
  advice: 'Install prometheus 2.42 or newer, with promtool.',
}

/** `prometheus`, of this machine or fetched once. */
export function prometheusBinary(): Promise<Binary> {
  return debianBinary({ ...PROMETHEUS, name: 'prometheus' })
}

/** `promtool`, which checks and tests rules, of this machine or fetched once. */
export function promtoolBinary(): Promise<Binary> {
  return debianBinary({ ...PROMETHEUS, name: 'promtool' })
}
