import { once } from 'node:events'
import { chmodSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { word } from '../../shell.ts'
import type { Target } from '../ssh/target.ts'

/** Somebody who answers what ssh asks. */
export interface Answers {
  /** What ssh must find in its surroundings. */
  readonly env: Readonly<Record<string, string>>
  stop(): void
}

/** Told the question, prints the answer that the socket gives; without one it fails, by which ssh gives up asking. */
const CLIENT =
  'const s=require("net").connect(process.argv[1]);let a="";s.write(process.argv[2]+"\\n");s.on("data",d=>{a+=d});' +
  's.on("error",()=>process.exit(1));s.on("end",()=>{if(a===""){process.exit(1)};require("fs").writeSync(1,a)})'

/**
 * Answers what ssh asks about a target by SSH_ASKPASS (ssh(1), ENVIRONMENT): the key's passphrase and the password, each once, so that no account is locked by a typing
 * error. Neither stands in a file, an argument list or an environment. `folder` is one that nobody else may enter.
 */
export const answerAskpass = async (folder: string, target: Target): Promise<Answers> => {
  const socket = join(folder, 'a')
  const program = join(folder, 'askpass')
  writeFileSync(program, `#!/bin/sh\nexec ${word(process.execPath)} -e ${word(CLIENT)} ${word(socket)} "$1"\n`)
  chmodSync(program, 0o700)
  const said = new Set<string>()
  const server = createServer((stream) => {
    stream.on('error', () => stream.destroy())
    let question = ''
    stream.setEncoding('utf8').on('data', (text: string) => {
      question += text
      if (!question.includes('\n') && question.length < 4_096) return
      const answer = said.has(question) ? undefined : answerTo(question, target)
      said.add(question)
      stream.end(answer === undefined ? '' : `${answer}\n`)
    })
  }).listen(socket)
  await once(server, 'listening')
  server.unref()
  return {
    env: { SSH_ASKPASS: program, SSH_ASKPASS_REQUIRE: 'force', DISPLAY: process.env.DISPLAY ?? 'none' },
    stop: () => void server.close(),
  }
}

/** By ssh's words (sshconnect2.c). A password is said to the machine that it is for, not to one on the way; a code of one use is not known. */
const answerTo = (
  question: string,
  { user, name, address, knownAs, password, passphrase }: Target,
): string | undefined => {
  if (/^Enter passphrase for/.test(question)) return passphrase?.reveal()
  if (!/password/i.test(question)) return undefined
  const [, whose] = /^\(?(\S+@\S+?)(?:\)|'s password)/.exec(question) ?? []
  const ours = [name, address, knownAs].map((host) => `${user}@${host}`)
  return whose === undefined || ours.includes(whose) ? password?.reveal() : undefined
}
