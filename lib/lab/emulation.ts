/**
 * Hosts for another processor than the box's: the kernel hands their programs to QEMU's user-mode emulator (binfmt_misc). That is a setting of
 * the whole box, made while a lab with such hosts is up. Facts: Documentation/admin-guide/binfmt-misc.rst; the magic of an ELF file from elf(5).
 */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { run } from './command.ts'
import { readArchive, unpackPackage, versionsOf } from './debian.ts'
import { withLock } from './lock.ts'
import { removeEmpty } from './own.ts'
import { boxFolder, checkLabName, labRoot } from './places.ts'
import type { Progress } from './progress.ts'

/** By Debian's name of a processor: QEMU's, and the number that ELF files for it have in their header (`e_machine`, two bytes, little end first). */
const processors: Readonly<Record<string, { readonly qemu: string; readonly machine: string }>> = {
  arm64: { qemu: 'aarch64', machine: '\\xb7\\x00' },
}

/** Whether the lab has an emulator for a processor, as Debian names it. */
export const canEmulate = (arch: string): boolean => Object.hasOwn(processors, arch)

const processorOf = (arch: string): { readonly qemu: string; readonly machine: string } => {
  const found = processors[arch]
  if (found === undefined) throw new Error(`no emulator for ${arch}`)
  return found
}

/** The emulator's file on the box. */
export const emulatorOf = (arch: string): string => join(labRoot(), 'emulators', `qemu-${processorOf(arch).qemu}`)

/** Lets the box run programs for this processor while this lab is up. Fetches the emulator, once. */
export const emulate = async (lab: string, arch: string, say: Progress): Promise<void> => {
  const { qemu, machine } = processorOf(arch)
  const emulator = emulatorOf(arch)
  await ensureEmulator(qemu, emulator, say)
  await withLock(lockFile, async () => {
    mkdirSync(notes(arch), { recursive: true })
    writeFileSync(join(notes(arch), checkLabName(lab)), '')
    await atRegister(`[ -e ${entry(arch)} ] || printf '%s' "$1" >register`, lineOf(arch, machine, emulator))
  })
}

/** Ends what this lab needed; the last lab that did leaves the box as it was. */
export const stopEmulating = async (lab: string): Promise<void> => {
  if (!existsSync(notesFolder)) return
  await withLock(lockFile, async () => {
    for (const arch of readdirSync(notesFolder)) {
      rmSync(join(notes(arch), checkLabName(lab)), { force: true })
      if (readdirSync(notes(arch)).length > 0) continue
      await atRegister(`[ ! -e ${entry(arch)} ] || echo -1 >${entry(arch)}`)
      removeEmpty(notes(arch))
    }
    removeEmpty(notesFolder)
  })
}

/** Which labs need it now: a file each, in a folder for each processor. */
const notesFolder = `${boxFolder}/emulation`
const notes = (arch: string): string => join(notesFolder, arch)
const lockFile = `${boxFolder}/locks/.emulation`
const entry = (arch: string): string => `vestal-lab-${arch}`

/**
 * Programs and shared libraries of 64 bits for this processor, whichever system they name. F: the emulator is opened now, as hosts have none
 * on their disks. C: a program that runs as another account by its own file, such as sudo, does. P: its first argument stays what it was.
 */
const lineOf = (arch: string, machine: string, emulator: string): string => {
  const zeros = (count: number): string => '\\x00'.repeat(count)
  const ones = (count: number): string => '\\xff'.repeat(count)
  const magic = `\\x7fELF\\x02\\x01\\x01${zeros(9)}\\x02\\x00${machine}`
  const mask = `${ones(7)}\\x00${ones(8)}\\xfe${ones(3)}`
  return `:${entry(arch)}:M::${magic}:${mask}:${emulator}:OCFP`
}

/** Does this where the kernel takes such lines, mounted for it alone where the box has it nowhere. */
const atRegister = (script: string, ...words: readonly string[]): Promise<string> =>
  run([
    ...['unshare', '--mount', '--propagation', 'private', 'sh', '-euc'],
    `cd /proc/sys/fs/binfmt_misc; [ -e register ] || mount -t binfmt_misc none .; cd "$PWD"; ${script}`,
    ...['sh', ...words],
  ])

/** Fetches the emulator of the newest QEMU that the archive has, which is linked statically. */
const ensureEmulator = async (qemu: string, emulator: string, say: Progress): Promise<void> => {
  await withLock(join(labRoot(), 'locks', 'emulators'), async () => {
    if (existsSync(emulator)) return
    say(`fetching QEMU's emulator for ${qemu}`)
    const options = await readArchive()
    const [newest] = await versionsOf('qemu-user', options)
    if (!newest) throw new Error('the archive has no qemu-user')
    mkdirSync(dirname(emulator), { recursive: true })
    const draft = mkdtempSync(join(dirname(emulator), 'draft-'))
    try {
      await unpackPackage(newest, draft, options)
      copyFileSync(join(draft, 'usr/bin', `qemu-${qemu}`), join(draft, 'emulator'))
      chmodSync(join(draft, 'emulator'), 0o755)
      renameSync(join(draft, 'emulator'), emulator)
    } finally {
      rmSync(draft, { recursive: true })
    }
  })
}
