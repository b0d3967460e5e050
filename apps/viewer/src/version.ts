import { readFileSync } from 'node:fs'

/** Version of the package. Its manifest is one folder up, of the source as of the bundle. */
export const version: string = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version
