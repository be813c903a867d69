import type { Endpoint } from '../../lib/api/endpoint.ts'
import { alertmanagerServes } from '../../lib/gates/alertmanager.ts'
import type { Gate, Host, PlayScope } from '../../lib/model.ts'
import { endpointOf } from '../../lib/program/web.ts'
import { alertmanager } from './role.ts'

/** Before Alertmanagers are interrupted: all others send notifications. */
export const othersServe = ({ hosts, batch }: PlayScope): readonly Gate[] =>
  hosts
    .filter((host) => !batch.includes(host))
    .map((host) => alertmanagerServes(endpointOf(host, alertmanager.varsOf(host))))

/** The Alertmanagers among these hosts, as they are asked. */
export const alertmanagersAmong = (hosts: readonly Host[]): readonly Endpoint[] =>
  hosts
    .filter(({ groups }) => groups.includes('alertmanager'))
    .map((host) => endpointOf(host, alertmanager.varsOf(host)))
