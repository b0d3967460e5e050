import pc from 'picocolors'

/** Functions that colour text, or leave it alone. */
export type Colors = ReturnType<typeof pc.createColors>

/** Colours for standard output: none unless it is a terminal that takes them. */
export function terminalColors(): Colors {
  return pc.createColors(process.stdout.isTTY === true && pc.isColorSupported)
}
