interface Metadata {
  getMetadata?(key: string, target: object, property?: string): unknown
}

/** What `reflect-metadata`, which every Nest application loads, keeps of a decorated class or method. */
export function metadata(key: string, target: object, property?: string): unknown {
  const reflect = Reflect as Metadata
  return property === undefined ? reflect.getMetadata?.(key, target) : reflect.getMetadata?.(key, target, property)
}
