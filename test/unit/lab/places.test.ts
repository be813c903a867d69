import { describe, expect, it } from 'vitest'
import { InputError } from '../../../lib/errors.ts'
import { checkLabName, hostAddress, hostIndex, hostNamespace } from '../../../lib/lab/places.ts'

describe('names and addresses', () => {
  it('go together', () => {
    expect([hostIndex('lab-1'), hostAddress(1)]).toEqual([1, '10.88.0.11'])
    expect([hostIndex('lab-240'), hostAddress(240)]).toEqual([240, '10.88.0.250'])
  })

  it.each(['lab-0', 'lab-01', 'lab-241', 'lab-', 'lab-1.example', 'prometheus-1', '', 'lab-1\n'])(
    'refuse %j as a lab host',
    (host) => {
      expect(() => hostIndex(host)).toThrow(InputError)
    },
  )

  it.each(['default', 'a', 'bench-50', 'x2'])('take %j for a lab', (name) => {
    expect(checkLabName(name)).toBe(name)
  })

  it.each(['', '-a', 'A', 'a b', 'a/b', '..', 'ü', 'x'.repeat(32), 'a-lab', 'a-lab-1'])(
    'refuse %j for a lab',
    (name) => {
      expect(() => checkLabName(name)).toThrow(`--name: '${name}' cannot name a lab\n  Use up to 31 small letters`)
    },
  )

  it("fit a machine's name, of 64 characters at most", () => {
    expect(hostNamespace('x'.repeat(31), 'lab-240').length).toBeLessThanOrEqual(64)
  })
})
