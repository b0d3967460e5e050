import { act } from './page-sdk.ts'

/** What a chat does when somebody uses its page. */
export interface ChatActions {
  /** Name of the chat. */
  readonly title: string
  /** Somebody wants to come in. */
  enter(name: string, room: string): unknown
  /** Further ways in, by what their buttons say. */
  readonly entrances?: Readonly<Record<string, (room: string) => unknown>>
  say(text: string): unknown
  whisper(to: string, text: string): unknown
  /** What else there is to try, by what its button says. */
  readonly attempts: Readonly<Record<string, () => unknown>>
  leave(): unknown
}

/** What a chat has its page show. */
export interface ChatView {
  /** Shows the room instead of the login. */
  showRoom(me: string, room: string): void
  showMembers(names: readonly string[]): void
  /** Says what is the matter with the connection. */
  showState(text: string, className?: 'bad'): void
  /** Says why somebody may not come in. */
  refuse(reason: string): void
  addLine(who: string, text: string, className?: 'note' | 'private' | 'bad'): void
}

/** Lines that stay on the page. */
const MAX_LINES = 500

/** Connects the page of a chat, `chat.html`, with what the chat does. Every click in the room is a span, the root of its trace. */
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
