import { onHost } from '../vestal.ts'

/** Lies in memory, so that a power loss takes it away. */
const HELD = '/run/vestal-test-held'
/** Deploys look here first. */
const FOLDER = '/usr/local/sbin'
const PROGRAMS = ['tar', 'systemctl'] as const

/**
 * Lets a program on a lab host wait before it begins, where its words match a pattern of the shell's: so the step that calls it is
 * under way for as long as a test wants, however fast or slow the machine is.
 */
export const hold = (address: string, program: (typeof PROGRAMS)[number], pattern = '*'): Promise<string> =>
  onHost(
    address,
    'sh -eu -s',
    `touch ${HELD}
cat >${FOLDER}/${program} <<'END'
#!/bin/sh
case "$*" in ${pattern}) while [ -e ${HELD} ]; do sleep 0.05; done ;; esac
exec /usr/bin/${program} "$@"
END
chmod 755 ${FOLDER}/${program}`,
  )

/** Lets go of what waits there, and holds nothing from then on. */
export const letGo = (address: string): Promise<string> =>
  onHost(address, `rm -f ${PROGRAMS.map((program) => `${FOLDER}/${program}`).join(' ')} ${HELD}`)
