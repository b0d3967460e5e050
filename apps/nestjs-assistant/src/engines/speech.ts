import { COLUMN_TONES, placeOf, ROW_TONES, SAMPLE_RATE, SYMBOL_BYTES, SYMBOL_SAMPLES } from './tones.ts'

/** Peak of each of the two tones: together they stay below the largest sample. */
const AMPLITUDE = 12_000

/** Turns text into audio, 20 ms for each character. Throws a `RangeError` for a character that has no tones. */
export function synthesize(text: string): Buffer {
  const audio = Buffer.alloc(text.length * SYMBOL_BYTES)
  let offset = 0
  for (const character of text) {
    const place = placeOf(character)
    if (place === undefined) throw new RangeError(`'${character}' cannot be said`)
    const low = stepOf(ROW_TONES[place.row] as number)
    const high = stepOf(COLUMN_TONES[place.column] as number)
    for (let sample = 0; sample < SYMBOL_SAMPLES; sample++) {
      const value = AMPLITUDE * (Math.sin(low * sample) + Math.sin(high * sample))
      offset = audio.writeInt16LE(Math.round(value), offset)
    }
  }
  return audio
}

/** Radians from one sample of a tone to the next. */
function stepOf(hertz: number): number {
  return (2 * Math.PI * hertz) / SAMPLE_RATE
}
