/**
 * What the exporters' tests need of Debian's archive: releases in the lab's mirror, each in every version that the archive has, and a folder of
 * packages that the hosts can install from, as they have no way to an archive.
 */
import { basename } from 'node:path'
import { type Component, mirrorAlso } from '../../lib/lab/mirror.ts'
import { claimRoot } from '../../lib/lab/own.ts'
import { catalogue } from '../../roles/exporters/catalogue.ts'
import { debianPackages, ensurePackages } from '../debian-packages.ts'

/** Servers that are small, and exporters that are taken as packages. */
const PACKAGES = [
  ...['redis-server', 'memcached', 'nginx', 'postgresql', 'pgbouncer', 'mariadb-server', 'apache2', 'bind9'],
  ...['smartmontools', 'freeipmi-tools', 'curl', 'victoria-metrics'],
  ...['prometheus-process-exporter', 'prometheus-bind-exporter', 'prometheus-apache-exporter'],
]

/** The catalogue's exporters that the archive has as what their projects release. */
const components: readonly Component[] = catalogue.flatMap(({ package: distributed, release }) =>
  distributed
    ? [
        {
          repo: `${release.owner}/${release.repo}`,
          package: distributed.name,
          binaries: { [release.binaries[0] ?? '']: basename(distributed.binary) },
          tarball: release.tarball,
          sums: release.sums,
          flat: release.flat,
        },
      ]
    : [],
)

/** The releases alone. */
export const mirrorExporters = (say: (what: string) => void) => mirrorAlso(components, say)

/** Makes what is missing, once. Returns null: all of it comes from Debian's archive. */
export const ensureExporters = async (say: (what: string) => void): Promise<null> => {
  claimRoot()
  await mirrorExporters(say)
  await ensurePackages('packages', PACKAGES, say)
  return null
}

/** Where packages lie on the box, as a flat archive that apt reads. */
export const packagesFolder = (): string => debianPackages('packages')

if (import.meta.main) {
  await ensureExporters((what) => console.log(what))
  console.log('exporters are in the mirror, and packages for the hosts are there')
}
