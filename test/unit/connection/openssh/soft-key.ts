/** An ssh-agent that holds a hardware key made of software: it signs as a FIDO key does, and sshd can't tell. */
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

const TYPE = 'sk-ssh-ed25519@openssh.com'
const text = (value: string | Buffer): Buffer => {
  const bytes = Buffer.from(value as string & Buffer)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}
const sha256 = (bytes: Buffer | string): Buffer => createHash('sha256').update(bytes).digest()

export interface SoftKey {
  /** As authorized_keys has it. */
  readonly publicKey: string
  /** How often it has signed. */
  signed(): number
  stop(): void
}

/** Listens on a socket. Formats: PROTOCOL.u2f of OpenSSH and draft-miller-ssh-agent. */
export const startSoftKey = async (socket: string): Promise<SoftKey> => {
  const pair = generateKeyPairSync('ed25519')
  const raw = Buffer.from(pair.publicKey.export({ format: 'jwk' }).x ?? '', 'base64url')
  const blob = Buffer.concat([text(TYPE), text(raw), text('ssh:')])
  let counter = 0
  const signature = (data: Buffer): Buffer => {
    counter += 1
    const flagsAndCounter = Buffer.from([1, 0, 0, 0, counter])
    const made = sign(null, Buffer.concat([sha256('ssh:'), flagsAndCounter, sha256(data)]), pair.privateKey)
    return Buffer.concat([text(TYPE), text(made), flagsAndCounter])
  }
  const answer = (message: Buffer): Buffer => {
    if (message[0] === 11) return Buffer.concat([Buffer.from([12, 0, 0, 0, 1]), text(blob), text('soft key')])
    if (message[0] !== 13) return Buffer.from([5])
    const at = 5 + message.readUInt32BE(1)
    return Buffer.concat([
      Buffer.from([14]),
      text(signature(message.subarray(at + 4, at + 4 + message.readUInt32BE(at)))),
    ])
  }
  const server = createServer((stream) => {
    let heard = Buffer.alloc(0)
    stream.on('error', () => {})
    stream.on('data', (chunk) => {
      heard = Buffer.concat([heard, chunk])
      while (heard.length >= 4 && heard.length >= 4 + heard.readUInt32BE(0)) {
        const length = heard.readUInt32BE(0)
        stream.write(text(answer(heard.subarray(4, 4 + length))))
        heard = heard.subarray(4 + length)
      }
    })
  }).listen(socket)
  await once(server, 'listening')
  return {
    publicKey: `${TYPE} ${blob.toString('base64')}`,
    signed: () => counter,
    stop: () => void server.close(),
  }
}
