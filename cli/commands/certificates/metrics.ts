import { milliseconds } from '../../../lib/duration.ts'
import type { Host } from '../../../lib/model.ts'
import { labelsText } from '../../../lib/report/story/forms.ts'

interface Seen {
  readonly authorities: readonly { readonly subject: string; readonly until: string }[]
  readonly servers: readonly {
    readonly host: string
    readonly role: string
    readonly port: number
    /** Empty where nothing answers: then nothing is known. */
    readonly speaks: string
    readonly until: string
    readonly problem: string
  }[]
}

/** What was seen of certificates, in the text format of Prometheus: times in seconds since the epoch. `now` is in milliseconds. */
export const metricsOf = (
  inventory: string,
  { authorities, servers }: Seen,
  { hosts, now = Date.now() }: { readonly hosts: readonly Host[]; readonly now?: number },
): string => {
  const of = ({ host, role, port }: Seen['servers'][number]) =>
    labelsText({ inventory, host, role, port: String(port) })
  const ends = servers.filter(({ until }) => !Number.isNaN(Date.parse(until)))
  const renewed = ends.flatMap((one) => {
    const tls = hosts.find(({ name }) => name === one.host)?.tls
    return tls && !tls.own ? [[of(one), Date.parse(one.until) - milliseconds(tls.renewBefore)] as const] : []
  })
  const family = (name: string, help: string, samples: readonly (readonly [string, number])[]): readonly string[] =>
    samples.length === 0
      ? []
      : [
          `# HELP ${name} ${help}`,
          `# TYPE ${name} gauge`,
          ...samples.map(([labels, value]) => `${name}${labels} ${value}`),
        ]
  const seconds = (ms: number): number => Math.round(ms / 1_000)
  return `${[
    ...family(
      'vestal_certificate_expiry_timestamp_seconds',
      'When the certificate that a server shows ends.',
      ends.map((one) => [of(one), seconds(Date.parse(one.until))]),
    ),
    ...family(
      'vestal_certificate_renewal_timestamp_seconds',
      'From when on it is issued anew; only of those that the authority of the fleet issues.',
      renewed.map(([labels, ms]) => [labels, seconds(ms)]),
    ),
    ...family(
      'vestal_certificate_trusted',
      'Whether what a server shows is as it is to be: 1 or 0.',
      servers.filter(({ speaks }) => speaks !== '').map((one) => [of(one), one.problem === '' ? 1 : 0]),
    ),
    ...family(
      'vestal_certificate_authority_expiry_timestamp_seconds',
      'When an authority that the fleet trusts ends.',
      authorities.map(({ subject, until }) => [labelsText({ inventory, subject }), seconds(Date.parse(until))]),
    ),
    ...family('vestal_certificates_checked_timestamp_seconds', 'When certificates were looked at.', [
      [labelsText({ inventory }), seconds(now)],
    ]),
  ].join('\n')}\n`
}
