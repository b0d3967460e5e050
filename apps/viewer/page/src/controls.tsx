import { adjust } from './route.ts'

interface SelectProps {
  readonly label: string
  readonly name: string
  readonly value: string | undefined
  /** Value and text; the first is the default and not written to the address. */
  readonly options: readonly (readonly [value: string, text: string])[]
}

/** A menu that is bound to a parameter of the route. */
export function Select({ label, name, value = '', options }: SelectProps) {
  const standard = options[0]?.[0] ?? ''
  const missing = value !== '' && !options.some(([known]) => known === value)
  return (
    <label class="choice">
      <span>{label}</span>
      <select
        aria-label={label}
        value={value || standard}
        onChange={({ currentTarget }) =>
          adjust({ [name]: currentTarget.value === standard ? '' : currentTarget.value, before: '', skip: '' })
        }
      >
        {options.map(([option, text]) => (
          <option key={option} value={option}>
            {text}
          </option>
        ))}
        {missing && <option value={value}>{value}</option>}
      </select>
    </label>
  )
}

interface CheckProps {
  readonly label: string
  readonly name: string
  readonly value: string | undefined
}

/** A box that is bound to a parameter of the route, which is `1` while it is ticked. */
export function Check({ label, name, value }: CheckProps) {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={value === '1'}
        onChange={({ currentTarget }) => adjust({ [name]: currentTarget.checked ? '1' : '', before: '', skip: '' })}
      />
      <span>{label}</span>
    </label>
  )
}

/** Menu entries for values that came with the data. */
export function choices(all: string, values: readonly string[] | undefined): (readonly [string, string])[] {
  return [['', all], ...(values ?? []).map((value) => [value, value] as const)]
}

/** What a highlight that was followed picks from the list, with the way back to the whole. */
export function PickChip({ pick = '' }: { readonly pick: string | undefined }) {
  if (pick === '') return null
  return (
    <button
      type="button"
      class="chip"
      onClick={() => adjust({ pick: '', before: '', skip: '' })}
      title={`Only ${pick}: remove this filter`}
    >
      <span>{pick}</span> ×
    </button>
  )
}
