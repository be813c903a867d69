/**
 * The bare floor: connects to every host at once with ssh2, runs `true` and ends. Any key of a host is taken.
 * It is plain JavaScript so that no time goes into making it so. `floor.mjs [{"host","username","keyFile"}, …]`
 */
import { readFileSync } from 'node:fs'
import { Client } from 'ssh2'

const visit = ({ host, username, keyFile }) =>
  new Promise((resolve, reject) => {
    const client = new Client()
    client.on('error', reject)
    client.on('ready', () =>
      client.exec('true', (error, channel) => {
        if (error) return reject(error)
        channel.resume().on('close', (code) => {
          client.end()
          code === 0 ? resolve() : reject(new Error(`${host}: 'true' ended with ${code}`))
        })
      }),
    )
    client.connect({ host, username, privateKey: readFileSync(keyFile) })
  })

await Promise.all(JSON.parse(process.argv[2]).map(visit))
