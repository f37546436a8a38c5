// The code that everyone in a visit sees: if all see the same, nobody sits between. Thirty digits, about a hundred bits,
// since whoever would sit between could try shorter ones until two match.

import { hkdf } from '../seal/bytes.ts'

const digits = 30
const groupSize = 5

/** Six groups of five digits from the group's epoch authenticator (RFC 9420, section 8.7). */
export async function codeOf(authenticator: Uint8Array): Promise<readonly string[]> {
  // Bytes from 250 on are left out, so that every digit is as likely; 64 bytes are enough but once in more than 2^100.
  const stream = await hkdf(authenticator, 'ward/visit-code/1', 64)
  const text = [...stream].filter((b) => b < 250).slice(0, digits).map((b) => b % 10).join('')
  return text.match(new RegExp(`.{${groupSize}}`, 'g')) ?? []
}

/** One tile of the picture: a shape in a colour. Shapes differ, so that colours need not be told apart. */
export interface Tile { readonly shape: number; readonly colour: number; readonly turn: number }

export const shapes = 8
export const colours = 4
const tiles = 16

/** The same as a picture of four by four tiles: at a glance the same or not. */
export async function pictureOf(authenticator: Uint8Array): Promise<readonly Tile[]> {
  const stream = await hkdf(authenticator, 'ward/visit-picture/1', tiles)
  return [...stream].map((b) => ({ shape: b & 7, colour: (b >> 3) & 3, turn: (b >> 5) & 3 }))
}
