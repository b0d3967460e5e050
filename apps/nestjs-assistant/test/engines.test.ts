import { describe, expect, it } from 'vitest'
import { compose, think } from '../src/engines/answers.ts'
import { type Intent, understand } from '../src/engines/grammar.ts'
import { numberOf, sayNumber } from '../src/engines/numbers.ts'
import { synthesize } from '../src/engines/speech.ts'
import { SYMBOL_BYTES } from '../src/engines/tones.ts'
import { transcribe } from '../src/engines/transcription.ts'

describe('speech and transcription', () => {
  const pangram = "the quick brown fox jumps over the lazy dog, doesn't it? 0123456789 well-known!"

  it('hear what was said, whatever it was', () => {
    const audio = synthesize(pangram)
    expect(audio.length).toBe(pangram.length * SYMBOL_BYTES)
    expect(transcribe(audio)).toBe(pangram)
  })

  it('hear a whisper, and somebody through a hum', () => {
    const audio = synthesize('hello')
    for (let offset = 0; offset < audio.length; offset += 2) {
      const hum = 30 * Math.sin((2 * Math.PI * 50 * offset) / 2 / 8_000)
      audio.writeInt16LE(Math.round(audio.readInt16LE(offset) / 100 + hum), offset)
    }
    expect(transcribe(audio)).toBe('hello')
  })

  it('hear nothing in silence, in noise, in a single tone, in a place without a character and in half a character', () => {
    const samples = (valueAt: (sample: number) => number) => {
      const audio = Buffer.alloc(SYMBOL_BYTES)
      for (let sample = 0; 2 * sample < audio.length; sample++) {
        audio.writeInt16LE(Math.round(valueAt(sample)), 2 * sample)
      }
      return audio
    }
    const tone = (hertz: number, sample: number) => 9_000 * Math.sin((2 * Math.PI * hertz * sample) / 8_000)
    let state = 7
    const noise = () => {
      state = (state * 48_271) % 2_147_483_647
      return (state % 20_000) - 10_000
    }
    expect(transcribe(Buffer.alloc(0))).toBeUndefined()
    expect(transcribe(samples(() => 0))).toBeUndefined()
    expect(transcribe(samples(noise))).toBeUndefined()
    expect(transcribe(samples((sample) => tone(350, sample)))).toBeUndefined()
    expect(transcribe(samples((sample) => tone(1_400, sample) + tone(2_400, sample)))).toBeUndefined()
    expect(transcribe(samples((sample) => tone(700, sample) + tone(1_700, sample)))).toBe('a')
    expect(transcribe(synthesize('hi').subarray(2))).toBeUndefined()
  })

  it('refuse to say what has no tones', () => {
    expect(() => synthesize('Ä')).toThrow(new RangeError("'Ä' cannot be said"))
  })
})

describe('numbers', () => {
  it.each([
    ['zero', 0],
    ['thirteen', 13],
    ['forty', 40],
    ['ninety nine', 99],
    ['one hundred', 100],
    ['nine hundred and nine', 909],
    ['four hundred and twenty one', 421],
  ])('%s is %i', (words, value) => {
    expect(numberOf(words)).toBe(value)
    expect(sayNumber(value)).toBe(words)
  })

  it.each([
    '',
    'many',
    'twenty ten',
    'twenty zero',
    'ten hundred',
    'one hundred two',
    'one hundred hundred',
    'six six',
  ])("'%s' is none", (words) => {
    expect(numberOf(words)).toBeUndefined()
  })

  it.each([
    [-3.5, 'minus three point five'],
    [16.09344, 'sixteen point one'],
    [0.04, 'zero'],
    [99.96, 'one hundred'],
    [1_001, 'one thousand and one'],
    [999_999, 'nine hundred and ninety nine thousand nine hundred and ninety nine'],
    [2_000_000, '2000000'],
  ])('%d is said %s', (value, words) => {
    expect(sayNumber(value)).toBe(words)
  })
})

describe('grammar', () => {
  it.each<[string, Intent]>([
    ['what is seven times six?', { kind: 'calculate', left: 7, operation: 'times', right: 6 }],
    ['what is ten divided by four', { kind: 'calculate', left: 10, operation: 'divided by', right: 4 }],
    ['how many kilometres are ten miles?', { kind: 'convert', amount: 10, from: 'miles', to: 'kilometres' }],
    ['set a timer for two seconds.', { kind: 'timer', seconds: 2 }],
    ['set a timer for one second.', { kind: 'timer', seconds: 1 }],
    ['add oat milk to my list!', { kind: 'add', item: 'oat milk' }],
    ['what is on my list?', { kind: 'list' }],
    ['what did i ask?', { kind: 'recall' }],
  ])('%s', (sentence, intent) => {
    expect(understand(sentence)).toEqual(intent)
  })

  it.each([
    'wie viel ist drei mal drei?',
    'what is seven times?',
    'what is six divided by zero?',
    'how many pounds are ten miles?',
    'how many constructor are ten miles?',
    'set a timer for ever seconds',
    '',
  ])("'%s' means nothing", (sentence) => {
    expect(understand(sentence)).toBeUndefined()
  })
})

describe('answers', () => {
  const knowledge = { list: ['milk', 'bread', 'tea'], asked: new Map([['list', 2] as const, ['timer', 1] as const]) }
  const nothing = { list: [], asked: new Map() }
  const answer = (sentence: string, known = knowledge) => compose(understand(sentence) as Intent, known)

  it('are computed', () => {
    expect(answer('what is seven times six?')).toBe('seven times six is forty two.')
    expect(answer('what is two minus nine?')).toBe('two minus nine is minus seven.')
    expect(answer('what is one plus one?')).toBe('one plus one is two.')
    expect(answer('what is ten divided by four?')).toBe('ten divided by four is two point five.')
    expect(answer('how many kilometres are ten miles?')).toBe('ten miles are sixteen point one kilometres.')
    expect(answer('how many grams are three pounds?')).toBe(
      'three pounds are one thousand three hundred and sixty point eight grams.',
    )
    expect(answer('set a timer for two seconds')).toBe('your timer rings in two seconds.')
  })

  it('know what was said before', () => {
    expect(answer('what is on my list?')).toBe('your list has milk, bread and tea.')
    expect(answer('what is on my list?', nothing)).toBe('your list is empty.')
    expect(answer('add milk to my list')).toBe('milk is on your list already.')
    expect(answer('add milk to my list', nothing)).toBe('milk is on your list now.')
    expect(answer('what did i ask?')).toBe('you have asked me two to list and one to timer.')
    expect(answer('what did i ask?', nothing)).toBe('you have asked nothing yet.')
  })

  it('are thought of word by word, until nobody listens', async () => {
    const stop = new AbortController()
    const tokens: string[] = []
    for await (const token of think('one two three.', stop.signal)) tokens.push(token)
    expect(tokens).toEqual(['one ', 'two ', 'three.'])
    const fewer: string[] = []
    for await (const token of think('one two three.', stop.signal)) {
      fewer.push(token)
      stop.abort()
    }
    expect(fewer).toEqual(['one '])
  })
})
