/** One fleet's life, in order. Each part also stands alone: it begins by deploying what it needs, which costs little where it is there. */
import './first-deploy.ts'
import './rolling.ts'
import './alert.ts'
import './drift.ts'
