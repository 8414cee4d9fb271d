import { ImagegateError } from '../errors.ts'

const pattern = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?Z$/

/**
 * The first whole millisecond since 1970 that is not before an RFC 3339 time in UTC; a fraction below a millisecond
 * rounds up. Throws OPTION_INVALID for anything else.
 */
export function firstMillisecond(time: string): number {
  const [, seconds, fraction = ''] = pattern.exec(time) ?? []
  const whole = seconds === undefined ? Number.NaN : Date.parse(`${seconds}Z`)
  // Date.parse turns 30 February into 2 March.
  const real = !Number.isNaN(whole) && new Date(whole).toISOString().startsWith(`${seconds}.`)
  if (!real) throw new ImagegateError('OPTION_INVALID', 'A time is not RFC 3339 in UTC.')
  const milliseconds = Number(fraction.slice(0, 3).padEnd(3, '0'))
  return whole + milliseconds + (/[1-9]/.test(fraction.slice(3)) ? 1 : 0)
}
