import { readFile, writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import type { ConnectionList, Highlights, LogList, SessionList, TraceDetail, TraceList } from '../wire.ts'
import { Client } from './client.ts'
import { connectionLines, highlightLines, logLines, sessionLines, traceLines, waterfallLines } from './tables.ts'

interface CommonFlags {
  readonly url: string
  readonly token?: string
  readonly json?: boolean
}

interface ListFlags extends CommonFlags {
  readonly failed?: boolean
  readonly slowest?: boolean
  readonly limit: string
  readonly last?: string
  readonly from?: string
  readonly to?: string
  readonly service?: string
  readonly route?: string
  readonly state?: string
  readonly sort?: string
  readonly level?: string
  readonly by?: string
}

/** Adds the commands that ask a viewer that runs: the same questions as the page, for scripts and assistants. */
export function addQuestions(command: Command): void {
  const list = (name: string, description: string) =>
    asking(command, name, description)
      .argument('[search...]', 'the search of the page: text, key=value, duration>100ms, -word')
      .option('--limit <n>', 'rows at most, up to 500', '20')
      .option('--last <seconds>', 'only what happened in so many seconds until now')
      .option('--from <time>', 'only what happened from then on: epoch milliseconds')
      .option('--to <time>', 'only what happened until then: epoch milliseconds')
      .option('--service <name>')
      .option('--route <route>')

  list('traces', 'list traces, newest first')
    .option('--failed', 'only those with a span in error')
    .option('--slowest', 'slowest first')
    .action(ask<TraceList>('traces', traceLines))
  list('connections', 'list connections, newest first')
    .option('--state <state>', 'open, closed, dropped, rejected, errors, slow or undelivered')
    .option('--sort <order>', 'newest, messages, bytes, errors, buffered, undelivered, rtt or longest')
    .action(ask<ConnectionList>('connections', connectionLines))
  list('sessions', 'list connections put together by an attribute')
    .option('--by <attribute>', 'the attribute', 'user.id')
    .action(ask<SessionList>('sessions', sessionLines))
  list('logs', 'list log records, newest first')
    .option('--level <level>', 'the least level: trace, debug, info, warn, error or fatal')
    .action(ask<LogList>('logs', logLines))
  list('highlights', 'say what is slow, fails, was turned away, dropped, waits or was lost').action(
    ask<Highlights>('highlights', highlightLines),
  )

  asking(command, 'trace <id>', 'print one trace').action(async (id: string, flags: CommonFlags) => {
    const trace = await new Client(flags).get<TraceDetail>(`traces/${encodeURIComponent(id)}`)
    print(flags, trace, waterfallLines)
  })
  asking(command, 'connection <id>', 'print one connection as JSON').action(async (id: string, flags: CommonFlags) => {
    print(flags, await new Client(flags).get(`connections/${encodeURIComponent(id)}`))
  })
  asking(command, 'status', 'print what is kept, dropped and refused as JSON').action(async (flags: CommonFlags) => {
    print(flags, await new Client(flags).get('status'))
  })
  asking(command, 'export [file]', 'save everything, a trace or a connection as OTLP/JSON, to a file or the output')
    .option('--trace <id>')
    .option('--connection <id>')
    .action(async (file: string | undefined, flags: CommonFlags & { trace?: string; connection?: string }) => {
      const { trace, connection } = flags
      const search = new URLSearchParams({ ...(trace && { trace }), ...(connection && { connection }) })
      const body = await new Client(flags).text(`export?${search}`)
      if (file === undefined) process.stdout.write(body)
      // What telemetry says of users is for no one else on the machine.
      else await writeFile(file, body, { mode: 0o600 })
    })
  asking(command, 'import <file>', 'open a file of OTLP/JSON in the viewer').action(
    async (file: string, flags: CommonFlags) => {
      print(flags, await new Client(flags).post('import', await readFile(file)))
    },
  )
}

function asking(command: Command, name: string, description: string): Command {
  return command
    .command(name)
    .description(description)
    .option('--url <address>', 'address of the viewer', process.env.OTEL_WS_VIEWER_URL ?? 'http://127.0.0.1:4318')
    .option('--token <text>', 'its token, where it asks for one', process.env.OTEL_WS_VIEWER_TOKEN)
    .option('--json', 'print JSON')
}

function ask<T>(name: string, lines: (answer: T) => string[]) {
  return async (search: readonly string[], flags: ListFlags): Promise<void> => {
    const { limit, last, from, to, service, route, state, level, by } = flags
    const sort = flags.slowest ? 'slowest' : flags.sort
    const errors = flags.failed ? '1' : undefined
    const given = { q: search.join(' '), limit, last, from, to, service, route, state, level, by, sort, errors }
    const query = new URLSearchParams(Object.entries(given).filter((pair): pair is [string, string] => !!pair[1]))
    print(flags, await new Client(flags).get<T>(`${name}?${query}`), lines)
  }
}

/** Prints an answer: as lines for people where there are such, else and with `--json` as JSON. */
function print<T>(flags: CommonFlags, answer: T, lines?: (answer: T) => string[]): void {
  if (flags.json || lines === undefined) console.log(JSON.stringify(answer, undefined, 2))
  else for (const line of lines(answer)) console.log(line)
}
