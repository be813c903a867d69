import { pathToFileURL } from 'node:url'

/**
 * Imports a user's own module, in TypeScript or JavaScript. Node before 22.18 takes no types out of a file by itself: tsx does it there, in the
 * loader of Node, so that what the file imports of Vestal is the very module that runs. Throws what the module throws.
 */
export const importFile = async (file: string): Promise<Readonly<Record<string, unknown>>> => {
  if (!Reflect.get(process.features, 'typescript') && /\.m?ts$/.test(file)) (await import('tsx/esm/api')).register()
  return import(pathToFileURL(file).href)
}
