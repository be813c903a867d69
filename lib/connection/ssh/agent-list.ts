import { connect } from 'node:net'
import { keyType } from './known-hosts.ts'

/** Whether a key's type is one of a certificate (PROTOCOL.certkeys). */
export const isCertificate = (type: string): boolean => /-cert-v01@openssh\.com$/.test(type)

const MOST = 1024 * 1024
const answerWithinMs = 5_000
/** SSH_AGENTC_REQUEST_IDENTITIES and SSH_AGENT_IDENTITIES_ANSWER: draft-miller-ssh-agent, section 3.5. */
const ASK = 11
const ANSWER = 12

/** The public keys that an agent holds, in SSH's wire format, whatever their types; none where it doesn't answer within 5 s. */
export const heldBy = (socket: string): Promise<readonly Buffer[]> =>
  new Promise((resolve) => {
    const agent = connect(socket)
    let heard = Buffer.alloc(0)
    const done = (keys: readonly Buffer[]): void => {
      clearTimeout(late)
      agent.destroy()
      resolve(keys)
    }
    const late = setTimeout(() => done([]), answerWithinMs)
    agent.on('error', () => done([]))
    agent.on('close', () => done([]))
    agent.on('connect', () => agent.write(Buffer.from([0, 0, 0, 1, ASK])))
    agent.on('data', (chunk) => {
      heard = Buffer.concat([heard, chunk])
      if (heard.length > MOST) return done([])
      if (heard.length >= 4 && heard.length >= 4 + heard.readUInt32BE(0)) done(keysIn(heard.subarray(4)))
    })
  })

const keysIn = (answer: Buffer): readonly Buffer[] => {
  const keys: Buffer[] = []
  try {
    if (answer[0] !== ANSWER) return []
    let at = 5
    for (let left = answer.readUInt32BE(1); left > 0; left -= 1) {
      const key = answer.subarray(at + 4, at + 4 + answer.readUInt32BE(at))
      at += 4 + key.length
      at += 4 + answer.readUInt32BE(at) // What the key is called.
      keyType(key)
      keys.push(key)
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
  }
  return keys
}
