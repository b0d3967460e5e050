import { runbook } from '../dashboards/runbook.ts'
import { compatibilityTable } from './compatibility.ts'
import { conventionFiles } from './conventions.ts'
import { format } from './format.ts'
import { optionsReference } from './options.ts'
import { telemetryReference } from './telemetry.ts'
import { versionSources } from './versions.ts'

/** The text of every document and source file that is generated from sources alone, by path. */
export async function documents(): Promise<Record<string, string>> {
  const texts = {
    'docs/telemetry.md': await telemetryReference(),
    'docs/options.md': await optionsReference(),
    'docs/operating.md': runbook(),
    'docs/compatibility.md': await compatibilityTable(),
    ...(await versionSources()),
  }
  const formatted = Object.entries(texts).map(async ([path, text]) => [path, await format(path, text)] as const)
  return { ...Object.fromEntries(await Promise.all(formatted)), ...(await conventionFiles()) }
}
