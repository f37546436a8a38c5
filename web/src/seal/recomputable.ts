// Recomputable sealing: what a lock's epoch is sealed to each member as, so that every holder of the epoch's key makes
// the same bytes, and so sees whether what the others were given is right (seal/recomputable.go, docs/decisions/0015).
// It is for the key of an epoch and for nothing else: what it is derived from must be a secret with full entropy, and
// everyone who may know that secret may know the plaintext. No DOM, no network.

import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { expand, extract, hkdf } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { MLKEM768X25519 } from '@noble/post-quantum/hybrid.js'
import { base64nopad, bech32 } from '@scure/base'
import { Bad, b64, concat, utf8, type Bytes } from './bytes.ts'
import type { LockKey } from './keys.ts'

/** One chunk of an age file; lock files have less than 1 KiB. */
const maxRecomputable = 64 << 10
const fileKeySize = 16
const coinsSize = 64
const nonceSize = 16
const publicSize = 1216
/** "HPKE", then X-Wing, HKDF-SHA256, ChaCha20Poly1305. */
const suite = concat(utf8('HPKE'), Uint8Array.of(0x64, 0x7a, 0, 1, 0, 3))
const hybridInfo = utf8('age-encryption.org/mlkem768x25519')

/** Seals data to a recipient as every other holder of the key does. The hash of the plaintext is in the derivation, or two texts would be sealed under one key and nonce. */
export function sealRecomputable(key: Pick<LockKey, 'org' | 'lock' | 'epoch' | 'identity'>, recipient: string, data: Uint8Array): Bytes {
  if (data.length > maxRecomputable) throw new Bad('what is sealed has more than one chunk')
  const publicKey = recipientKey(recipient)
  const info = `ward/recomputable/1\n${key.org}/${key.lock}/${key.epoch}\n${recipient}\n${b64(sha256(data))}`
  const drawn = hkdf(sha256, utf8(key.identity), undefined, utf8(info), fileKeySize + coinsSize + nonceSize)
  const fileKey = drawn.slice(0, fileKeySize)
  const nonce = drawn.slice(fileKeySize + coinsSize)
  const { cipherText, sharedSecret } = MLKEM768X25519.encapsulate(publicKey, drawn.slice(fileKeySize, fileKeySize + coinsSize))
  const [wrapKey, wrapNonce] = hybridKey(sharedSecret)
  const wrapped = chacha20poly1305(wrapKey, wrapNonce).encrypt(fileKey)
  const head = utf8(`age-encryption.org/v1\n-> mlkem768x25519 ${base64nopad.encode(cipherText)}\n${base64nopad.encode(wrapped)}\n---`)
  const mac = hmac(sha256, hkdf(sha256, fileKey, undefined, utf8('header'), 32), head)
  const last = new Uint8Array(12)
  last[11] = 1 // the first chunk is the last
  const payload = chacha20poly1305(hkdf(sha256, fileKey, nonce, utf8('payload'), 32), last).encrypt(data)
  return concat(head, utf8(` ${base64nopad.encode(mac)}\n`), nonce, payload)
}

/** The X-Wing public key of an age recipient. */
function recipientKey(recipient: string): Uint8Array {
  try {
    const { prefix, words } = bech32.decode(recipient as `${string}1${string}`, false)
    const key = bech32.fromWords(words)
    if (prefix !== 'age1pq' || key.length !== publicSize || bech32.encode(prefix, words, false) !== recipient) throw new Bad('not canonical')
    return Uint8Array.from(key)
  } catch {
    throw new Bad('it is not an age post-quantum recipient')
  }
}

/** The key schedule of HPKE's base mode (RFC 9180, 5.1) for age's stanza. */
function hybridKey(shared: Uint8Array): [key: Uint8Array, nonce: Uint8Array] {
  const labelled = (label: string, input: Uint8Array): Bytes => concat(utf8('HPKE-v1'), suite, utf8(label), input)
  const none = new Uint8Array()
  const context = concat(Uint8Array.of(0), extract(sha256, labelled('psk_id_hash', none)), extract(sha256, labelled('info_hash', hybridInfo)))
  const secret = extract(sha256, labelled('secret', none), shared)
  const out = (label: string, length: number): Uint8Array => expand(sha256, secret, concat(Uint8Array.of(length >> 8, length & 255), labelled(label, context)), length)
  return [out('key', 32), out('base_nonce', 12)]
}
