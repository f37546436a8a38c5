// What to say of a name that was typed (seal/names.ts has the rule).

import { checkName, typedName } from '../seal/names.ts'
import type { Words } from '../words/en.ts'

/** What is wrong with a name, or with a part of one, in words; undefined if nothing is. none: what to say if there is none. */
export function nameWrong(name: string, w: Words, none: string): string | undefined {
  const fault = checkName(typedName(name))
  if (fault === undefined) return undefined
  return fault === 'empty' ? none : fault === 'long' || fault === 'mark' || fault === 'script' ? w.names[fault] : w.names.character
}

/** The same of a name of two parts: each may be right, and both together not. */
export function namesWrong(given: string, family: string, w: Words, none: { readonly given: string; readonly family: string }): { given: string | undefined; family: string | undefined } {
  const wrong = { given: nameWrong(given, w, none.given), family: nameWrong(family, w, none.family) }
  return wrong.given || wrong.family ? wrong : { ...wrong, family: nameWrong(`${given} ${family}`, w, none.family) }
}
