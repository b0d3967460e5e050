/** A chat message. */
export interface Line {
  readonly from: string
  readonly text: string
}

/** Events of a client. A last parameter `answer` acknowledges the event. */
export interface ClientEvents {
  /** Goes into a room; answered with who is there, on whatever node. */
  enter: (room: string, answer: (members: string[]) => void) => void
  say: (text: string) => void
  /** Answered with true if a user of that name is connected. */
  whisper: (to: string, text: string, answer: (found: boolean) => void) => void
  announce: (text: string) => void
  /** Asks all users in the room; answered with the number of yes and of all votes. */
  poll: (question: string, answer: (result: { yes: number; votes: number }) => void) => void
  search: (text: string, answer: (matches: string[]) => void) => void
  translate: (text: string) => void
  /** Has every node read its list of words again. */
  reload: () => void
}

/** Events of the server. */
export interface ServerEvents {
  entered: (user: string) => void
  left: (user: string) => void
  said: (line: Line) => void
  whispered: (line: Line) => void
  announced: (line: Line) => void
  vote: (question: string, answer: (yes: boolean) => void) => void
  failed: (message: string) => void
}

/** Events between nodes. */
export interface NodeEvents {
  'words changed': (node: string) => void
}

/** Data of a client's socket. */
export interface Person {
  name: string
  room: string | undefined
}
