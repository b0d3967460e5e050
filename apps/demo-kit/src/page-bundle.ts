import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

/** Returns a function that resolves to the code of a page with all that it imports: bundled once, when first asked for. */
export function pageBundle(entry: URL): () => Promise<string> {
  let bundled: Promise<string> | undefined
  return () => {
    bundled ??= bundle(fileURLToPath(entry))
    return bundled
  }
}

async function bundle(input: string): Promise<string> {
  const bundler = await rolldown({ input, platform: 'browser', logLevel: 'silent' })
  try {
    const { output } = await bundler.generate({ format: 'esm' })
    return output[0].code
  } finally {
    await bundler.close()
  }
}
