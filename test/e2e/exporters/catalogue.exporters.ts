/** What the catalogue says of flags, held against every binary that the archive has. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { attempt } from '../../../lib/lab/command.ts'
import { mirrorReleases } from '../../../lib/lab/mirror.ts'
import { catalogue } from '../../../roles/exporters/catalogue.ts'
import { flagFor, isKnown } from '../../../roles/exporters/command.ts'
import { unpacked, versionsOf } from '../roles/binaries.ts'

/** `mirrorReleases` reads a version out of a file's name; projects whose files are called otherwise have it in the folder's. */
const releases = mirrorReleases().map((one) => ({ ...one, version: /\/v([^/]+)\/[^/]+$/.exec(one.file)?.[1] ?? '' }))

const cases = catalogue.flatMap((one) =>
  releases
    .filter(
      ({ repo, version }) => repo === `${one.release.owner}/${one.release.repo}` && /^\d+\.\d+\.\d+$/.test(version),
    )
    // Debian 12 has another program under that name.
    .filter(() => one.name !== 'mongodb')
    .map((release) => ({ ...release, one, name: one.name })),
)

test('promtool takes the rules of every exporter', async () => {
  const files = catalogue.flatMap(({ alerts }) => (alerts ? [fileURLToPath(alerts)] : []))
  const newest = versionsOf('prometheus').at(-1) ?? ''
  const { code, stdout, stderr } = await attempt([
    join(unpacked('prometheus', newest), 'promtool'),
    'check',
    'rules',
    ...files,
  ])
  expect({ code, files: files.length > 20, said: code === 0 ? '' : stdout + stderr }).toEqual({
    code: 0,
    files: true,
    said: '',
  })
})

test('there are binaries to hold it against', () => {
  expect(new Set(cases.map(({ name }) => name)).size).toBeGreaterThanOrEqual(12)
})

test.each(cases)('$name $version', async ({ one, version, file }) => {
  const folder = mkdtempSync(join(tmpdir(), 'vestal-exporter-'))
  try {
    mkdirSync(folder, { recursive: true })
    await attempt(['tar', '-xzf', file, '-C', folder, ...(one.release.flat ? [] : ['--strip-components=1'])])
    const { stdout, stderr } = await attempt([join(folder, one.release.binaries[0] ?? ''), '--help'])
    const help = `${stdout}\n${stderr}`
    const has = (flag: string): boolean =>
      new RegExp(`(^|[^A-Za-z0-9.-])(--(\\[no-\\])?|-)${flag.replaceAll('.', '\\.')}([^A-Za-z0-9._-]|$)`, 'm').test(
        help,
      )
    const {
      listenFlag = 'web.listen-address',
      webConfigFlag = 'web.config.file',
      flagVersions = {},
      config,
      flags = {},
      secretFlags = {},
    } = one
    const settings = { version }
    const always = [
      ...(one.listenEnvironment ? [] : [flagFor(one, settings, listenFlag)]),
      ...Object.keys(flags),
      ...(config ? [config.flag, ...(config.check ?? [])] : []),
    ].filter((flag) => isKnown(flagVersions, version, flag))
    const web = webConfigFlag === null ? [] : [webConfigFlag].flat()
    const byVersion = Object.keys(flagVersions)
    expect({
      missing: [...always, ...byVersion.filter((flag) => isKnown(flagVersions, version, flag))].filter(
        (flag) => !has(flag),
      ),
      unexpected: byVersion.filter((flag) => !isKnown(flagVersions, version, flag) && has(flag)),
      web: web.some((flag) => isKnown(flagVersions, version, flag)),
      port: help.includes(String(one.port)),
    }).toEqual({ missing: [], unexpected: [], web: web.some(has), port: true })
    expect(Object.keys(secretFlags).filter((flag) => isKnown(flagVersions, version, flag) && !has(flag))).toEqual([])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
