// How a patient comes to know a carer. The clinic tells patients the names of its staff and of nobody else, so who looks
// after someone introduces themselves: a link with their id, the hash of their card and their name, which they show or
// send to the person they care for. It opens nothing. The patient's browser checks that the keys it then shares with are
// those of the card, and writes into the chart who that is.

import { b64, isID, text, unb64, utf8, Bad } from '../seal/bytes.ts'
import { shownName } from '../seal/names.ts'

export interface Introduction { readonly person: string; readonly card: string; readonly name: string }

export const writeIntroduction = (origin: string, i: Introduction): string => `${origin}/share#${i.person}.${i.card}.${b64(utf8(i.name))}`

/** Reads a link, or what follows its #. */
export function readIntroduction(link: string): Introduction {
  const [person = '', card = '', name = '', ...more] = link.slice(link.indexOf('#') + 1).trim().split('.')
  if (more.length > 0 || !isID(person) || unb64(card).length !== 32) throw new Bad('this is not an introduction')
  const read = nameOf(name)
  if (read === '' || shownName(read) !== read) throw new Bad('this is not an introduction')
  return { person, card, name: read }
}

function nameOf(encoded: string): string {
  try {
    return text(unb64(encoded)).trim()
  } catch {
    throw new Bad('this is not an introduction')
  }
}
