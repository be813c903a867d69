/** A program that runs a script on an sshd, waits for a word on its standard input, and leaves: `leaver.ts PORT KEY KNOWN_HOSTS [SSH]`. */
import { once } from 'node:events'
import { connect } from '../../../lib/connection/connect.ts'
import { hostWith } from './host.ts'

const [port, keyFile, knownHosts, program] = process.argv.slice(2)
{
  await using connection = await connect(hostWith({ port: Number(port), keyFile, program }), { knownHosts })
  await connection.exec('true')
  console.log('ready')
  await once(process.stdin, 'data')
}
process.stdin.destroy()
console.log('left')
