/**
 * How long a test waits for something before it fails with what it has seen instead, in ms. In CI (variable `CI` is
 * set) it waits longer, since a machine may be loaded there.
 */
export const PATIENCE: number = process.env['CI'] ? 30_000 : 5000
