import { useEffect, useRef, useState } from 'preact/hooks'
import { adjust, type View } from './route.ts'

/** Milliseconds without a key until completions are asked for. */
const pause = 120

interface Props {
  readonly value: string
  readonly view: View
}

/** The search of all views, bound to parameter `q` of the route, which completes keys and values. */
export function SearchBox({ value, view }: Props) {
  const input = useRef<HTMLInputElement>(null)
  const [options, setOptions] = useState<readonly string[]>([])
  const [active, setActive] = useState(-1)
  const [typing, setTyping] = useState(0)
  const word = wordOf(value)

  useEffect(() => {
    if (typing === 0 || word === '') {
      setOptions([])
      return
    }
    const abort = new AbortController()
    const timer = setTimeout(() => {
      fetch(`api/complete?${new URLSearchParams({ view, word })}`, { signal: abort.signal })
        .then((answer) => (answer.ok ? answer.json() : []))
        .then((found: string[]) => {
          setOptions(found.filter((one) => one !== word))
          setActive(-1)
        })
        // An answer that is not needed any more, or a viewer that is gone: there is nothing to offer.
        .catch(() => setOptions([]))
    }, pause)
    return () => {
      clearTimeout(timer)
      abort.abort()
    }
  }, [typing, word, view])

  const search = (text: string) => adjust({ q: text, before: '', skip: '' })
  const complete = (option: string) => {
    const text = value.slice(0, value.length - word.length) + option
    search(option.endsWith('=') ? text : `${text} `)
    setTyping(option.endsWith('=') ? typing + 1 : 0)
    setOptions([])
    input.current?.focus()
  }
  const pressed = (event: KeyboardEvent) => {
    if (event.key === 'Escape' && options.length > 0) {
      event.preventDefault()
      event.stopPropagation()
      setOptions([])
    } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      if (options.length === 0) return
      event.preventDefault()
      const by = event.key === 'ArrowDown' ? 1 : -1
      setActive((active + by + options.length) % options.length)
    } else if ((event.key === 'Enter' || event.key === 'Tab') && options[active] !== undefined) {
      event.preventDefault()
      complete(options[active])
    }
  }
  return (
    <div class="search">
      <input
        ref={input}
        type="search"
        // biome-ignore lint/a11y/noRedundantRoles: without a `list` a search field is no combobox
        role="combobox"
        list={undefined}
        aria-label="Search"
        aria-expanded={options.length > 0}
        aria-controls="search-options"
        aria-autocomplete="list"
        aria-activedescendant={active < 0 ? undefined : `search-option-${active}`}
        placeholder="Search anything: text, id, key=value, duration>100ms, -word"
        title="Text, the start of an id, key=value, key!=value, key>10, key=*, “quoted text”, -word"
        autocomplete="off"
        spellcheck={false}
        value={value}
        maxLength={512}
        onInput={({ currentTarget }) => {
          search(currentTarget.value)
          setTyping(typing + 1)
        }}
        onKeyDown={pressed}
        onBlur={() => setOptions([])}
      />
      {options.length > 0 && (
        <div id="search-options" role="listbox" aria-label="Completions">
          {options.map((option, index) => (
            <div
              key={option}
              id={`search-option-${index}`}
              role="option"
              tabIndex={-1}
              aria-selected={index === active}
              // Before the field loses the focus, which closes the list.
              onPointerDown={(event) => {
                event.preventDefault()
                complete(option)
              }}
            >
              {option}
            </div>
          ))}
        </div>
      )}
    </div>
  )
}

/** The word that is being typed: all from the last space that is not within quotes. */
function wordOf(text: string): string {
  return /(?:[^\s"]|"[^"]*"?)*$/.exec(text)?.[0] ?? ''
}
