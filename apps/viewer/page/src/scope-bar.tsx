import type { Status } from '../../src/wire.ts'
import { choices, Select } from './controls.tsx'
import { adjust, type Route, scopeOf } from './route.ts'
import { SearchBox } from './search-box.tsx'
import { TimePicker } from './time-picker.tsx'

interface Props {
  readonly route: Route
  readonly status: Status | undefined
}

/** What the page is about: search, service, route and time, for lists, cards and charts alike. */
export function ScopeBar({ route: { view, params }, status }: Props) {
  const { q = '', service = '', route = '' } = params
  const chosen = Object.keys(scopeOf(params)).length > 0
  return (
    <search class="scope">
      <SearchBox value={q} view={view} />
      <Select label="Service" name="service" value={service} options={choices('all services', status?.services)} />
      <Select label="Route" name="route" value={route} options={choices('all routes', status?.routes)} />
      <TimePicker params={params} />
      {chosen && (
        <button
          type="button"
          onClick={() => adjust({ q: '', service: '', route: '', last: '', from: '', to: '', before: '', skip: '' })}
        >
          Reset
        </button>
      )}
    </search>
  )
}
