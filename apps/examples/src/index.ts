export { startQueueNode } from './queue.ts'
export { startRedisNode } from './redis-pub-sub.ts'
