import { alertmanagerServes } from '../../lib/gates/alertmanager.ts'
import type { Gate, PlayScope } from '../../lib/model.ts'
import { endpointOf } from '../web.ts'
import { alertmanager } from './role.ts'

/** Before Alertmanagers are interrupted: all others send notifications. */
export const othersServe = ({ hosts, batch }: PlayScope): readonly Gate[] =>
  hosts
    .filter((host) => !batch.includes(host))
    .map((host) => alertmanagerServes(endpointOf(host, alertmanager.varsOf(host))))
