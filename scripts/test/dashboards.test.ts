import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus'
import { prometheusBinary } from '@otel-ws/services'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { recordingRules } from '../dashboards/alerts.ts'
import { instrumentNames, type Naming, seriesNames } from '../dashboards/names.ts'
import { rows, SELECTOR } from '../dashboards/panels.ts'
import { rulesYaml } from '../dashboards/rules.ts'
import { available } from './alerts/available.ts'
import { Day } from './alerts/day.ts'
import { samplesOf } from './alerts/series.ts'

const NAMINGS = ['suffixes', 'plain'] as const
const day = new Day()
let exporters: Server
let prometheus: ChildProcess | undefined
const binary = await available(prometheusBinary, 'the tests of the dashboards')
let folder: string
let url: string
let stepping: Promise<void> = Promise.resolve()

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** What a scrape gets: a collection by the rules of OTLP, or as the exporter of the SDK writes it. */
async function exposition(naming: Naming): Promise<string> {
  const collected = await day.collect()
  if (naming === 'plain') return new PrometheusSerializer('', false, undefined, true, true).serialize(collected)
  const lines = samplesOf(collected, 'suffixes', 'chat').map(({ series, value }) => `${series} ${value}\n`)
  return lines.join('')
}

beforeAll(async () => {
  if (binary === undefined) return
  folder = await mkdtemp(join(tmpdir(), 'dashboards-'))
  await day.start()
  exporters = createServer(async (request, response) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4')
    response.end(await exposition(request.url === '/plain' ? 'plain' : 'suffixes'))
    // Each scrape finds that something has happened since the last one.
    stepping = stepping.then(() => day.step())
  }).listen(0, '127.0.0.1')
  await once(exporters, 'listening')
  const { port } = exporters.address() as AddressInfo
  const scrapes = NAMINGS.map(
    (naming) =>
      `  - {job_name: chat, honor_labels: ${naming === 'suffixes'}, metrics_path: /${naming}, static_configs: [{targets: ["127.0.0.1:${port}"]}]}`,
  )
  // The two have the names of their jobs in common, so each is scraped by a job of its own.
  const jobs = scrapes.map((line, index) => line.replace('job_name: chat', `job_name: chat-${NAMINGS[index]}`))
  await Promise.all(NAMINGS.map((naming) => writeFile(join(folder, `${naming}.yaml`), rulesYaml(naming))))
  const config = [
    'global: {scrape_interval: 1s, evaluation_interval: 1s}',
    'rule_files: [suffixes.yaml, plain.yaml]',
    'scrape_configs:',
    ...jobs,
  ]
  await writeFile(join(folder, 'prometheus.yml'), `${config.join('\n')}\n`)
  const listen = `127.0.0.1:${await freePort()}`
  url = `http://${listen}`
  const { command, env } = binary
  prometheus = spawn(
    command,
    [`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/data`, `--web.listen-address=${listen}`],
    { env: { ...process.env, ...env }, stdio: 'ignore' },
  )
})

afterAll(async () => {
  if (prometheus === undefined) return
  prometheus.kill('SIGKILL')
  exporters?.closeAllConnections()
  exporters?.close()
  await stepping
  await day.stop()
  await rm(folder, { recursive: true, force: true })
})

it('every instrument of servers has its chart, but those that few have', () => {
  const series = seriesNames('suffixes')
  const shown = JSON.stringify(rows('suffixes'))
  const missing = instrumentNames.filter((name) => {
    const isHistogram = series(name, 'bucket') !== series(name)
    return !['count', 'bucket'].some((part) =>
      shown.includes(`${series(name, isHistogram ? (part as 'count') : undefined)}{`),
    )
  })
  // One is recorded with an option only, the other for subscriptions only.
  expect(missing.filter((name) => name.startsWith('websocket.server.'))).toEqual([
    'websocket.server.message.size',
    'websocket.server.operation.items',
  ])
})

/** The number of series that a query returns, once it returns any. */
async function dataOf(query: string): Promise<number> {
  for (;;) {
    const response = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(query)}`).catch(() => undefined)
    const body = (await response?.json().catch(() => undefined)) as
      | { status: string; error?: string; data?: { result: { value: [number, string] }[] } }
      | undefined
    if (body?.status === 'error') throw new Error(`${query}: ${body.error}`)
    const found = body?.data?.result.filter(({ value: [, value] }) => value !== 'NaN').length ?? 0
    if (found > 0) return found
    // The next scrape may have it.
    await once(exporters, 'request')
  }
}

describe.skipIf(binary === undefined).each(NAMINGS)('with names of kind %s', (naming) => {
  /** A query of the dashboard with its variables replaced as Grafana replaces them where all is selected. */
  const replaced = (query: string): string =>
    query
      .replaceAll(SELECTOR.slice(0, -1), `{job=~".*", websocket_route=~".*|", websocket_namespace=~".*|"`)
      .replaceAll('$__rate_interval', '10s')

  it.each(
    rows(naming).flatMap((row) =>
      row.panels.flatMap(({ title, targets }) =>
        targets.map(({ expression }, index) => [`${row.title} / ${title} / ${index + 1}`, expression] as const),
      ),
    ),
  )('%s has data', async (_, expression) => {
    expect(await dataOf(replaced(expression))).toBeGreaterThan(0)
  })

  it('the rules record their series', async () => {
    for (const { name } of recordingRules(naming)) expect(await dataOf(name)).toBeGreaterThan(0)
  })

  it('the variables have values', async () => {
    const active = seriesNames(naming)('websocket.server.connection.active')
    for (const of of ['job', 'websocket_route', 'websocket_namespace']) {
      expect(await dataOf(`count by (${of}) (${active}{${of}!=""})`)).toBeGreaterThan(0)
    }
  })
})
