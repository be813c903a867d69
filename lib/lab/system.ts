/** What a lab host is made of: a generation of Debian, and the processor that it is for. */
import { InputError } from '../errors.ts'
import { architecture } from './debian.ts'
import { canEmulate } from './emulation.ts'

/** What hosts can be made of, oldest first: what Debian's archive has that the lab's hosts boot with. */
export const generations = ['bullseye', 'bookworm', 'trixie', 'forky', 'sid'] as const
/** What a host is made of unless something else is asked for. */
export const usualGeneration = 'bookworm'

export interface System {
  readonly generation: string
  /** As Debian names it. */
  readonly arch: string
  /** Whether the box's own processor is another, so that the host's programs are run by an emulator. */
  readonly emulated: boolean
}

/** What a host is made of, as one word: `bookworm-amd64`. */
export const systemName = ({ generation, arch }: System): string => `${generation}-${arch}`

/** Reads `bullseye` or `trixie-arm64`; without a processor it is the box's own. Throws InputError for what the lab can't make. */
export const parseSystem = async (text: string, where: string): Promise<System> => {
  const { debian: own } = await architecture()
  const [generation = '', arch = own] = text.split('-')
  const problem = !generations.some((one) => one === generation)
    ? `'${generation}' is no generation of Debian that the lab has hosts of`
    : arch !== own && !canEmulate(arch)
      ? `the lab has no way to run ${arch} here`
      : null
  if (problem !== null || text.split('-').length > 2)
    throw new InputError([
      {
        where,
        what: problem ?? `'${text}' is not what a host is made of`,
        fix: `There are ${generations.join(', ')}, and each for another processor: trixie-arm64.`,
      },
    ])
  return { generation, arch, emulated: arch !== own }
}

/** What a host is made of that has its disk on this image, by the image's name. */
export const systemOfImage = (name: string): string => /^([a-z]+-[a-z0-9]+)-[0-9a-f]{12}$/.exec(name)?.[1] ?? ''
