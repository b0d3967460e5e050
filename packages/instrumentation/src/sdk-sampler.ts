import type { Sampler } from '@otel-ws/core'

/** The classes of samplers that the SDK exports. */
export interface SamplerClasses {
  readonly AlwaysOnSampler: new () => Sampler
  readonly AlwaysOffSampler: new () => Sampler
  readonly TraceIdRatioBasedSampler: new (ratio?: number) => Sampler
  readonly ParentBasedSampler: new (config: { root: Sampler }) => Sampler
}

/** The variables of the SDK that are read. */
type Variables = Readonly<Record<string, string | undefined>>

/**
 * The sampler that the SDK would build from `OTEL_TRACES_SAMPLER`, so that it can be wrapped; or why it cannot be built here,
 * so that the SDK's own is used.
 */
export function environmentSampler(classes: SamplerClasses | undefined, env: Variables): Sampler | string {
  if (env['OTEL_CONFIG_FILE']) return 'OTEL_CONFIG_FILE configures the sampler'
  const name = env['OTEL_TRACES_SAMPLER'] || 'parentbased_always_on'
  if (classes === undefined) return 'this version of @opentelemetry/sdk-node exports no samplers'
  const sampler = buildSampler(classes, name, ratioOf(env['OTEL_TRACES_SAMPLER_ARG']))
  return sampler === undefined ? `OTEL_TRACES_SAMPLER is '${name}'` : sampler
}

function buildSampler(classes: SamplerClasses, name: string, ratio: number): Sampler | undefined {
  const prefix = 'parentbased_'
  if (name.startsWith(prefix)) {
    const root = buildSampler(classes, name.slice(prefix.length), ratio)
    return root === undefined ? undefined : new classes.ParentBasedSampler({ root })
  }
  if (name === 'always_on') return new classes.AlwaysOnSampler()
  if (name === 'always_off') return new classes.AlwaysOffSampler()
  return name === 'traceidratio' ? new classes.TraceIdRatioBasedSampler(ratio) : undefined
}

/** As in the SDK, a value that is not a ratio counts as 1. */
function ratioOf(text: string | undefined): number {
  const ratio = text === undefined || text.trim() === '' ? Number.NaN : Number(text)
  return ratio >= 0 && ratio <= 1 ? ratio : 1
}
