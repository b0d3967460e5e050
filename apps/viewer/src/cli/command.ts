import { Command, InvalidArgumentError } from 'commander'
import { version } from '../version.ts'
import { addQuestions } from './questions.ts'
import { type StartFlags, start } from './start.ts'

/** The command line of the viewer: it starts one, or asks one that runs. */
export function createCommand(): Command {
  const command = new Command('otel-ws-viewer')
    .description('Shows OpenTelemetry traces, metrics and logs, live, of everything that exports OTLP to it.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .showHelpAfterError('(add --help for what there is)')
    .enablePositionalOptions()
    .exitOverride()
    .option('--port <n>', 'port for the page and OTLP/HTTP; 0 takes any that is free', wholeNumber('port'))
    .option('--grpc-port <n>', 'port for OTLP/gRPC; "off" for none', grpcPort)
    .option('--host <address>', 'address to listen on; other than this machine a token is asked for')
    .option('--token <text>', 'token that page, API and exporters have to carry')
    .option('--allow-host <name>', 'further host name the viewer may be asked under; may be repeated', repeated, [])
    .option('--allow-origin <url>', 'further origin whose pages may export to it; may be repeated', repeated, [])
    .option('--max-spans <n>', 'spans to keep (50000)', wholeNumber('max-spans'))
    .option('--max-megabytes <n>', 'memory for spans, in MiB (128)', wholeNumber('max-megabytes'))
    .option('--store <file>', 'file in which what is received is kept across restarts')
    .option('--max-store-megabytes <n>', 'size of that file, in MiB (64)', wholeNumber('max-store-megabytes'))
    .option('--open', 'open the page in the browser')
    .action((flags: StartFlags) => start(flags))
  addQuestions(command)
  return command
}

function wholeNumber(flag: string) {
  return (value: string): number => {
    if (!/^\d+$/.test(value)) throw new InvalidArgumentError(`--${flag} takes a whole number, not "${value}"`)
    return Number(value)
  }
}

function grpcPort(value: string): number | false {
  return value === 'off' ? false : wholeNumber('grpc-port')(value)
}

function repeated(value: string, before: readonly string[]): readonly string[] {
  return [...before, value]
}
