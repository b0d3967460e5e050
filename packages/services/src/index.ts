export { startPostgres } from './postgres.ts'
export { type RedisService, startRedis } from './redis.ts'
export type { Service } from './service.ts'
