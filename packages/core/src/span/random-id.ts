/** 16 random hex digits. */
export function randomId(): string {
  const [bits] = crypto.getRandomValues(new BigUint64Array(1))
  return (bits as bigint).toString(16).padStart(16, '0')
}
