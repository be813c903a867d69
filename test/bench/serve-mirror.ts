/** Runs inside the lab's network: serves a folder by HTTP on the loopback address. `serve-mirror.ts FOLDER PORT` */
import { createReadStream, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'

const [folder = '', port = ''] = process.argv.slice(2)

createServer((request, response) => {
  const path = join(folder, new URL(request.url ?? '', 'http://mirror').pathname)
  const file = statSync(path, { throwIfNoEntry: false })
  if (!file?.isFile()) return void response.writeHead(404).end()
  response.writeHead(200, { 'content-length': file.size })
  createReadStream(path).pipe(response)
}).listen(Number(port), '127.0.0.1')
