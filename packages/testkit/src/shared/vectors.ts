import { readFileSync } from 'node:fs'

/** The test vectors of PROTOCOL.md, whose section 9 explains the lists. */
export interface JsonTextVectors {
  readonly splice: readonly {
    readonly name: string
    readonly member: string
    readonly text: string
    readonly carrier: Readonly<Record<string, string>>
    readonly wire: string
  }[]
  readonly untouched: readonly { readonly name: string; readonly text: string }[]
  readonly ordinary: readonly { readonly name: string; readonly text: string }[]
  readonly refused: readonly { readonly name: string; readonly text: string; readonly problem: string }[]
  readonly traceparents: readonly {
    readonly name: string
    readonly value: string
    readonly spanContext: { readonly traceId: string; readonly spanId: string; readonly sampled: boolean } | null
  }[]
}

export interface NegotiationVectors {
  readonly offers: readonly {
    readonly name: string
    readonly headers: Readonly<Record<string, string>>
    readonly url: string
    readonly offer: 'header' | 'query' | null
    readonly copied: 'header' | 'query' | null
  }[]
  readonly answers: readonly { readonly name: string; readonly value: string; readonly id: string | null }[]
  readonly hellos: readonly { readonly name: string; readonly text: string; readonly id: string | null }[]
  readonly confirmations: readonly { readonly name: string; readonly text: string; readonly confirms: boolean }[]
  readonly confirmationEvents: readonly {
    readonly name: string
    readonly data: readonly unknown[]
    readonly confirms: boolean
  }[]
}

export interface ForeignVectors {
  readonly carriers: readonly {
    readonly text: string
    readonly carrier: Readonly<Record<string, string>> | null
    readonly payload: string
  }[]
}

/** Carriers in JSON texts: what goes in, what comes out, and what is refused. */
export const jsonTextVectors = read<JsonTextVectors>('json-text')

/** How two peers agree to context in messages, and what is not an agreement. */
export const negotiationVectors = read<NegotiationVectors>('negotiation')

/** Carriers of peers with a format of their own, under the name `trace_context`. */
export const foreignVectors = read<ForeignVectors>('foreign')

function read<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../vectors/${name}.json`, import.meta.url), 'utf8')) as T
}
