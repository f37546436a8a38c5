import { shownName } from '../../seal/names.ts'

const rightToLeft = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/
const leftToRight = /(?![\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc])\p{L}/u

/** A name inside a sentence, kept apart if it is written in the other direction: else it would turn the sentence round. What in
 * it could end that is not shown as it is. */
export function apart(name: string, lang: string): string {
  const shown = shownName(name)
  return (lang === 'ar' ? leftToRight : rightToLeft).test(shown) ? `\u2068${shown}\u2069` : shown
}
