// Copies the references of options and telemetry into the package that is being packed: `prepack` of each package.
import { cp, mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

await mkdir('docs', { recursive: true })
for (const name of ['options.md', 'telemetry.md'])
  await cp(fileURLToPath(new URL(`../../docs/${name}`, import.meta.url)), `docs/${name}`)
