import { config } from 'vestal/config'
import { spoolExporter } from './role.ts'

export default config({ roles: [spoolExporter] })
