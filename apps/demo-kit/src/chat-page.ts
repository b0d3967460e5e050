import { readFile } from 'node:fs/promises'
import { pageBundle } from './page-bundle.ts'
import { PAGE_TELEMETRY, type PageTelemetry } from './page-telemetry.ts'

/** A file of a page. */
export interface PageFile {
  /** Its `content-type`. */
  readonly type: string
  read(): Promise<string | Buffer>
}

/**
 * Returns the files of a chat's page by the paths to serve them at.
 *
 * @param script the chat's own, which says with `chatView()` what the buttons do
 * @param telemetry where the page's telemetry goes
 */
export function chatPage(script: URL, telemetry: PageTelemetry): ReadonlyMap<string, PageFile> {
  const local = (name: string) => () => readFile(new URL(`../public/${name}`, import.meta.url))
  return new Map([
    ['/', { type: 'text/html; charset=utf-8', read: local('chat.html') }],
    ['/chat.css', { type: 'text/css; charset=utf-8', read: local('chat.css') }],
    ['/chat.js', { type: 'text/javascript; charset=utf-8', read: pageBundle(script) }],
    [PAGE_TELEMETRY, { type: 'application/json', read: async () => JSON.stringify(telemetry) }],
  ])
}
