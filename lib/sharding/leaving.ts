/**
 * Targets that leave a shard are scraped by jobs of their own there for as long as they move. A Prometheus that loses a target from a job marks its
 * series as ended; one that loses a whole job just stops (prometheus `scrape/scrape.go`: scrapePool.stop cancels the context that
 * endOfRunStaleness waits on). So the series go no further, and whoever deduplicates goes on with the new shard's.
 */

/** What the name of such a job ends with; its targets' `job` label is without. */
const ENDING = ' (moving)'

/** The job that scrapes what leaves of a job. */
export const leavingJob = (job: string): string => `${job}${ENDING}`

/** Whether a job scrapes what leaves of another one. */
export const isLeavingJob = (job: string): boolean => job.endsWith(ENDING)

/** The job that a job's targets belong to: itself, save for what leaves. */
export const jobItself = (job: string): string => (isLeavingJob(job) ? job.slice(0, -ENDING.length) : job)
