import { randomUUID } from 'node:crypto'

const NAME = /^[\p{L}\p{N}_-]{1,20}$/u

/** Who may chat: a name is claimed once and is then known by its token. */
export class Accounts {
  readonly #names = new Map<string, string>()

  /** Claims a name and returns the token that proves it; undefined when the name is taken or not a name. */
  signUp(name: string): string | undefined {
    if (!NAME.test(name) || [...this.#names.values()].includes(name)) return undefined
    const token = randomUUID()
    this.#names.set(token, name)
    return token
  }

  /** The name that a token proves. */
  nameOf(token: string | undefined): string | undefined {
    return token === undefined ? undefined : this.#names.get(token)
  }
}
