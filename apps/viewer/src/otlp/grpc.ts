import { createServer } from 'node:net'
import {
  Metadata,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptor,
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js'
import { HttpError } from '../http/error.ts'
import { bearer, type TokenCheck } from '../http/token.ts'
import type { Intake } from './intake.ts'
import { encodeExportResponse } from './protobuf.ts'
import type { Signal } from './signals.ts'

const services: Readonly<Record<Signal, string>> = {
  traces: 'opentelemetry.proto.collector.trace.v1.TraceService',
  metrics: 'opentelemetry.proto.collector.metrics.v1.MetricsService',
  logs: 'opentelemetry.proto.collector.logs.v1.LogsService',
}
/** Exported by SDKs that profile; taken by no handler here, and named. */
const profiles = 'opentelemetry.proto.collector.profiles.v1development.ProfilesService'

type Call = ServerUnaryCall<Buffer, Uint8Array>
type Answer = sendUnaryData<Uint8Array>

export interface GrpcOptions {
  readonly intake: Intake
  readonly token: TokenCheck
  /** Bytes of one request after inflation; beyond it the answer is RESOURCE_EXHAUSTED. */
  readonly maxBytes: number
}

/** OTLP over gRPC: the same requests as over HTTP, by the same decoder. */
export class GrpcReceiver {
  readonly #server: Server
  readonly #options: GrpcOptions

  constructor(options: GrpcOptions) {
    this.#options = options
    this.#server = new Server({
      'grpc.max_receive_message_length': options.maxBytes,
      'grpc.max_concurrent_streams': 16,
      interceptors: [this.#counting],
    })
    for (const signal of ['traces', 'metrics', 'logs'] as const) {
      this.#server.addService(serviceOf(services[signal]), {
        Export: (call: Call, answer: Answer) => this.#export(signal, call, answer),
      })
    }
    this.#server.addService(serviceOf(profiles), {
      Export: (_: Call, answer: Answer) =>
        answer({ code: status.UNIMPLEMENTED, details: 'profiles are not taken here' }),
    })
  }

  /** Listens, and returns the port. Rejects when it cannot be had. */
  async listen(host: string, port: number): Promise<number> {
    // The library prints an error of its own where a port is taken, which is none for a viewer.
    await mustBeFree(host, port)
    const address = `${host.includes(':') ? `[${host}]` : host}:${port}`
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) => {
        if (error === null) resolve(bound)
        else reject(error)
      })
    })
  }

  /** Ends all connections. */
  close(): void {
    this.#server.forceShutdown()
  }

  /** Counts what is answered with an error, also by the transport itself, which answers what is too large. */
  readonly #counting: ServerInterceptor = (_, call) => {
    const sendStatus = call.sendStatus.bind(call)
    call.sendStatus = (answer) => {
      if (answer.code !== status.OK) this.#options.intake.refused(`gRPC ${status[answer.code]}: ${answer.details}`)
      sendStatus(answer)
    }
    return new ServerInterceptingCall(call)
  }

  #export(signal: Signal, call: Call, answer: Answer): void {
    const { intake, token } = this.#options
    const given = bearer(call.metadata.get('authorization')[0]?.toString())
    if (token.needed && !token.accepts(given)) {
      answer({ code: status.UNAUTHENTICATED, details: 'the viewer asks for its token: authorization: Bearer …' })
      return
    }
    try {
      const { rejected, reason } = intake.take(signal, 'protobuf', call.request)
      answer(null, encodeExportResponse(rejected, reason))
    } catch (error) {
      const { status: http, message } = error instanceof HttpError ? error : new HttpError(500, 'internal error')
      answer({ code: codeOf(http), details: message, metadata: new Metadata() })
    }
  }
}

function mustBeFree(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(port, host, () => probe.close(() => resolve()))
  })
}

function codeOf(http: number): status {
  if (http === 413) return status.RESOURCE_EXHAUSTED
  return http < 500 ? status.INVALID_ARGUMENT : status.INTERNAL
}

/** One method, whose messages stay bytes: the viewer decodes them itself, within its limits. */
function serviceOf(name: string): ServiceDefinition {
  return {
    Export: {
      path: `/${name}/Export`,
      requestStream: false,
      responseStream: false,
      requestSerialize: (value: Buffer) => value,
      requestDeserialize: (value: Buffer) => value,
      responseSerialize: (value: Uint8Array) => Buffer.from(value),
      responseDeserialize: (value: Buffer) => value,
    },
  }
}
