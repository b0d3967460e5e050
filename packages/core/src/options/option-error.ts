/** Thrown at set-up for an option that cannot work. `code` is stable. */
export class OptionError extends TypeError {
  readonly code = 'OTEL_WS_INVALID_OPTION'
  readonly option: string

  constructor(option: string, problem: string) {
    super(`otel-ws: option ${option} ${problem}`)
    this.name = 'OptionError'
    this.option = option
  }
}
