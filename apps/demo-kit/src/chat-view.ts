import { act } from './page-sdk.ts'

/** Called by the page of a chat when the user acts. */
export interface ChatActions {
  /** Name of the chat. */
  readonly title: string
  /** The user submitted the login form. */
  enter(name: string, room: string): unknown
  /** Other ways to enter, by the label of their button. */
  readonly entrances?: Readonly<Record<string, (room: string) => unknown>>
  say(text: string): unknown
  whisper(to: string, text: string): unknown
  /** Actions to try, by the label of their button. */
  readonly attempts: Readonly<Record<string, () => unknown>>
  leave(): unknown
}

/** Updates the page of a chat. */
export interface ChatView {
  /** Shows the room instead of the login form. */
  showRoom(me: string, room: string): void
  showMembers(names: readonly string[]): void
  /** Shows the state of the connection. */
  showState(text: string, className?: 'bad'): void
  /** Shows why the login was rejected. */
  refuse(reason: string): void
  addLine(who: string, text: string, className?: 'note' | 'private' | 'bad'): void
}

/** Number of lines that are kept. */
const MAX_LINES = 500

/** Connects `chat.html` with the actions of a chat. Every click in the room is a root span. */
export function chatView(actions: ChatActions): ChatView {
  const lines = element('lines')
  const text = input('text')
  let me = ''

  document.title = actions.title
  element('name-of-chat').textContent = actions.title
  element('login-form').addEventListener('submit', (event) => {
    event.preventDefault()
    actions.enter(input('name').value, input('room').value)
  })
  for (const [label, enter] of Object.entries(actions.entrances ?? {})) {
    element('entrances').append(button(label, () => enter(input('room').value)))
  }
  for (const [label, attempt] of Object.entries(actions.attempts)) {
    element('attempts').append(button(label, () => act(`click ${label}`, attempt)))
  }
  element('leave').addEventListener('click', () => actions.leave())
  element('composer').addEventListener('submit', (event) => {
    event.preventDefault()
    const [, to, secret] = /^\/to (\S+) (.+)$/.exec(text.value) ?? []
    if (to === undefined || secret === undefined) act('click say', () => actions.say(text.value))
    else act('click whisper', () => actions.whisper(to, secret))
    text.value = ''
  })

  return {
    showRoom(name, room) {
      me = name
      element('title').textContent = `${name} in ${room}`
      element('login').hidden = true
      element('chat').hidden = false
      this.showState('connected')
      text.focus()
    },
    showMembers(names) {
      element('members').replaceChildren(...names.map((name) => make('li', name === me ? `${name} (you)` : name)))
    },
    showState(state, className) {
      element('state').textContent = state
      element('state').className = className ?? ''
    },
    refuse(reason) {
      element('login-error').textContent = reason
    },
    addLine(who, said, className) {
      const line = make('li')
      line.className = className ?? ''
      if (who !== '') line.append(make('b', who))
      line.append(said)
      const atEnd = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 40
      lines.append(line)
      if (lines.childElementCount > MAX_LINES) lines.firstElementChild?.remove()
      if (atEnd) line.scrollIntoView()
    },
  }
}

function element(id: string): HTMLElement {
  return document.getElementById(id) as HTMLElement
}

function input(id: string): HTMLInputElement {
  return element(id) as HTMLInputElement
}

function make(tag: 'li' | 'b', text = ''): HTMLElement {
  return Object.assign(document.createElement(tag), { textContent: text })
}

function button(label: string, onClick: () => unknown): HTMLElement {
  const made = Object.assign(document.createElement('button'), {
    type: 'button',
    className: 'quiet',
    textContent: label,
  })
  made.addEventListener('click', () => onClick())
  return made
}
