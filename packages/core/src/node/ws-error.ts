/** `ws` puts the close code that stands for a protocol error on the error, under a symbol of this description. */
const CLOSE_CODE_MARK = 'status-code'

/** The close code that stands for an error of the protocol that `ws` found; `undefined` for other errors. */
export function closeCodeOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const mark = Object.getOwnPropertySymbols(error).find((symbol) => symbol.description === CLOSE_CODE_MARK)
  const code = mark === undefined ? undefined : (error as Record<symbol, unknown>)[mark]
  return typeof code === 'number' ? code : undefined
}
