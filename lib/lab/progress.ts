/** Told what is being done, in a few words, while something takes its time. */
export type Progress = (what: string) => void
