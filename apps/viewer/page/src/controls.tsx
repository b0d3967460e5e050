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
    <label>
      <span>{label}</span>
      <select
        value={value || standard}
        onChange={({ currentTarget }) =>
          adjust({ [name]: currentTarget.value === standard ? '' : currentTarget.value })
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

interface SearchProps {
  readonly value: string | undefined
  readonly placeholder: string
}

/** The search field that is bound to parameter `q` of the route. */
export function Search({ value = '', placeholder }: SearchProps) {
  return (
    <input
      type="search"
      aria-label="Filter"
      placeholder={placeholder}
      value={value}
      maxLength={512}
      onInput={({ currentTarget }) => adjust({ q: currentTarget.value })}
    />
  )
}

/** Menu entries for values that came with the data. */
export function choices(all: string, values: readonly string[] | undefined): (readonly [string, string])[] {
  return [['', all], ...(values ?? []).map((value) => [value, value] as const)]
}
