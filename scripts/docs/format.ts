import { binary, mustRun } from '../run.ts'

/** A text as the repository's formatter writes it. */
export async function format(path: string, text: string): Promise<string> {
  return mustRun(process.execPath, [binary('@biomejs/biome', 'biome'), 'format', `--stdin-file-path=${path}`], {
    input: text,
  })
}
