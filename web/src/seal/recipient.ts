// Whether everyone can seal to a recipient: the same rule as seal/envelope/recipient.go, held by the same vectors. Libraries
// differ in what they seal to, and take second writings of one key; a card that one client takes and another cannot seal
// to would stop every lock that its person holds from being rotated.

import { bech32 } from '@scure/base'

const prefix = 'age1pq'
/** Prefix, separator, 1,216 bytes in groups of five bits, checksum. */
const length = 1959

const latticeCoefficients = 1152 // bytes of 768 coefficients of 12 bits; 32 of a seed follow
const latticeSize = 1184
const latticeQ = 3329
const pointSize = 32

const hex = (text: string): readonly number[] => (text.match(/../g) ?? []).map((two) => Number.parseInt(two, 16))

/** Points of Curve25519 whose order divides 8: what is agreed with them is zero, whoever asks. */
const lowOrder: readonly (readonly number[])[] = [
  hex('00'.repeat(32)),
  hex(`01${'00'.repeat(31)}`),
  hex('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'),
  hex('5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157'),
  hex(`ec${'ff'.repeat(30)}7f`),
]

/** What is wrong with a recipient, or ''. */
export function recipientWrong(value: string): string {
  if (value.length !== length || !/^age1pq1[02-9ac-hj-np-z]+$/.test(value)) return 'it is not written as one'
  let key: Uint8Array
  try {
    const read = bech32.decode(value as `${string}1${string}`, false)
    key = bech32.fromWords(read.words) // refuses bits that are not used
    if (read.prefix !== prefix) return 'its beginning is another'
  } catch {
    return 'its checksum is wrong, or its last letter has bits that are not used'
  }
  if (key.length !== latticeSize + pointSize) return 'its length is another'
  for (let at = 0; at < latticeCoefficients; at += 3) {
    const [a = 0, b = 0, c = 0] = key.subarray(at, at + 3)
    if ((a | ((b & 15) << 8)) >= latticeQ || ((b >> 4) | (c << 4)) >= latticeQ) return 'a coefficient of its ML-KEM key is too large'
  }
  const point = key.subarray(latticeSize)
  const top = point[31] as number
  const atP = top === 0x7f && (point[0] as number) >= 0xed && point.subarray(1, 31).every((b) => b === 0xff)
  if (top > 0x7f || atP) return 'its X25519 point is not written in its one form'
  if (lowOrder.some((low) => low.every((b, i) => b === point[i]))) return 'its X25519 point is of low order'
  return ''
}
