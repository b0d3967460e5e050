import type { Page } from 'playwright-core'

interface TraceEvent {
  readonly name: string
  readonly ph: string
  readonly pid: number
  readonly tid: number
  /** Microseconds that it lasted, and that its thread had the processor meanwhile. */
  readonly dur?: number
  readonly tdur?: number
}

export interface TaskTime {
  /** Milliseconds that it lasted. */
  readonly elapsed: number
  /** Milliseconds of them on the processor: on a machine that is busy with other things the rest is waiting. */
  readonly busy: number
}

/** Records the tasks of a page's main thread. Returns what ends the recording, with the tasks that kept it longest first. */
export async function recordTasks(page: Page): Promise<() => Promise<TaskTime[]>> {
  const session = await page.context().newCDPSession(page)
  const events: TraceEvent[] = []
  session.on('Tracing.dataCollected', ({ value }) => events.push(...(value as unknown as TraceEvent[])))
  await session.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { includedCategories: ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline'] },
  })
  return async () => {
    const complete = new Promise((resolve) => session.once('Tracing.tracingComplete', resolve))
    await session.send('Tracing.end')
    await complete
    return tasksOf(events)
  }
}

function tasksOf(events: readonly TraceEvent[]): TaskTime[] {
  const thread = mainThread(events)
  return events
    .filter((event) => event.ph === 'X' && event.name === 'RunTask' && threadOf(event) === thread)
    .map(({ dur = 0, tdur = 0 }) => ({ elapsed: dur / 1000, busy: tdur / 1000 }))
    .sort((a, b) => b.busy - a.busy)
}

/** The thread that lays the page out. */
function mainThread(events: readonly TraceEvent[]): string | undefined {
  const layouts = new Map<string, number>()
  for (const event of events) {
    if (event.name === 'Layout') layouts.set(threadOf(event), (layouts.get(threadOf(event)) ?? 0) + 1)
  }
  return [...layouts].sort(([, a], [, b]) => b - a)[0]?.[0]
}

function threadOf({ pid, tid }: TraceEvent): string {
  return `${pid}:${tid}`
}
