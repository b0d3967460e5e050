/** Long enough to distinguish a duration that includes it from one that does not, in ms. */
export const DELAY = 60
/** Timers may fire up to this much early, in ms. */
export const SLACK = 2

export const delay = (ms = DELAY): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
