import { expect, test } from 'vitest'
import { othersServe } from '../../../../roles/alertmanager/peers.ts'
import { fleet, hostsFile, route } from '../fleet.ts'

/** What is asked before these are restarted: by host, how long one must run at least, where it is asked that. */
const askedBefore = async (batch: readonly string[], alertmanager: object = {}) => {
  using made = await fleet({
    'hosts.yml': hostsFile(
      {
        alertmanager: {
          'am-2': { ansible_host: '10.0.0.2' },
          'am-3': { ansible_host: '10.0.0.3' },
          'am-1': { ansible_host: '10.0.0.1' },
        },
      },
      { alertmanager: { version: '0.33.1', config: route, cluster: { peer_timeout: '5s' }, ...alertmanager } },
    ),
  })
  const { hosts } = made.inventory
  const gates = othersServe({
    inventory: made.inventory,
    hosts,
    batch: hosts.filter(({ name }) => batch.includes(name)),
  })
  return gates.filter(({ name }) => name.includes('holds nothing back')).map(({ host, within }) => [host, within])
}

test('a member is restarted once those that wait for it are in step again; 3.3 s to settle, 5 s for each before them, 1 s, and 15 s of patience', async () => {
  expect(await askedBefore(['am-1'])).toEqual([
    ['am-2', '25s'],
    ['am-3', '30s'],
  ])
  expect(await askedBefore(['am-2'])).toEqual([['am-3', '30s']])
})

test('members that nobody waits for are restarted at once', async () => {
  expect(await askedBefore(['am-3'])).toEqual([])
  expect(await askedBefore(['am-1', 'am-2', 'am-3'])).toEqual([])
})

test('nor is anything asked of a version whose members take other places with each start', async () => {
  expect(await askedBefore(['am-1'], { version: '0.28.1' })).toEqual([])
})
