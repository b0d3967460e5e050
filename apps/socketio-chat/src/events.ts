/** Something that somebody said. */
export interface Line {
  readonly from: string
  readonly text: string
}

/** What a client sends. The last parameter of those that are answered acknowledges them. */
export interface ClientEvents {
  /** Goes into a room; answered with who is there, on whatever node. */
  enter: (room: string, answer: (members: string[]) => void) => void
  say: (text: string) => void
  /** Answered with whether somebody of that name is here. */
  whisper: (to: string, text: string, answer: (found: boolean) => void) => void
  announce: (text: string) => void
  /** Asks everybody in the room; answered with how many said yes, of how many that answered. */
  poll: (question: string, answer: (result: { yes: number; votes: number }) => void) => void
  search: (text: string, answer: (matches: string[]) => void) => void
  translate: (text: string) => void
  /** Has every node read its list of words again. */
  reload: () => void
}

/** What the server sends. */
export interface ServerEvents {
  entered: (user: string) => void
  left: (user: string) => void
  said: (line: Line) => void
  whispered: (line: Line) => void
  announced: (line: Line) => void
  vote: (question: string, answer: (yes: boolean) => void) => void
  failed: (message: string) => void
}

/** What the nodes send each other. */
export interface NodeEvents {
  'words changed': (node: string) => void
}

/** What is known of a client. */
export interface Person {
  name: string
  room: string | undefined
}
