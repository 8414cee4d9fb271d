import type { Linted } from '../authoring/lint.ts'
import type { Severity } from '../policy/lint/head.ts'
import { safeText } from './escape.ts'

const commands: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', note: 'notice' }

function data(text: string): string {
  return safeText(text).replaceAll('%', '%25')
}

/** The value of a property: a colon or comma would end it. */
function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}

/** Problems as commands of a GitHub workflow, which shows each beside its line. */
export function lintGithub({ problems }: Linted): string {
  return problems
    .map(({ file, line, column, code, severity, message, mend }) => {
      const place = `file=${property(file)},line=${line},col=${column},title=${property(code)}`
      return `::${commands[severity]} ${place}::${data(`${message} ${mend}`)}\n`
    })
    .join('')
}
