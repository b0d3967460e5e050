/** Asks the read API of a viewer that runs. Its methods throw an `Error` that says what is wrong, for the terminal. */
export class Client {
  readonly #url: string
  readonly #headers: Readonly<Record<string, string>>

  constructor({ url, token }: { readonly url: string; readonly token?: string | undefined }) {
    this.#url = url.replace(/\/+$/, '')
    this.#headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  }

  async get<T>(path: string): Promise<T> {
    return (await (await this.#fetch(path)).json()) as T
  }

  async text(path: string): Promise<string> {
    return (await this.#fetch(path)).text()
  }

  async post(path: string, body: Uint8Array<ArrayBuffer>): Promise<unknown> {
    return (await this.#fetch(path, { method: 'POST', body })).json()
  }

  async #fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const address = `${this.#url}/api/${path}`
    let answer: Response
    try {
      answer = await fetch(address, { ...init, headers: this.#headers })
    } catch {
      throw new Error(
        `No viewer answers at ${this.#url}: start one with otel-ws-viewer, or say where it is with --url.`,
      )
    }
    if (answer.ok) return answer
    const why = (await answer.text()).trim()
    throw new Error(
      answer.status === 404 ? `There is no such thing, or it is not kept: ${path}` : why || answer.statusText,
    )
  }
}
