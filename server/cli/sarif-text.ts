import { pathToFileURL } from 'node:url'
import { safeText } from './escape.ts'

/** A text as SARIF's messages want it: {0} and [text](target) mean something there; neither may come from a file or a guest. */
export function sarifMessage(text: string): { text: string } {
  return {
    text:
      safeText(text)
        .replaceAll(/[\\[\]]/g, '\\$&')
        .replaceAll(/[{}]/g, '$&$&') || '-',
  }
}

/** A file as a URI, relative when the file's name is. */
export function sarifUri(file: string): string {
  const name = file.toWellFormed()
  return name.startsWith('/') ? pathToFileURL(name).href : name.split('/').map(encodeURIComponent).join('/')
}
