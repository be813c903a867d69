/** ProxyJump of ssh_config(5). Pure. */

export interface Jump {
  /** As ssh would be called with: a name that ssh's configuration may know, or an address. */
  readonly name: string
  readonly user?: string
  readonly port?: number
}

/** The jump hosts in `[user@]host[:port],…` or `ssh://[user@]host[:port]`, in the order in which they are passed; null when it is neither. */
export const parseJumps = (text: string): readonly Jump[] | null => {
  if (text.trim().toLowerCase() === 'none') return []
  const jumps = text.split(',').map((one) => parseJump(one.trim()))
  return jumps.every((jump) => jump !== null) ? jumps : null
}

const parseJump = (text: string): Jump | null => {
  const [, user, name, port] = /^(?:ssh:\/\/)?(?:(.+)@)?(\[[^\]]+\]|[^@:[\]\s/]+)(?::(\d+))?\/?$/.exec(text) ?? []
  if (!name) return null
  return { name: name.replace(/^\[|\]$/g, ''), user, port: port ? Number(port) : undefined }
}
