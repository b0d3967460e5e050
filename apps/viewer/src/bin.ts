#!/usr/bin/env node
import { CommanderError } from 'commander'
import { createCommand } from './cli/command.ts'

try {
  await createCommand().parseAsync()
} catch (error) {
  // What commander says it has printed already.
  if (error instanceof CommanderError) process.exitCode = error.exitCode
  else {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
