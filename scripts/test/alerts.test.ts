import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Binary, promtoolBinary } from '@otel-ws/services'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { alerts } from '../dashboards/alerts.ts'
import { type Naming, seriesNames } from '../dashboards/names.ts'
import { rulesYaml } from '../dashboards/rules.ts'
import { available } from './alerts/available.ts'
import { type Incident, incidents, quiet } from './alerts/incidents.ts'
import { samplesOf } from './alerts/series.ts'
import { Service } from './alerts/service.ts'

const execute = promisify(execFile)
const JOB = 'chat'

const promtool = await available(promtoolBinary, 'the tests of the alerts')
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'alerts-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** The values of each series, one for each step; `_` before it was there. */
type Recording = Map<string, (number | '_')[]>

/** An ordinary day of a real server and real clients, and then an incident. */
async function record(incident: Incident | undefined, naming: Naming): Promise<Recording> {
  const service = new Service(incident?.options)
  const recording: Recording = new Map()
  const before = incident === undefined ? 150 : (incident.before ?? 24)
  const steps = before + (incident?.steps ?? 0)
  try {
    await service.start()
    await service.connect(60)
    for (let step = 0; step < steps; step++) {
      if (step < before || incident === undefined) await quiet(service, step)
      else await incident.step(service, step - before)
      for (const { series, value } of samplesOf(await service.collect(), naming, JOB)) {
        const values = recording.get(series) ?? Array.from({ length: step }, () => '_' as const)
        values.push(value)
        recording.set(series, values)
      }
    }
  } finally {
    await service.stop()
  }
  return recording
}

/** The names of the alerts that fire at the end of a recording. */
async function firing(recording: Recording, naming: Naming, name: string): Promise<string[]> {
  const rules = parse(rulesYaml(naming)) as { groups: { rules: { annotations?: unknown }[] }[] }
  // Texts contain the value, which is measured.
  for (const { rules: all } of rules.groups) for (const rule of all) delete rule.annotations
  const length = Math.max(...[...recording.values()].map((values) => values.length))
  const test = {
    rule_files: ['rules.yaml'],
    evaluation_interval: '15s',
    tests: [
      {
        interval: '15s',
        input_series: [...recording].map(([series, values]) => ({ series, values: values.join(' ') })),
        // An expectation that nothing meets: the output names what fires.
        alert_rule_test: alerts(naming).map((alert) => ({
          eval_time: `${(length - 1) * 15}s`,
          alertname: alert.name,
          exp_alerts: [],
        })),
      },
    ],
  }
  await writeFile(join(folder, 'rules.yaml'), stringify(rules))
  const file = join(folder, `${name.replaceAll(/\W+/g, '-')}.yaml`)
  await writeFile(file, stringify(test, { lineWidth: 0 }))
  const { command, env } = promtool as Binary
  const output = await execute(command, ['test', 'rules', file], {
    env: { ...process.env, ...env },
    cwd: folder,
    maxBuffer: 64 * 1024 * 1024,
  }).then(
    ({ stdout }) => stdout,
    (error: { stdout: string; stderr: string }) => error.stdout + error.stderr,
  )
  if (!/SUCCESS|alertname: /.test(output)) throw new Error(output)
  return [...new Set([...output.matchAll(/alertname: ?"?(\w+)"?, time/g)].map(([, found]) => found as string))].sort()
}

it.skipIf(promtool === undefined).each(['suffixes', 'plain'] as const)(
  'no alert fires on an ordinary day, with names of kind %s',
  async (naming) => {
    const recording = await record(undefined, naming)
    expect(await firing(recording, naming, `quiet-${naming}`)).toEqual([])
    // What is recorded has the names that the rules read.
    const handled = seriesNames(naming)('websocket.server.message.process.duration', 'count')
    expect([...recording.keys()].filter((series) => series.startsWith(`${handled}{`))).toHaveLength(1)
  },
)

describe.skipIf(promtool === undefined)('the alert of an incident fires, and no other', () => {
  it.each(incidents.map((incident) => [incident.name, incident] as const))('%s', async (name, incident) => {
    const recording = await record(incident, 'suffixes')
    expect(await firing(recording, 'suffixes', name)).toEqual([...incident.alerts])
  })
})

it('every alert has its incident', () => {
  const tried = new Set(incidents.flatMap((incident) => incident.alerts))
  expect(
    alerts('suffixes')
      .map(({ name }) => name)
      .filter((name) => !tried.has(name)),
  ).toEqual([])
})
