import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { connect } from '@otel-ws/testkit'
import { connect as connectSocketIo } from 'socket.io-client'
import { Receiver } from './receiver.ts'

/** Output of an application that has ended. */
export interface Outcome {
  readonly receiver: Receiver
  readonly stderr: string
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface Run {
  readonly folder: string
  /** Arguments of `node`. */
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Connects to the application at its port. */
  readonly talk: (port: string) => Promise<void>
  /** Prefix of the name of the span to wait for before the application is stopped. Default: the span of a close. */
  readonly until?: string | undefined
  /** Default: SIGTERM. */
  readonly stop?: NodeJS.Signals
}

/** Starts an application, connects to it, stops it, and waits until it has exported its telemetry. */
export async function runApplication({
  folder,
  args,
  env,
  talk,
  until = 'close',
  stop = 'SIGTERM',
}: Run): Promise<Outcome> {
  const receiver = await Receiver.start()
  const child = spawn(process.execPath, [...args], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'],
      OTEL_SERVICE_NAME: 'app',
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_LOGS_EXPORTER: 'none',
      OTEL_BSP_SCHEDULE_DELAY: '100',
      OTEL_NODE_RESOURCE_DETECTORS: 'env',
      OTEL_WS_MESSAGE_NAME: '$.type',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    stderr += chunk
  })
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  try {
    await talk(await firstLine(child, () => stderr))
    // The server learns of a close when the client has done so already.
    if (until !== '') await Promise.race([receiver.waitFor(until), ended])
    child.kill(stop)
    const [code, signal] = await ended
    return { receiver, stderr, code, signal }
  } finally {
    child.kill('SIGKILL')
    receiver.stop()
  }
}

async function firstLine(child: ChildProcess, stderr: () => string): Promise<string> {
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) return line
  throw new Error(`the application ended before it listened: ${stderr()}`)
}

/** Sends a message to a Nest gateway, awaits the answer, and closes. */
export async function askGateway(url: string): Promise<void> {
  const client = await connect(url)
  client.send(JSON.stringify({ event: 'question', data: 'why' }))
  const answer = await client.next()
  if (answer !== '{"event":"answer","data":"why"}') throw new Error(`unexpected answer ${answer}`)
  await client.close(1000)
}

/** Joins a namespace, sends an event, awaits its acknowledgement, and disconnects. */
export async function askByEvent(url: string): Promise<void> {
  const client = connectSocketIo(url, { transports: ['websocket'], reconnection: false })
  const answer: unknown = await client.emitWithAck('question', 'why')
  if (answer !== 'why') throw new Error(`unexpected answer ${answer}`)
  client.disconnect()
}

/** Sends a message to a relay, awaits the answer, and closes. */
export async function askRelay(port: string, way: string): Promise<void> {
  const client = await connect(`ws://127.0.0.1:${port}/relay`)
  client.send(way)
  const answer = await client.next()
  if (answer !== 'answer') throw new Error(`unexpected answer ${answer}`)
  await client.close(1000)
}

/** Connects, sends a message, awaits the answer, and closes. */
export async function ask(url: string, protocols: string[] = []): Promise<void> {
  const client = await connect(url, protocols)
  client.send(JSON.stringify({ type: 'question' }))
  const answer = await client.next()
  if (answer !== '{"type":"answer","to":"question"}') throw new Error(`unexpected answer ${answer}`)
  await client.close(1000)
}

/** The spans of one connection with one message that is answered, with a span of the application's own below it. */
export const conversation = (route: string): string[] => [
  `GET ${route} SERVER`,
  `close ${route} INTERNAL ~ GET ${route}`,
  `open ${route} INTERNAL < GET ${route}`,
  `process question INTERNAL ~ GET ${route}`,
  'send answer INTERNAL < process question',
  'work INTERNAL < process question',
]
