import { z } from 'zod'
import type { Machine } from '../model.ts'
import { Secret } from '../secret.ts'
import { address, secretInstance } from './schema/fields.ts'

const GITHUB = 'https://github.com/{owner}/{repo}/releases/download/v{version}/{name}-{version}.{os}-{arch}.tar.gz'
const PLACES = ['owner', 'repo', 'name', 'version', 'os', 'arch']

/** The `vestal` variable: what Vestal must know of a machine before it has seen it. */
export const vestalVariable: z.ZodType<Machine> = z.strictObject({
  arch: z.enum(['amd64', 'arm64', 'armv7']).default('amd64').describe("The machine's processor, as releases name it."),
  address: address
    .optional()
    .describe(
      'The address under which machines reach each other, for scraping, alerts and gossip; default: the one to log in at, `ansible_host`.',
    ),
  instance: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/, {
      error: 'expected the name of an instance: small letters, digits and - within',
    })
    .optional()
    .describe(
      'Which of several hosts on one machine it is. Its Prometheus and Thanos Sidecar have units, folders and a version of their own, with this name behind theirs: prometheus-NAME.service, /etc/prometheus-NAME, /var/lib/prometheus-NAME.',
    ),
  lab: z.string().min(1).optional().describe('The lab this host lives in; set by lab inventories.'),
  releases: z
    .union([z.string(), secretInstance], { error: 'expected a URL (http, https) or file:/folder' })
    .superRefine((template, context) => {
      const message = mistakeIn(template instanceof Secret ? template.reveal() : template)
      if (message) context.addIssue({ code: 'custom', message })
    })
    // Whoever has a login in it has a secret in it.
    .transform((template) => (typeof template === 'string' && LOGIN.test(template) ? new Secret(template) : template))
    .default(GITHUB)
    .describe(
      'Where releases come from: a URL over {owner} {repo} {name} {version} {os} {arch}, or `file:/folder` for a mirror that holds {owner}/{repo}/v{version}/…. With a login in it, or as { $env: NAME } or { $file: path }, it never prints.',
    ),
  keepReleases: z.int().min(0).default(3).describe('How many old versions of a release stay on the host.'),
})

const LOGIN = /^https?:\/\/[^/?#\s]*@/i

const mistakeIn = (template: string): string | undefined => {
  if (template.startsWith('file:'))
    return template.startsWith('file:/') ? undefined : 'expected an absolute path after file:, as in file:/srv/releases'
  if (!/^https?:\/\/[^/]/.test(template)) return 'expected a URL (http, https) or file:/folder'
  const unknown = [...template.matchAll(/\{(\w*)\}/g)]
    .map(([, name = '']) => name)
    .find((name) => !PLACES.includes(name))
  if (unknown !== undefined) return `knows no {${unknown}}; there are ${PLACES.map((name) => `{${name}}`).join(' ')}`
  return template.includes('{version}') ? undefined : 'expected {version} in it, for the version of each role'
}
