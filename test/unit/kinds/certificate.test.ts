import { createPrivateKey, X509Certificate } from 'node:crypto'
import { lstatSync, readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeAuthority, openAuthority } from '../../../lib/certificates/authority.ts'
import type { Issued } from '../../../lib/certificates/issue.ts'
import { why } from '../../../lib/engine/compare.ts'
import { type CertificateData, certificateKind, issuedAnew, issuedCertificate } from '../../../lib/kinds/certificate.ts'
import type { Host, Step, Task } from '../../../lib/model.ts'
import { isSecret } from '../../../lib/secret.ts'
import { anAuthority, aServer, DAY_MS, place } from '../certificates/authorities.ts'
import { stepsOf } from './machine.ts'
import { sandbox } from './sandbox.ts'

const PATH = '/srv/web.pem'
const host = { name: 'am_1', address: '10.0.0.1', link: { address: 'am-1.example' } } as Host
const NAMES = ['10.0.0.1', 'am-1.example']

const at = place()
let ours: Issued
let task: Task
beforeAll(async () => {
  ours = openAuthority(await makeAuthority(at, { ms: 365 * DAY_MS, env: at.env }), at.env)
  const bare = issuedCertificate(PATH, host, { group: 'adm' })
  const [prepared] = (await certificateKind.prepare?.([bare], { inventory: at as never, host })) ?? []
  task = { ...bare, data: { ...(prepared?.data as CertificateData), open: () => ours } }
})
afterAll(() => at[Symbol.dispose]())

const made = (steps: readonly Step[]): Promise<readonly Step[]> =>
  Promise.all(
    steps.map(async ({ make, ...step }) => {
      const content = await make?.content()
      if (content !== undefined) expect(isSecret(content)).toBe(true)
      return content === undefined ? step : { ...step, stdin: content }
    }),
  )

describe.each(['dash', 'bash'] as const)('under %s', (shell) => {
  test('is issued with its key into one file, is good then, and taking that back removes it', async () => {
    using box = sandbox(shell)
    const steps = await made(stepsOf(box.changes([task])))
    expect(box.take(steps)).toEqual({ code: 0, output: '' })
    const text = readFileSync(box.at(PATH), 'utf8')
    const leaf = new X509Certificate(text)
    expect(leaf.checkPrivateKey(createPrivateKey(text.slice(text.indexOf('-----BEGIN PRIVATE'))))).toBe(true)
    expect(leaf.subjectAltName).toBe('IP Address:10.0.0.1, DNS:am-1.example')
    expect(lstatSync(box.at(PATH)).mode & 0o777).toBe(0o640)
    expect(box.changes([task])).toEqual([])
    expect(box.changes([issuedAnew(task, Date.now() + 1_000)]).map(why)).toEqual([
      expect.stringMatching('it was issued on'),
    ])
    expect(box.undo(steps).code).toBe(0)
    expect(box.sh(`ls -A /srv`).output.trim()).toBe('')
  })

  test('whoever reads it when it starts alone is restarted where it was started with it, and only then', async () => {
    const onMachine = (script: string) =>
      script.replaceAll('"/proc/$pid/cmdline"', '/srv/cmdline').replaceAll('systemctl ', '/srv/systemctl ')
    const read = { ...task, data: { ...(task.data as CertificateData), restarts: 'ring.service' } }
    for (const [running, restarted] of [
      [`/usr/local/bin/ring\0--tls-cert-path=${PATH}\0`, 'restart -- ring.service'],
      ['/usr/local/bin/ring\0', ''],
    ] as const) {
      using box = sandbox(shell)
      writeFileSync(box.at('/srv/cmdline'), running)
      const systemctl = '#!/bin/sh\ncase $1 in show) echo 7 ;; *) echo "$@" >>/srv/said ;; esac\n'
      writeFileSync(box.at('/srv/systemctl'), systemctl, { mode: 0o755 })
      const [first, ...more] = await made(stepsOf(box.changes([read])))
      expect([first?.interrupts, more]).toEqual([undefined, []])
      const steps = first ? [{ ...first, run: onMachine(first.run) }] : []
      expect(box.take(steps)).toEqual({ code: 0, output: '' })
      expect(box.sh('cat /srv/said 2>/dev/null || :').output.trim()).toBe(restarted)
      const [again] = stepsOf(box.changes([issuedAnew(read, Date.now() + 1_000)]))
      expect(again?.interrupts).toBe(true)
    }
  })

  test('nothing that is read of a machine has its key', async () => {
    using box = sandbox(shell)
    box.take(await made(stepsOf(box.changes([task]))))
    const { stdout } = box.sh(certificateKind.probe([task as never]))
    expect(stdout.toString()).toContain('BEGIN CERTIFICATE')
    expect(stdout.toString()).not.toContain('PRIVATE')
  })

  test.each<[string, () => Promise<Issued>, string]>([
    ['ends soon', () => aServer(ours, NAMES, 9 * DAY_MS), 'it ends on'],
    ['has expired', () => aServer(ours, NAMES, -1_000), 'it expired on'],
    ['is made out to others', () => aServer(ours, ['10.0.0.1']), 'it is made out to 10.0.0.1'],
    ['is foreign', async () => aServer(await anAuthority(), NAMES), 'another authority has issued it'],
  ])('one that %s is issued anew', async (_, issue, because) => {
    using box = sandbox(shell)
    const { certificate, key } = await issue()
    writeFileSync(box.at(PATH), `${certificate}${key.reveal()}`)
    box.sh(`chown root:adm ${PATH}; chmod 0640 ${PATH}`)
    const [change] = box.changes([task])
    expect(change && why(change)).toMatch(because)
    expect(box.take(await made(stepsOf(box.changes([task]))))).toEqual({ code: 0, output: '' })
    expect(box.changes([task])).toEqual([])
  })

  test.each([
    ['is none', 'hello\n'],
    ['is damaged', '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'],
    ['has NULs in it', '-----BEGIN CERTIFICATE-----\nMI\0IB\0\n-----END CERTIFICATE-----\n'],
  ])('a file that %s is replaced', async (_, text) => {
    using box = sandbox(shell)
    writeFileSync(box.at(PATH), text)
    expect(box.changes([task]).map(why)).toEqual([expect.stringContaining('no certificate is in it')])
    expect(box.take(await made(stepsOf(box.changes([task])))).code).toBe(0)
    expect(box.changes([task])).toEqual([])
  })

  test('one that is shown to servers too says so, and one that is for servers alone is none', async () => {
    using box = sandbox(shell)
    const client: Task = { ...task, data: { ...(task.data as CertificateData), client: true } }
    box.take(await made(stepsOf(box.changes([task]))))
    expect(box.changes([client]).map(why)).toEqual(['it is none that is shown to servers'])
    expect(box.take(await made(stepsOf(box.changes([client])))).code).toBe(0)
    expect(box.changes([client])).toEqual([])
    const [server, shown] = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']
    expect(new X509Certificate(readFileSync(box.at(PATH))).keyUsage).toEqual([server, shown])
  })

  test('a wrong mode alone is mended without a new certificate', async () => {
    using box = sandbox(shell)
    box.take(await made(stepsOf(box.changes([task]))))
    box.sh(`chmod 0644 ${PATH}`)
    const steps = stepsOf(box.changes([task]))
    expect(steps.map(({ title }) => title)).toEqual([`set mode and owner of ${PATH}`])
    expect(box.take(steps).code).toBe(0)
    expect(box.changes([task])).toEqual([])
  })
})
