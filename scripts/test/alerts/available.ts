import type { Binary } from '@otel-ws/services'

/** A program that some machines cannot have. In CI it must be there; elsewhere one line says what is skipped, and why. */
export async function available(find: () => Promise<Binary>, tests: string): Promise<Binary | undefined> {
  try {
    return await find()
  } catch (error) {
    if (process.env.CI) throw error
    console.warn(`Skipped: ${tests}. ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}
