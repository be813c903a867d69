import { expect, test } from 'vitest'
import { knowsFlag } from '../../../lib/program/flag-versions.ts'
import { FLAGS as ALERTMANAGER } from '../../../roles/alertmanager/flag-versions.ts'
import { externalLabel } from '../../../roles/prometheus/external-labels.ts'
import { FLAGS as PROMETHEUS } from '../../../roles/prometheus/flag-versions.ts'

test('a flag is known from the version that brought it until the one that took it away', () => {
  expect(knowsFlag(ALERTMANAGER, '0.29.0', 'cluster.peer-name')).toBe(false)
  expect(knowsFlag(ALERTMANAGER, '0.30.0', 'cluster.peer-name')).toBe(true)
  expect(knowsFlag(PROMETHEUS, '2.55.1', 'alertmanager.timeout')).toBe(true)
  expect(knowsFlag(PROMETHEUS, '3.0.0', 'alertmanager.timeout')).toBe(false)
})

test('a release candidate does not yet count as its version', () => {
  expect(knowsFlag(ALERTMANAGER, '0.30.0-rc.0', 'cluster.peer-name')).toBe(false)
})

test('a flag that no table lists is left to the binary’s own help', () => {
  expect(knowsFlag({}, '1.5.0', 'collector.systemd')).toBe(true)
})

test('an external label keeps its $ through the expansion of Prometheus 3', () => {
  expect(externalLabel('3.0.0', '$a$$')).toBe('$$a$$$$')
  expect(externalLabel('2.55.1', '$a$$')).toBe('$a$$')
})
