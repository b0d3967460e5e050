/** Samples per second of all audio: 16-bit little-endian PCM, one channel. */
export const SAMPLE_RATE = 8_000

/** Samples of one character, 20 ms: every tone below fits into them a whole number of times, so no two of them mix. */
export const SYMBOL_SAMPLES = 160

/** Bytes of one character. */
export const SYMBOL_BYTES = 2 * SYMBOL_SAMPLES

/** The supported characters. Each is the sum of two tones: of its row and of its column. */
const ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789 .,?!'-"

const COLUMNS = 8

/** Hertz of the eight rows, then of the eight columns. */
export const ROW_TONES: readonly number[] = Array.from({ length: 8 }, (_, index) => 700 + 100 * index)
export const COLUMN_TONES: readonly number[] = Array.from({ length: COLUMNS }, (_, index) => 1_700 + 100 * index)

/** The row and column of a character; undefined for one that cannot be said. */
export function placeOf(character: string): { readonly row: number; readonly column: number } | undefined {
  const index = ALPHABET.indexOf(character)
  return index < 0 ? undefined : { row: Math.floor(index / COLUMNS), column: index % COLUMNS }
}

/** The character in a place; undefined when the place is empty. */
export function characterAt(row: number, column: number): string | undefined {
  return ALPHABET[row * COLUMNS + column]
}
