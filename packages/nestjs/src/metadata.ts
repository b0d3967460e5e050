interface Metadata {
  getMetadata?(key: string, target: object, property?: string): unknown
}

/** Returns metadata of a decorated class or method. Every Nest application loads `reflect-metadata`. */
export function metadata(key: string, target: object, property?: string): unknown {
  const reflect = Reflect as Metadata
  return property === undefined ? reflect.getMetadata?.(key, target) : reflect.getMetadata?.(key, target, property)
}
