import { beforeAll, expect, test } from 'vitest'
import { fleetOf } from '../failure/fleet.ts'
import { standing } from '../failure/state.ts'
import { onHost, resetHost } from '../vestal.ts'
import { leftovers } from './leftovers.ts'

const fleet = fleetOf(0)
const { address } = fleet.node
const found = async () => (await onHost(address, 'sh -s', leftovers)).trimEnd().split('\n')

beforeAll(() => standing(fleet))

test('whatever a killed deploy could leave would be found', async () => {
  expect(await found()).toEqual([''])
  await onHost(
    address,
    'sh -eu -s',
    `touch /etc/node_exporter/.web.yml.vestal-new /var/lib/vestal/.last-run
mkdir -p /var/lib/vestal/uploads && touch /var/lib/vestal/uploads/0123
systemd-run --quiet --unit=orphan --setenv=VESTAL_RUN=run-1 sleep 600
sleep 600 >/dev/null 2>&1 &
read -r stat </proc/$!/stat && set -- \${stat##*) } && mkdir -p /run/vestal
printf 'run=run-1\\nsession=1 1\\nscript=%s %s\\n' $! "\${20}" >/run/vestal/lock
cp -a /opt/vestal/node_exporter/1.5.0 /opt/vestal/node_exporter/other
ln -sfn /opt/vestal/node_exporter/other /opt/vestal/node_exporter/current
sed -i 's/log.level=info/log.level=warn/' /etc/systemd/system/node_exporter.service`,
  )
  const lines = await found()
  await onHost(address, 'systemctl stop orphan')
  await resetHost(address)
  for (const words of [
    'left over: /etc/node_exporter/.web.yml.vestal-new',
    'left over: /var/lib/vestal/.last-run',
    'left over: /var/lib/vestal/uploads/0123',
    /^process \d+ is of a deploy: \S*sleep 600 /,
    /^the lock is held by process \d+$/,
    'node_exporter runs /opt/vestal/node_exporter/1.5.0/node_exporter',
    'systemd has not read node_exporter.service',
  ])
    expect(lines).toContainEqual(typeof words === 'string' ? words : expect.stringMatching(words))
})
