import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { fetchThroughProxy, proxyFor } from '../../../lib/releases/proxy.ts'

const PROXY = 'http://proxy.example.net:3128'

test.each([
  ['https://a.example.net/x', { https_proxy: PROXY }, PROXY],
  ['https://a.example.net/x', { HTTPS_PROXY: PROXY }, PROXY],
  ['https://a.example.net/x', { HTTP_PROXY: PROXY }, undefined],
  ['http://a.example.net/x', { HTTP_PROXY: PROXY }, PROXY],
  ['http://a.example.net/x', { ALL_PROXY: PROXY }, PROXY],
  ['http://a.example.net/x', { HTTP_PROXY: 'proxy:3128' }, 'http://proxy:3128'],
  ['http://a.example.net/x', { HTTP_PROXY: PROXY, NO_PROXY: 'b.example.net, .example.net' }, undefined],
  ['http://a.example.net/x', { HTTP_PROXY: PROXY, NO_PROXY: 'example.net' }, undefined],
  ['http://aexample.net/x', { HTTP_PROXY: PROXY, NO_PROXY: 'example.net' }, PROXY],
  ['http://a.example.net:81/x', { HTTP_PROXY: PROXY, NO_PROXY: 'a.example.net:80' }, PROXY],
  ['http://a.example.net/x', { HTTP_PROXY: PROXY, NO_PROXY: 'a.example.net:80' }, undefined],
  ['http://a.example.net/x', { HTTP_PROXY: PROXY, NO_PROXY: '*' }, undefined],
  ['http://a.example.net/x', { HTTP_PROXY: '' }, undefined],
  ['http://a.example.net/x', {}, undefined],
] as const)('%s with %o goes through %s', (url, env, proxy) => {
  expect(proxyFor(url, env)).toBe(proxy)
})

test('a download goes through the proxy, with its login and its own headers', async () => {
  const asked: string[] = []
  const proxy = createServer((request, response) => {
    const { 'x-own': own, 'proxy-authorization': login } = request.headers
    asked.push(`${request.method} ${request.url} ${own} ${login}`)
    response.end('through')
  })
  proxy.on('connect', (request, socket) => {
    asked.push(`CONNECT ${request.url} ${request.headers['proxy-authorization']}`)
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
  })
  await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done))
  const before = { ...process.env }
  process.env.HTTP_PROXY = `http://ann:pass@127.0.0.1:${(proxy.address() as AddressInfo).port}`
  delete process.env.http_proxy
  delete process.env.NO_PROXY
  delete process.env.no_proxy
  try {
    const answer = await fetchThroughProxy('http://mirror.invalid/file', { headers: { 'x-own': '1' } })
    expect(await answer.text()).toBe('through')
    // Most proxies let nobody connect to port 80.
    expect(asked).toEqual(['GET http://mirror.invalid/file 1 Basic YW5uOnBhc3M='])
    process.env.HTTPS_PROXY = process.env.HTTP_PROXY
    await expect(fetchThroughProxy('https://mirror.invalid/file', { headers: {} })).rejects.toThrow()
    expect(asked.slice(1)).toEqual(['CONNECT mirror.invalid:443 Basic YW5uOnBhc3M='])
  } finally {
    process.env = before
    proxy.close()
    proxy.closeAllConnections()
  }
})
