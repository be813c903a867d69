type Environment = Readonly<Record<string, string | undefined>>

/**
 * The proxy that a URL is fetched through, as curl takes it from the environment: `https_proxy` or `HTTPS_PROXY` for https, `http_proxy` or `HTTP_PROXY` for http,
 * `all_proxy` for both; none for what `no_proxy` names: `*`, a host, a domain with or without a dot in front, each with a port or without. Source: curl(1), ENVIRONMENT.
 */
export const proxyFor = (address: string, env: Environment = process.env): string | undefined => {
  const url = new URL(address)
  const set = (...names: readonly string[]): string | undefined =>
    names.flatMap((name) => [env[name], env[name.toUpperCase()]]).find((value) => value !== undefined && value !== '')
  const proxy = set(url.protocol === 'https:' ? 'https_proxy' : 'http_proxy', 'all_proxy')
  if (proxy === undefined || spared(url, set('no_proxy') ?? '')) return undefined
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(proxy) ? proxy : `http://${proxy}`
}

const spared = ({ hostname, port, protocol }: URL, list: string): boolean => {
  const host = hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  const used = port || (protocol === 'https:' ? '443' : '80')
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => {
      const [, name = '', only] = /^\.?(.*?)(?::(\d+))?$/.exec(entry) ?? []
      if (entry === '*') return true
      return name !== '' && (only === undefined || only === used) && (host === name || host.endsWith(`.${name}`))
    })
}

/** fetch, through the proxy that the environment has for this address. Redirects may lead elsewhere; they go the same way. */
export const fetchThroughProxy = async (
  address: string,
  options: { readonly headers: Readonly<Record<string, string>>; readonly signal?: AbortSignal },
): Promise<Response> => {
  const proxy = proxyFor(address)
  if (proxy === undefined) return fetch(address, options)
  const undici = await import('undici')
  // Plain HTTP is asked for as curl asks for it: proxies let few ports but that of HTTPS be connected to.
  const dispatcher = new undici.ProxyAgent({ uri: proxy, proxyTunnel: false })
  return undici.fetch(address, { ...options, dispatcher }) as unknown as Promise<Response>
}
