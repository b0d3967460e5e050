import { BadRequestException, ForbiddenException, HttpException, InternalServerErrorException } from '@nestjs/common'
import { WsException } from '@nestjs/websockets'
import { expect, it } from 'vitest'
import { isServerError } from '../src/exceptions.ts'

class Broken extends HttpException {
  override getStatus(): number {
    throw new Error('of the application')
  }
}

it.each([
  [new WsException('no room'), false],
  [new BadRequestException('validation failed'), false],
  [new ForbiddenException(), false],
  [new InternalServerErrorException(), true],
  [new Broken('x', 400), true],
  [new RangeError('x'), true],
  ['a text', true],
  [undefined, true],
])('%o is an error of the server: %s', (error, expected) => {
  expect(isServerError(error)).toBe(expected)
})
