// Writes the generated documents: `pnpm generate`.
import { writeDocuments } from './docs/documents.ts'

await writeDocuments()
