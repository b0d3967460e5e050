import { COLUMN_TONES, characterAt, ROW_TONES, SAMPLE_RATE, SYMBOL_BYTES, SYMBOL_SAMPLES } from './tones.ts'

/** The share of a character's energy that its two tones must have: whispers pass, noise does not. */
const CLARITY = 0.8

/**
 * Turns audio back into text by measuring, for every 20 ms, the energy at each tone with the Goertzel algorithm.
 * Returns `undefined` for silence, and for tones that are not characters.
 */
export function transcribe(audio: Buffer): string | undefined {
  if (audio.length === 0 || audio.length % SYMBOL_BYTES !== 0) return undefined
  let text = ''
  for (let offset = 0; offset < audio.length; offset += SYMBOL_BYTES) {
    const character = hear(audio, offset)
    if (character === undefined) return undefined
    text += character
  }
  return text
}

function hear(audio: Buffer, offset: number): string | undefined {
  const samples: number[] = []
  let energy = 0
  for (let index = 0; index < SYMBOL_SAMPLES; index++) {
    const sample = audio.readInt16LE(offset + 2 * index)
    samples.push(sample)
    energy += sample * sample
  }
  const row = loudest(samples, ROW_TONES)
  const column = loudest(samples, COLUMN_TONES)
  // A pure tone's power is the square of its correlation: half a window of its energy.
  const heard = (2 * (row.power + column.power)) / SYMBOL_SAMPLES
  if (energy === 0 || heard < CLARITY * energy) return undefined
  return characterAt(row.index, column.index)
}

function loudest(samples: readonly number[], tones: readonly number[]): { index: number; power: number } {
  let best = { index: -1, power: -1 }
  tones.forEach((hertz, index) => {
    const power = powerAt(samples, hertz)
    if (power > best.power) best = { index, power }
  })
  return best
}

/** The Goertzel algorithm: one bin of a discrete Fourier transform with one multiplication for each sample. */
function powerAt(samples: readonly number[], hertz: number): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * hertz) / SAMPLE_RATE)
  let previous = 0
  let beforePrevious = 0
  for (const sample of samples) {
    const current = sample + coefficient * previous - beforePrevious
    beforePrevious = previous
    previous = current
  }
  return previous * previous + beforePrevious * beforePrevious - coefficient * previous * beforePrevious
}
