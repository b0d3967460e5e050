/**
 * Milliseconds that waits last before they fail with what they have seen instead: 5,000, and 30,000 where the variable `CI`
 * is set, since a machine may be loaded there.
 */
export const DEFAULT_TIMEOUT: number = process.env['CI'] ? 30_000 : 5000
