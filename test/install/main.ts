/**
 * Installs the packed file as a user does, in an empty Debian 12 with the oldest Node that Vestal runs on and with the newest, and works with it:
 * `node test/install/main.ts [NODE VERSION]`. What the README says of installing is typed as it stands there. Needs root, Debian's archive and a
 * package registry. Prints what was done, and exits 1 where a step failed.
 */
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../lib/lab/command.ts'
import { ensureBoxPackages } from '../../lib/lab/packages.ts'
import { packed } from '../packed.ts'
import { type Debian, startDebian } from './debian.ts'
import { addNode, NEWEST, OLDEST, type StockNode, TOO_OLD } from './node.ts'

const PROJECT = join(import.meta.dirname, '../..')
const { version: VERSION } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as { version: string }

/** A line that is typed, what its output must have in it, and how it must end. */
interface Step {
  readonly line: string
  readonly says?: string
  readonly code?: number
}

/** The lines of the README that install Vestal and use it, but for the one that packs it in the clone. */
const readmeLines = (): readonly string[] => {
  const text = readFileSync(join(PROJECT, 'README.md'), 'utf8')
  const about = text.slice(text.indexOf('Without the clone'), text.indexOf('In the clone:'))
  return [...about.matchAll(/^ {4}(.*?)(?: +# .*)?$/gm)].flatMap(([, line = '']) => (line === 'npm pack' ? [] : [line]))
}

/** What a line of the README must have said. */
const SAYS: Readonly<Record<string, string>> = {
  'vestal lab up': 'lab-6',
  'vestal deploy -i inventory': '25 of 25 gates passed',
  'vestal status -i inventory': 'instances are healthy',
  'vestal run playbook.ts -i inventory': '2 of 2 gates passed',
}

const FLEET = '-i inventory'
const ROLL = `${FLEET} -y --no-watch-alerts`
/** Every command once, on the fleet that the README has brought up. */
const COMMANDS: readonly Step[] = [
  { line: 'vestal --version', says: VERSION },
  { line: 'vestal --help', says: 'rolling-upgrade' },
  { line: `vestal check ${FLEET}` },
  { line: `vestal plan ${FLEET} --exit-code`, says: 'Nothing to change' },
  { line: `vestal inventory ${FLEET}`, says: 'am-1' },
  { line: 'vestal schema', says: 'json-schema.org' },
  { line: `vestal backup ${FLEET} --to saved --limit am-1` },
  { line: `vestal restore ${FLEET} --from saved --limit am-1 --yes` },
  { line: `vestal silences export ${FLEET}` },
  { line: `vestal routes show ${FLEET} severity=critical` },
  { line: `vestal routes coverage ${FLEET}` },
  { line: `vestal rolling-upgrade ${ROLL} --alertmanager 0.28.1` },
  { line: `vestal rollback ${ROLL} --limit alertmanager` },
  { line: `vestal remove-node am-3 ${ROLL} --force` },
  { line: `vestal add-node am-3 --host 10.88.0.15 --role alertmanager ${ROLL}` },
  { line: 'vestal lab up --hosts 7' },
  { line: `vestal replace-node node-1 node-2 --host 10.88.0.17 ${ROLL}` },
  { line: 'vestal audit', says: 'deploy' },
]
const AFTER: readonly Step[] = [
  { line: 'vestal run playbook.ts -i inventory', says: ': 0 changed,' },
  { line: 'vestal schema settings', says: '## spool_exporter' },
  { line: 'vestal lab down' },
]

const steps = (): readonly Step[] => {
  const readme = readmeLines().map((line): Step => ({ line, says: SAYS[line] }))
  const missing = Object.keys(SAYS).filter((line) => !readme.some((step) => step.line === line))
  if (missing.length > 0) throw new Error(`the README no longer has: ${missing.join('; ')}`)
  const fleetServes = readme.findIndex(({ line }) => line.startsWith('vestal status')) + 1
  return [...readme.slice(0, fleetServes), ...COMMANDS, ...readme.slice(fleetServes), ...AFTER]
}

/** Types a line where the one before has left off. Returns whether it went well; what it said is shown where it did not. */
const typed = async ({ sh }: Debian, { line, says, code = 0 }: Step): Promise<boolean> => {
  const began = Date.now()
  const where = '/root/.where'
  const ended = await sh(
    `cd "$(cat ${where} 2>/dev/null || echo /root)"; { ${line}\n}; ended=$?; pwd >${where}; exit $ended`,
  )
  const well = ended.code === code && (says === undefined || (ended.stdout + ended.stderr).includes(says))
  console.log(`${well ? 'ok' : 'FAILED'}  ${((Date.now() - began) / 1_000).toFixed(1).padStart(6)} s  ${line}`)
  if (!well)
    console.log(
      `exit code ${ended.code}${says ? `, to say ${JSON.stringify(says)}` : ''}\n${(ended.stdout + ended.stderr).split('\n').slice(-40).join('\n')}`,
    )
  return well
}

/** Whether a Node that is too old says so in a sentence, and nothing else. */
const refusesOldNode = async (debian: Debian, version: string): Promise<boolean> => {
  addNode(version, join(debian.root, 'opt', version))
  const { code, stdout, stderr } = await debian.sh(`/opt/${version}/bin/node "$(command -v vestal)" --version`)
  console.log(`Node ${version}: exit code ${code}, ${JSON.stringify(stdout + stderr)}`)
  return code === 2 && stdout === '' && stderr === `vestal needs Node 20.16 or later; this is ${version}.\n`
}

/** The packages that npm has chosen otherwise than package-lock.json, as their makers allow: not a failure, but worth knowing. */
const otherThanLocked = (root: string): readonly string[] => {
  const installed = join(root, 'usr/local/lib/node_modules/vestal')
  const { packages } = JSON.parse(readFileSync(join(PROJECT, 'package-lock.json'), 'utf8')) as {
    packages: Readonly<Record<string, { readonly version?: string; readonly dev?: boolean }>>
  }
  return Object.entries(packages).flatMap(([path, { version, dev }]) => {
    const file = join(installed, path, 'package.json')
    if (path === '' || dev || !existsSync(file)) return []
    const { version: found } = JSON.parse(readFileSync(file, 'utf8')) as { version: string }
    return found === version ? [] : [`${path} ${found} (locked: ${version})`]
  })
}

const works = async (node: StockNode, file: string, lab: string): Promise<boolean> => {
  console.log(`\n==> Node ${node.version}, npm ${node.npm}`)
  const debian = await startDebian(lab, node)
  // What is typed fails then, and all is removed as after any failure.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void debian.close())
  try {
    copyFileSync(file, join(debian.root, 'root', `vestal-${VERSION}.tgz`))
    let well = true
    for (const step of steps()) well = (await typed(debian, step)) && well
    for (const version of TOO_OLD) well = (await refusesOldNode(debian, version)) && well
    const other = otherThanLocked(debian.root)
    console.log(`packages that are not as locked: ${other.join(', ') || 'none'}`)
    return well
  } finally {
    await debian.close()
  }
}

/** What has no business in a package. */
const astray = async (file: string): Promise<readonly string[]> =>
  (await run(['tar', '-tzf', file]))
    .split('\n')
    .filter((name) => /^package\/(test|scripts|node_modules)\/|(\.|\/)(test|operate|install)\.ts$|\.tgz$/.test(name))

const main = async (only: string | undefined): Promise<boolean> => {
  await ensureBoxPackages(console.log)
  const work = mkdtempSync('/var/tmp/vestal-install-')
  try {
    const file = packed(work)
    const wrong = await astray(file)
    if (wrong.length > 0) console.log(`the package has what is not for users: ${wrong.join(', ')}`)
    let well = wrong.length === 0
    for (const node of [OLDEST, NEWEST].filter(({ version }) => (only ?? version) === version)) {
      const one = await works(node, file, join(work, 'lab'))
      console.log(one ? `Node ${node.version}: all went well` : `Node ${node.version}: FAILED`)
      well &&= one
    }
    return well
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

process.exitCode = (await main(process.argv[2])) ? 0 : 1
