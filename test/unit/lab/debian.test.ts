import { describe, expect, it } from 'vitest'
import { parseMadison, trustOf, upstreamOf } from '../../../lib/lab/debian.ts'

const archive = 'http://archive.example/debian/'

describe('the keys that the archive is trusted by', () => {
  it('are those of the stanza that names it, not of another', () => {
    const sources = `Types: deb
URIs: http://other.example/security
Signed-By: /keys/other.gpg

Types: deb
# a comment
URIs: http://archive.example/debian
Suites: bookworm
Signed-By: /keys/debian.gpg
`
    expect(trustOf(sources, archive)).toBe('Signed-By: /keys/debian.gpg\n')
  })

  it('may stand in the sources file itself', () => {
    const key = '-----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQINB\n -----END PGP PUBLIC KEY BLOCK-----'
    const sources = `Types: deb\nURIs: ${archive}\nSigned-By:\n ${key}\nSuites: bookworm\n`
    expect(trustOf(sources, archive)).toBe(`Signed-By: \n ${key}\n`)
  })

  it.each([
    ['deb [arch=amd64 signed-by=/keys/a.gpg] http://archive.example/debian bookworm main', 'Signed-By: /keys/a.gpg\n'],
    ['deb [ trusted=yes ] http://archive.example/debian/ bookworm main', 'Trusted: yes\n'],
    ['deb http://archive.example/debian bookworm main', ''],
    ['#deb [signed-by=/keys/a.gpg] http://archive.example/debian bookworm main', ''],
    ['deb [signed-by=/keys/a.gpg] http://archive.example/debian-security bookworm main', ''],
  ])('are read from the line %s', (line, trust) => {
    expect(trustOf(`${line}\n`, archive)).toBe(trust)
  })
})

describe("Debian's version numbers", () => {
  it.each([
    ['2.42.0+ds-5+deb12u1', '2.42.0'],
    ['2.53.3+ds1-2', '2.53.3'],
    ['0.25.0-1+b4', '0.25.0'],
    ['1:1.9.0~dfsg1-1', '1.9.0'],
    ['3.14.0~rc1-1', '3.14.0~rc1'],
  ])('%s is upstream %s', (debian, upstream) => {
    expect(upstreamOf(debian)).toBe(upstream)
  })

  it('listed for two suites count once', () => {
    const listing = `promtool | 3.5.3+ds1-6 | http://archive.example forky/main amd64 Packages
promtool | 3.5.3+ds1-6 | http://archive.example sid/main amd64 Packages
promtool | 2.53.3+ds1-2 | http://archive.example trixie/main amd64 Packages
`
    expect(parseMadison(listing)).toEqual([
      { package: 'promtool', debian: '3.5.3+ds1-6', upstream: '3.5.3' },
      { package: 'promtool', debian: '2.53.3+ds1-2', upstream: '2.53.3' },
    ])
    expect(parseMadison('')).toEqual([])
  })
})
