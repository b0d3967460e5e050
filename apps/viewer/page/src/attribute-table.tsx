import type { Attribute } from '../../src/model.ts'
import { CopyButton } from './copy-button.tsx'
import { quoted } from './highlight-cards.ts'
import { href, type View } from './route.ts'

interface Props {
  readonly title: string
  readonly attributes: readonly Attribute[]
  /** The list that a search for a value leads to. */
  readonly view?: View
  /** Said where there are none; without it nothing is shown then. */
  readonly empty?: string
}

/** Keys and values, each of which can be copied and looked for. */
export function AttributeTable({ title, attributes, view = 'traces', empty }: Props) {
  if (attributes.length === 0 && empty === undefined) return null
  return (
    <section>
      <h3 class="part">{title}</h3>
      {attributes.length === 0 && <p class="muted">{empty}</p>}
      <table class="attributes">
        <tbody>
          {attributes.map(([key, value]) => (
            <tr key={key}>
              <th scope="row">{key}</th>
              <td>
                <span>{String(value)}</span>
                <span class="tools">
                  <CopyButton text={String(value)} label={`Copy the value of ${key}`} />
                  {String(value).length <= 200 && (
                    <a
                      href={href(view, { q: `${key}=${quoted(String(value))}` })}
                      title={`Find ${view} with this value`}
                      aria-label={`Find ${view} with this value of ${key}`}
                    >
                      ⌕
                    </a>
                  )}
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
