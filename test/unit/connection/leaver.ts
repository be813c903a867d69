/** A program that runs a script on an sshd, waits for a word on its standard input, runs another at `again`, and leaves at any other: `leaver.ts PORT KEY KNOWN_HOSTS [SSH]`. */
import { once } from 'node:events'
import { connect } from '../../../lib/connection/connect.ts'
import { hostWith } from './host.ts'

const [port, keyFile, knownHosts, program] = process.argv.slice(2)
{
  await using connection = await connect(hostWith({ port: Number(port), keyFile, program }), { knownHosts })
  await connection.exec('true')
  console.log('ready')
  for (;;) {
    const [word] = await once(process.stdin, 'data')
    if (String(word) !== 'again') break
    await connection.exec('true')
    console.log('again')
  }
}
process.stdin.destroy()
console.log('left')
