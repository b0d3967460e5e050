/** Makes text from outside safe and one line long for a terminal: control characters are shown, not obeyed. */
export function printable(text: string): string {
  return text.replace(/\p{C}/gu, (character) => `\\u{${(character.codePointAt(0) as number).toString(16)}}`)
}

/** Cuts text to a width, the last character being an ellipsis when something is missing. */
export function cut(text: string, width: number): string {
  if (text.length <= width) return text
  return width < 1 ? '' : `${text.slice(0, width - 1)}…`
}

/** Writes a time of day of the machine's time zone: `10:41:02.113`. */
export function clock(milliseconds: number): string {
  const date = new Date(milliseconds)
  const pad = (value: number, digits: number) => String(value).padStart(digits, '0')
  const seconds = `${pad(date.getSeconds(), 2)}.${pad(date.getMilliseconds(), 3)}`
  return `${pad(date.getHours(), 2)}:${pad(date.getMinutes(), 2)}:${seconds}`
}

/** Shortens a trace id to the digits that distinguish the traces of one demo. */
export function shortId(id: string): string {
  return id.slice(0, 6)
}
