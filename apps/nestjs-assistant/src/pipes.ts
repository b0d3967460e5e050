import { Injectable, type PipeTransform } from '@nestjs/common'
import { type AudioFrame, decodeFrame } from './audio-frame.ts'
import { type ListenRequest, parseListenRequest } from './messages.ts'

/** Reads the body of a `listen`. */
@Injectable()
export class ListenPipe implements PipeTransform<unknown, ListenRequest> {
  transform(body: unknown): ListenRequest {
    return parseListenRequest(body)
  }
}

/** Reads a binary message. */
@Injectable()
export class AudioPipe implements PipeTransform<unknown, AudioFrame> {
  transform(body: unknown): AudioFrame {
    return decodeFrame(body)
  }
}
