interface RouteTree {
  readonly receiver?: unknown
  readonly routes?: unknown
}
interface Missing {
  /** Where the name stands, within the configuration. */
  readonly path: readonly (string | number)[]
  readonly receiver: string
}

/** Every receiver that the routing tree names and that isn't there. */
export const missingReceivers = (config: {
  readonly route: RouteTree
  readonly receivers: readonly { readonly name: string }[]
}): readonly Missing[] => {
  const known = new Set(config.receivers.map(({ name }) => name))
  return named(config.route, ['route']).filter(({ receiver }) => !known.has(receiver))
}

const named = (route: RouteTree, path: readonly (string | number)[]): readonly Missing[] => {
  const own = typeof route.receiver === 'string' ? [{ path: [...path, 'receiver'], receiver: route.receiver }] : []
  const below = Array.isArray(route.routes) ? route.routes : []
  return [
    ...own,
    ...below.flatMap((child: unknown, at) => (isRoute(child) ? named(child, [...path, 'routes', at]) : [])),
  ]
}

const isRoute = (value: unknown): value is RouteTree => typeof value === 'object' && value !== null
