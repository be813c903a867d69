/**
 * A lab's network: a namespace for the controller that holds a bridge and has no way out, and one for each host with a
 * cable into it. Nothing links them to the box's own network, so no packet for a lab address can leave the box.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { attempt, run } from './command.ts'
import { namespaceExists } from './enter.ts'
import { removeEmpty } from './own.ts'
import {
  controllerAddress,
  controllerNamespace,
  hostAddress,
  hostIndex,
  hostName,
  hostNamespace,
  mostHosts,
  namespaceFile,
} from './places.ts'

/** Makes the controller's namespace and the hosts', as far as they are missing. */
export const ensureNetwork = async (lab: string, hosts: readonly string[]): Promise<void> => {
  const controller = controllerNamespace(lab)
  await ensureNamespace(controller, [
    'link add br0 type bridge',
    `address add ${controllerAddress}/24 dev br0`,
    'link set br0 up',
  ])
  writeControllerFiles(controller)
  for (const host of hosts) await ensureCable(lab, host)
}

/** Removes the lab's namespaces and with them every device in them. */
export const removeNetwork = async (lab: string): Promise<void> => {
  const controller = controllerNamespace(lab)
  for (const name of hostNamespaces(lab)) await removeNamespace(name)
  await removeNamespace(controller)
  for (const name of ['hosts', 'resolv.conf']) rmSync(join(controllerFiles(controller), name), { force: true })
  removeEmpty(controllerFiles(controller))
}

/** The lines of /etc/hosts in the controller's namespace and on every host. */
export const hostsFile = (): string =>
  [
    '127.0.0.1 localhost',
    '::1 localhost',
    `${controllerAddress} controller`,
    ...Array.from({ length: mostHosts }, (_, i) => `${hostAddress(i + 1)} ${hostName(i + 1)}`),
    '',
  ].join('\n')

const ensureCable = async (lab: string, host: string): Promise<void> => {
  const namespace = hostNamespace(lab, host)
  const controller = controllerNamespace(lab)
  if (namespaceExists(namespace) && (await attempt(['ip', '-n', controller, 'link', 'set', host, 'up'])).code === 0)
    return
  await removeNamespace(namespace)
  await ensureNamespace(namespace, [
    `link add eth0 type veth peer name ${host} netns ${controller}`,
    `address add ${hostAddress(hostIndex(host))}/24 dev eth0`,
    'link set eth0 up',
  ])
  await batch(controller, [`link set ${host} master br0`, `link set ${host} up`])
}

/** A namespace is whole or not there: what fails half way is removed. */
const ensureNamespace = async (name: string, commands: readonly string[]): Promise<void> => {
  if (namespaceExists(name)) return
  await removeNamespace(name)
  await run(['ip', 'netns', 'add', name])
  try {
    await batch(name, ['link set lo up', ...commands])
  } catch (error) {
    await removeNamespace(name)
    throw error
  }
}

const batch = (namespace: string, commands: readonly string[]): Promise<string> =>
  run(['ip', '-n', namespace, '-batch', '-'], { input: `${commands.join('\n')}\n` })

const removeNamespace = async (name: string): Promise<void> => {
  if (namespaceExists(name)) await run(['ip', 'netns', 'delete', name])
  // A file that a reboot left behind is no namespace, and `ip netns add` would refuse the name.
  rmSync(namespaceFile(name), { force: true })
}

const hostNamespaces = (lab: string): string[] => {
  const prefix = `${controllerNamespace(lab)}-lab-`
  return existsSync('/run/netns') ? readdirSync('/run/netns').filter((name) => name.startsWith(prefix)) : []
}

/** ip-netns(8): files here take the place of those in /etc for what runs by `ip netns exec`. */
const controllerFiles = (namespace: string): string => `/etc/netns/${namespace}`

const writeControllerFiles = (namespace: string): void => {
  mkdirSync(controllerFiles(namespace), { recursive: true })
  writeFileSync(`${controllerFiles(namespace)}/hosts`, hostsFile())
  writeFileSync(`${controllerFiles(namespace)}/resolv.conf`, '# The lab has no way out, and so no resolver.\n')
}
