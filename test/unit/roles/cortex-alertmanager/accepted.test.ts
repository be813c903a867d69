/** The program itself reads what the role writes: where it has been compiled before (`npm run lab:cortex`), as that takes minutes. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { labMirror } from '../../../../lib/lab/places.ts'
import { bytesOf } from '../../../../lib/secret.ts'
import { fleet } from '../fleet.ts'

const CONFIG = '/etc/cortex-alertmanager/cortex.yml'
const arch = process.arch === 'x64' ? 'amd64' : process.arch
const cortex = join(labMirror(), `cortexproject/cortex/releases/download/v1.21.1/cortex-linux-${arch}`)
const there = existsSync(cortex)
if (!there) console.log('SKIPPED: Cortex does not read its configurations here; npm run lab:cortex compiles it')

const S3 = {
  backend: 's3',
  endpoint: 's3:9000',
  bucket: 'b',
  access_key_id: 'me',
  secret_access_key: 'x',
  lookup: 'path',
}
test.runIf(there).each([
  ['s3', { storage: S3 }],
  ['gcs', { storage: { backend: 'gcs', bucket: 'b', service_account: '{}' } }],
  [
    'azure',
    { storage: { backend: 'azure', account_name: 'n', account_key: 'aa==', container: 'c', endpoint_suffix: 'x' } },
  ],
  [
    'swift',
    {
      storage: {
        ...{ backend: 'swift', auth_url: 'https://k/v3', username: 'u', password: 'p', user_domain_name: 'd' },
        ...{ project_name: 'x', project_domain_name: 'd', region_name: 'r', container: 'c' },
      },
    },
  ],
  ['filesystem', { storage: { backend: 'filesystem', dir: '/srv/shared' } }],
  ['no sharding', { storage: S3, sharding: false }],
  ['zones', { storage: S3, zone: 'a' }],
  [
    'every limit',
    {
      storage: S3,
      limits: {
        ...{ max_config_size_bytes: 1, max_templates_count: 1, max_template_size_bytes: 1, max_alerts_count: 1 },
        ...{ max_alerts_size_bytes: 1, max_dispatcher_aggregation_groups: 1, max_silences_count: 1 },
        ...{ max_silences_size_bytes: 1, notification_rate_limit: 0.5 },
        receivers_firewall_block_cidr_networks: ['10.0.0.0/8', '192.168.0.0/16'],
        receivers_firewall_block_private_addresses: true,
      },
    },
  ],
])('Cortex accepts the configuration: %s', async (_, settings) => {
  using made = await fleet({
    'hosts.yml': JSON.stringify({
      cortex_alertmanager: {
        vars: { cortex_alertmanager: { version: '1.21.1', ...settings } },
        hosts: { 'am-1': { ansible_host: '10.0.0.1' }, 'am-2': { ansible_host: '10.0.0.2' } },
      },
    }),
  })
  const folder = mkdtempSync(join(tmpdir(), 'vestal-cortex-'))
  try {
    const file = join(folder, 'cortex.yml')
    writeFileSync(file, bytesOf(made.fileData('cortex-alertmanager', 'am-1', CONFIG).content ?? ''))
    const { status, stdout, stderr } = spawnSync(cortex, [`-config.file=${file}`, '-modules'], { encoding: 'utf8' })
    expect([status, status === 0 ? '' : stdout + stderr]).toEqual([0, ''])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
