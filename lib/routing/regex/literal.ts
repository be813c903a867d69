/** The expression that matches this text and no other. */
export const literal = (text: string): string => text.replaceAll(/[\\.+*?()|[\]{}^$]/g, '\\$&')
