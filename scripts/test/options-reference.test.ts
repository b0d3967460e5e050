import { metrics, ProxyTracerProvider } from '@opentelemetry/api'
import { resolveOptions } from '@otel-ws/core/adapter'
import { describe, expect, it } from 'vitest'
import { readInterface } from '../docs/interface-source.ts'
import { TOPICS } from '../docs/option-details.ts'
import { optionsReference, readOptions } from '../docs/options.ts'

const reference = await optionsReference()
const details = Object.values(TOPICS).flatMap((entries) => Object.entries(entries))
const providers = {
  TracerProvider: ProxyTracerProvider,
  MeterProvider: class {
    getMeter = metrics.getMeter
  },
  AlwaysOnSampler: class {},
}

/** The object that the members of an example are. */
function evaluated(members: string): Record<string, unknown> {
  const names = Object.keys(providers)
  return new Function(...names, `return ({ ${members} })`)(...Object.values(providers))
}

describe('the options reference', () => {
  it.each(details)('has an example of %s that is valid', (name, { example }) => {
    const options = evaluated(example)
    expect(Object.keys(options)).toContain(name)
    expect(() => resolveOptions(options, {})).not.toThrow()
  })

  it.each(details.filter(([, { variable }]) => variable !== undefined))(
    'has a value for the variable of %s that sets it',
    (name, { example, variable }) => {
      const [, text = ''] =
        new RegExp(`^### ${name}\\n(?:.*\\n)*?- Example: .*, or \`(OTEL_WS_\\w+)=`, 'm').exec(reference) ?? []
      const { [name]: _, ...others } = evaluated(example)
      const resolved = (env: Record<string, string | undefined>) =>
        resolveOptions(others, env) as unknown as Record<string, unknown>
      expect(resolved({ [text]: variable })[name]).not.toEqual(resolved({})[name])
    },
  )

  it('refuses a comment with another default than the table has', () => {
    const members = Object.keys(Object.fromEntries(details)).map((name) => ({ name, text: 'Default `7`.' }))
    expect(() => readOptions(members, { members: [], picked: [] })).toThrow('the comment of option enabled')
  })

  it('reads comments, members and picked names of an interface', () => {
    const source = `interface A { b: string }
      /** Not this. */
      export interface C extends Pick<A, 'b' | 'd'> {
        /** First
         * line. */
        e?: string
        f: number
      }`
    expect(readInterface(source, 'C')).toEqual({
      members: [
        { name: 'e', text: 'First line.' },
        { name: 'f', text: '' },
      ],
      picked: ['b', 'd'],
    })
    expect(() => readInterface(source, 'D')).toThrow('no interface D')
  })
})
