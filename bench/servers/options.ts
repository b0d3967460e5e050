/**
 * Our options in every server here: the defaults with a route, so that spans carry what they carry in practice,
 * and without the span budgets, because this load is the flood that they stop.
 */
export const options = {
  route: '/echo',
  maxSpansPerSecond: Number.POSITIVE_INFINITY,
  maxMessageSpansPerSecond: Number.POSITIVE_INFINITY,
}
