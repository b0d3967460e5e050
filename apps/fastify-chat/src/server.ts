import { EventEmitter, once } from 'node:events'
import fastifyWebsocket from '@fastify/websocket'
import { chatPage, type PageTelemetry } from '@otel-ws/demo-kit'
import otelWs from '@otel-ws/fastify'
import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
} from 'fastify'
import type { WebSocket } from 'ws'
import { Accounts } from './accounts.ts'
import { Chat, type Member } from './chat.ts'
import { BadMessage, parseClientMessage } from './messages.ts'
import { trustOf } from './trust.ts'

/** Close code of a client that does not keep to the chat's protocol. */
export const CLOSE_BAD_MESSAGE = 4400

/** Milliseconds until a reminder is sent. */
const REMINDER_DELAY = 1_000

/** Milliseconds that a client has to answer the server's close. */
const CLOSE_GRACE = 1_000

interface ChatRequest {
  Params: { room: string }
  Querystring: { token?: string; name?: string }
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks, once their token has been checked. */
    user: string
  }
}

// A rejected `message` listener becomes an `error` of its socket, and so a call of the `errorHandler` below.
EventEmitter.captureRejections = true

const PAGE_SCRIPT = new URL('../public/chat.js', import.meta.url)

/**
 * Makes the chat server. OpenTelemetry is set up already when this is called; see the demo kit's telemetry.ts.
 *
 * @param page where the page's telemetry goes
 */
export async function createChatServer(
  logger: FastifyServerOptions['logger'] = false,
  page: PageTelemetry = {},
): Promise<FastifyInstance> {
  const fastify = Fastify({ logger })
  const accounts = new Accounts()
  const chat = new Chat()

  // This line traces and measures every WebSocket route; its options are this application's taste.
  await fastify.register(otelWs, {
    messageName: '$.type',
    remoteContext: trustOf,
    closeCodes: [CLOSE_BAD_MESSAGE],
    closeReason: true,
    heartbeatInterval: 1_000,
    heartbeatTimeout: 500,
    heartbeatTerminate: true,
  })
  // Before the WebSocket plugin's own hook, which closes without a code.
  fastify.addHook('preClose', async () => {
    await Promise.all([...fastify.websocketServer.clients].map(goAway))
  })
  await fastify.register(fastifyWebsocket, { errorHandler: onError, options: { maxPayload: 64 * 1024 } })
  for (const [path, { type, read }] of chatPage(PAGE_SCRIPT, page)) {
    fastify.get(path, async (_request, reply) => reply.type(type).send(await read()))
  }

  fastify.decorateRequest('user', '')

  fastify.post<{ Body: { name: string } }>('/login', { schema: { body: LOGIN_BODY } }, async (request, reply) => {
    const token = accounts.signUp(request.body.name)
    return token === undefined ? reply.code(409).send({ error: 'This name is not available.' }) : { token }
  })

  async function authenticate(request: FastifyRequest<ChatRequest>, reply: FastifyReply): Promise<void> {
    const { token, name = 'a user without a name' } = request.query
    const user = accounts.nameOf(token)
    if (user === undefined) {
      const why = token === undefined ? 'no token was sent' : 'the token is unknown'
      request.log.warn({ route: request.routeOptions.url, peer: request.ip, name }, `rejected ${name}: ${why}`)
      await reply.code(401).send({ error: 'Log in first.' })
      return
    }
    request.user = user
  }

  fastify.get<ChatRequest>(
    '/chat/:room',
    { websocket: true, preValidation: authenticate },
    (socket: WebSocket, request) => {
      // From here on every span of this connection says who it is.
      request.wsConnection?.setAttribute('user.id', request.user)
      const member: Member = { name: request.user, room: request.params.room, socket }

      socket.on('message', (data) => receive(member, String(data), request))
      socket.on('close', () => chat.leave(member))
      chat.join(member)
    },
  )

  async function receive(member: Member, data: string, request: FastifyRequest<ChatRequest>): Promise<void> {
    const message = parseClientMessage(data)
    switch (message.type) {
      case 'say':
        return chat.say(member, message.text)
      case 'whisper':
        return chat.whisper(member, message.to, message.text)
      case 'announce':
        return chat.announce(member, message.text)
      case 'search':
        return chat.search(member, message.text)
      case 'translate':
        return chat.translate(member, message.text)
      case 'remind':
        remindLater(member, message.text, request)
    }
  }

  /** Sends of a timer belong to the connection, because the message that set the timer has ended by then. */
  function remindLater(member: Member, text: string, { wsConnection }: FastifyRequest<ChatRequest>): void {
    const remind = () => chat.send(member, { type: 'reminder', text })
    const timer = setTimeout(() => (wsConnection ? wsConnection.run(remind) : remind()), REMINDER_DELAY)
    member.socket.once('close', () => clearTimeout(timer))
  }

  return fastify
}

/** Closes a connection because the server stops, and terminates it if the client does not answer. */
async function goAway(socket: WebSocket): Promise<void> {
  socket.close(1001, 'the server stops')
  await once(socket, 'close', { signal: AbortSignal.timeout(CLOSE_GRACE) }).catch(() => socket.terminate())
}

/** Takes the failures of handlers and the errors of the sockets themselves. */
function onError(error: Error, socket: WebSocket, request: FastifyRequest): void {
  request.log.error(error)
  if (socket.readyState !== socket.OPEN) return
  socket.send(JSON.stringify({ type: 'error', message: error.message }))
  if (error instanceof BadMessage) socket.close(CLOSE_BAD_MESSAGE, error.message)
}

const LOGIN_BODY = {
  type: 'object',
  required: ['name'],
  properties: { name: { type: 'string' } },
} as const
