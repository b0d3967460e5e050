/**
 * Our options in every server here: the defaults with a route, so that spans carry what they carry in practice,
 * and without the span budget, because this load is the flood that the budget stops.
 */
export const options = { route: '/echo', maxMessageSpansPerSecond: Number.POSITIVE_INFINITY }
