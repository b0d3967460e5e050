const bytes = Buffer.from([0, 1, 2, 0xfe, 0xff])

/** What applications pass to `send`, right and wrong. */
const DATA: readonly unknown[] = [
  'text',
  '',
  '{"type":"said","n":1}',
  'ä€😀',
  'z'.repeat(66_000),
  bytes,
  new Uint8Array(bytes),
  bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + 3),
  new DataView(new ArrayBuffer(4)),
  7,
  null,
  undefined,
  {},
  [1, 2],
]

const OPTIONS: readonly unknown[] = [
  undefined,
  {},
  { binary: true },
  { binary: false },
  { compress: false },
  { fin: true },
  null,
]

/** Arguments of an event that an application emits itself. */
const EMITTED: readonly (readonly unknown[])[] = [
  [],
  [Buffer.from('own'), false],
  [Buffer.from('own'), true, 'more', 4],
  ['text'],
  [undefined],
  [{ an: 'object' }, 1, 2, 3, 4],
]

const PING_DATA: readonly unknown[] = [undefined, '', 'beat', Buffer.from('beat'), 12, 'p'.repeat(126)]

const pick =
  <T>(values: readonly T[]) =>
  (index: number): T =>
    values[index % values.length] as T

export const dataAt = pick(DATA)
export const optionsAt = pick(OPTIONS)
export const emittedAt = pick(EMITTED)
export const pingDataAt = pick(PING_DATA)
