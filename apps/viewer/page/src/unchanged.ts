import { Component, type ComponentType, createElement } from 'preact'

/** Draws a component again only when one of its properties is another one: a list of many rows changes in few of them. */
export function redrawnOnChange<P extends object>(drawn: ComponentType<P>): ComponentType<P> {
  return class extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      const before = this.props as Readonly<Record<string, unknown>>
      return Object.entries(next).some(([name, value]) => before[name] !== value)
    }

    override render() {
      return createElement(drawn, this.props)
    }
  }
}
