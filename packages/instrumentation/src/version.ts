/** Version of this package and of the instrumentations in it. */
export const VERSION = '0.1.0'
