const HEX = '0123456789abcdef'

/** 16 random hex digits. One flat string: a concatenated one would take three times the memory for as long as the connection lives. */
export function randomId(): string {
  const codes: number[] = []
  for (let digit = 0; digit < 16; digit++) codes.push(HEX.charCodeAt(Math.random() * 16))
  return String.fromCharCode(...codes)
}
