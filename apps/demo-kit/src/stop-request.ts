/** Signals that come within this time are one Ctrl-C: a terminal and a package manager may each pass it on. */
const ONE_KEYSTROKE = 500

/**
 * Waits for the wish to stop: SIGINT, SIGTERM or a call of `request`. A signal that comes later than half a second
 * after another one ends the process at once, with exit code 130.
 */
export function stopRequest(): { readonly requested: Promise<void>; readonly request: () => void } {
  let request = () => {}
  const requested = new Promise<void>((resolve) => {
    request = resolve
  })
  let firstSignal: number | undefined
  const onSignal = () => {
    if (firstSignal !== undefined && performance.now() - firstSignal > ONE_KEYSTROKE) process.exit(130)
    firstSignal ??= performance.now()
    request()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return { requested, request }
}
