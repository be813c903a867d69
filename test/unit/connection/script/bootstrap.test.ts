import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { BOOTSTRAP, bootstrapCommand, bootstrapLine, frame } from '../../../../lib/connection/script/bootstrap.ts'
import { word } from '../../../../lib/shell.ts'
import { anyWord } from '../words.ts'

interface Said {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the bootstrap in a shell that was started as `sh`. */
const run = (shell: string, input: Buffer): Promise<Said> =>
  new Promise((resolve) => {
    const child = spawn(shell, ['-c', BOOTSTRAP, 'vestal'], { argv0: 'sh' })
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout.on('data', (chunk) => out.push(chunk))
    child.stderr.on('data', (chunk) => err.push(chunk))
    child.stdin.on('error', () => {})
    child.stdin.end(input)
    child.on('close', (code) =>
      resolve({
        code,
        stdout: Buffer.concat(out).toString('latin1').replace(`vestal-ready ${child.pid}\n`, READY),
        stderr: Buffer.concat(err).toString(),
      }),
    )
  })

/** In place of the line with the process id. */
const READY = 'ready\n'

const shells = ['/bin/dash', '/bin/bash']

describe.each(shells)('in %s', (shell) => {
  test('the script runs, and what follows it is its standard input, byte for byte', async () => {
    const input = Buffer.from(Array.from({ length: 5_000 }, (_, i) => (i * 7) % 256))
    const { code, stdout } = await run(shell, Buffer.concat([frame('cat; exit 7'), input]))
    expect(stdout).toBe(READY + input.toString('latin1'))
    expect(code).toBe(7)
  })

  test('words with quotes, dollars, line breaks and other scripts arrive as they are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyWord, { maxLength: 6 }), fc.uint8Array({ maxLength: 300 }), async (texts, input) => {
        const script = `printf '%s\\0' start ${texts.map(word).join(' ')}\ncat`
        const { stdout } = await run(shell, Buffer.concat([frame(script), input]))
        const wanted = Buffer.concat([Buffer.from(['start', ...texts, ''].join('\0')), input]).toString('latin1')
        expect(stdout).toBe(READY + wanted)
      }),
      { numRuns: 60 },
    )
  })

  test('a password that sudo did not ask for is passed over', async () => {
    const { stdout } = await run(shell, Buffer.concat([Buffer.from('pa$$ word\\\n'), frame('echo "${v-unset}"')]))
    expect(stdout).toBe(`${READY}unset\n`)
  })

  test('a script that is cut off anywhere does not run in part', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'vestal-bootstrap-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const whole = frame(`touch ${folder}/ran\n${'# filler\n'.repeat(5)}touch ${folder}/ended`)
    for (let length = 0; length < whole.length; length += 1) {
      const { code, stdout } = await run(shell, whole.subarray(0, length))
      expect([length, code, stdout, readdirSync(folder)]).toEqual([length, 70, READY, []])
    }
    expect((await run(shell, whole)).code).toBe(0)
    expect(readdirSync(folder).sort()).toEqual(['ended', 'ran'])
  })

  test('a script with a syntax error in its last line runs nothing', async () => {
    const { code, stderr } = await run(shell, frame('echo ran\nif'))
    expect(code).not.toBe(0)
    expect(stderr).toMatch(/syntax error/i)
  })

  test('a script may end in a comment, a here-document, or be empty', async () => {
    expect(await run(shell, frame('echo a # b'))).toMatchObject({ code: 0, stdout: `${READY}a\n` })
    expect(await run(shell, frame('cat <<E\na\nE'))).toMatchObject({ code: 0, stdout: `${READY}a\n` })
    expect(await run(shell, frame(''))).toMatchObject({ code: 0, stdout: READY })
  })

  test('break, continue and return at its top level do not reach the bootstrap', async () => {
    expect((await run(shell, frame('break; continue; echo still here'))).stdout).toBe(`${READY}still here\n`)
  })

  test('a script of several megabytes runs', async () => {
    const text = 'é'.repeat(1_500_000)
    expect((await run(shell, frame(`printf %s '${text}' | wc -c`))).stdout).toBe(`${READY}3000000\n`)
  })

  test('the surroundings are the same for every login', async () => {
    const { stdout } = await run(shell, frame('umask; pwd; echo $LC_ALL; command -v ls >/dev/null && echo found'))
    expect(stdout).toBe(`${READY}0022\n/\nC\nfound\n`)
  })
})

test('a NUL in a script is a bug that is not passed on', () => {
  expect(() => frame('echo \0')).toThrow(RangeError)
})

test('the command line holds nothing that a login shell of another family reads differently', () => {
  expect(BOOTSTRAP).not.toMatch(/['!\\\n]/)
  expect(bootstrapLine({ user: 'prometheus', password: true })).toMatch(
    /^exec env LC_ALL=C sudo -k -S -p vestal-sudo-password: -H -u prometheus sh -c '[^']+' vestal$/,
  )
})

test('sudo is never asked to ask when there is no password', () => {
  expect(bootstrapCommand({ user: 'root', password: false }).slice(0, 7)).toEqual([
    'env',
    'LC_ALL=C',
    'sudo',
    '-n',
    '-H',
    '-u',
    'root',
  ])
})
