/** Path and query of a request that a hook is given: those of Node have nothing else, those of the Web an address. */
export function pathOf({ url = '' }: { readonly url?: string }): string {
  const { pathname, search } = new URL(url, 'http://host')
  return pathname + search
}
