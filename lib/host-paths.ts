/** Where Vestal keeps what it needs on a host. A host that was deployed by an earlier version has them already: they never change. */

/** Releases, each in a folder of its name, by version beside the link to the current one. */
export const RELEASES = '/opt/vestal'
/** All else: locks apart, which are below /run. */
export const STATE = '/var/lib/vestal'
/** The ways back of earlier runs, as `RUN.PART.sh`: of each host of a machine its own. */
export const undoOf = (instance?: string): string => called(`${STATE}/undo`, instance)
/** What earlier runs replaced, by run and then by path. */
export const BACKUPS = `${STATE}/backups`
export const UPLOADS = `${STATE}/uploads`
/** How long ways back and replaced files stay at most: they may hold secrets that were changed since. */
export const KEPT_DAYS = 30
/** What was saved before an interruption that could lose it, by run. */
export const SAVED = `${STATE}/saved`
/** Holds the name of the run that last changed the host. */
export const LAST_RUN = `${STATE}/last-run`

/** What is called so where it stands once on a machine, as an instance has it: with its name behind. */
export const called = (name: string, instance: string | undefined): string =>
  instance === undefined ? name : `${name}-${instance}`

/** The folder of one program's releases. */
export const versionsOf = (program: string): string => `${RELEASES}/${program}`
/** The link that says which of them is current; an instance has one of its own. */
export const currentOf = (program: string, instance?: string): string =>
  called(`${versionsOf(program)}/current`, instance)
