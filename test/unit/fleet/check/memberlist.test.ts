import { expect, test } from 'vitest'
import { memberlistPing } from '../../../../roles/alertmanager/memberlist.ts'

test('a ping is a message of type 0 to whoever is there, behind the label of the cluster', () => {
  expect(memberlistPing().toString('latin1')).toBe('\x00\x82\xa5SeqNo\x01\xa4Node\xa0')
  expect(memberlistPing('lab').toString('latin1')).toBe('\xf4\x03lab\x00\x82\xa5SeqNo\x01\xa4Node\xa0')
})
