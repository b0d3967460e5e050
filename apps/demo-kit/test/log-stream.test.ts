import pc from 'picocolors'
import { expect, it } from 'vitest'
import { logStream } from '../src/log-stream.ts'
import { clock } from '../src/text.ts'
import { START } from './fixture.ts'

it('prints JSON log lines below the columns of the traces, with their trace id', () => {
  const lines: string[] = []
  const stream = logStream((line) => lines.push(line), pc.createColors(false))
  const record = { level: 50, time: START, trace_id: '4f1c2a9b00000000', err: { type: 'Down' }, msg: 'no\nanswer' }
  stream.write(`${JSON.stringify(record)}\n${JSON.stringify({ level: 40, time: START, msg: 'rejected a login' })}\n`)
  stream.write('not JSON\n')
  expect(lines).toEqual([
    `${clock(START)}  4f1c2a  log ERROR Down: no\\u{a}answer`,
    `${clock(START)}          log WARN  rejected a login`,
    'not JSON',
  ])
})
