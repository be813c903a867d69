/** A URL by its parts; null where the text is none. What `URL.parse` is from Node 22.1 on. */
export const urlOf = (text: string): URL | null => (URL.canParse(text) ? new URL(text) : null)
