import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { writeSlot } from '../../src/protocols/slot.ts'

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const carrier = { traceparent, tracestate: 'a=1', baggage: 'user=ada' }
const members = `"traceparent":"${traceparent}","tracestate":"a=1"`

describe('writeSlot', () => {
  // The same vectors stand in PROTOCOL.md.
  it.each([
    ['{"id":1,"params":{"name":"t"}}', 'params._meta', `{"id":1,"params":{"_meta":{${members}},"name":"t"}}`],
    ['{"id":1,"params":{}}', 'params._meta', `{"id":1,"params":{"_meta":{${members}}}}`],
    ['{"params": {"_meta" : { "x":1 }}}', 'params._meta', `{"params": {"_meta" : {${members}, "x":1 }}}`],
    ['{"params":{"_meta":{}}}', 'params._meta', `{"params":{"_meta":{${members}}}}`],
    ['{"payload":{"query":"é"}}', 'payload.extensions', `{"payload":{"extensions":{${members}},"query":"é"}}`],
    ['{"type":1}', 'headers', `{"headers":{${members}},"type":1}`],
  ])('writes into %s', (text, path, written) => {
    expect(writeSlot(text, path, carrier)).toBe(written)
    const bytes = new TextEncoder().encode(text)
    expect(new TextDecoder().decode(writeSlot(bytes, path, carrier) as Uint8Array)).toBe(written)
  })

  it.each([
    ['a context of the application', '{"params":{"_meta":{"traceparent":"x"}}}'],
    ['a trace state of the application', '{"params":{"_meta":{"tracestate":"x"}}}'],
    ['another value in its place', '{"params":{"_meta":null}}'],
    ['no object around it', '{"params":[1]}'],
    ['nothing around it', '{"id":1}'],
    ['a text that is cut', '{"params":{"_meta":{"x":1}'],
    ['no JSON', 'hello'],
    ['more than is read', `{"params":{"x":"${'x'.repeat(20_000)}"}}`],
  ])('leaves a message with %s as it is', (_, text) => {
    expect(writeSlot(text, 'params._meta', carrier)).toBe(text)
  })

  it('adds nothing but its members, whatever the message', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.boolean(), (value, isNested) => {
        const text = JSON.stringify(isNested ? { params: value } : value)
        const written = JSON.parse(writeSlot(text, 'params._meta', carrier) as string)
        const meta = written?.params?._meta
        if (meta?.traceparent === traceparent && JSON.stringify(written) !== text) {
          delete meta.traceparent
          delete meta.tracestate
          if (Object.keys(meta).length === 0 && !text.includes('"_meta":{}')) delete written.params._meta
        }
        expect(written).toEqual(JSON.parse(text))
      }),
      { numRuns: 1000 },
    )
  })
})
