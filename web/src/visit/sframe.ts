// SFrame (RFC 9605): one frame of sound or picture, sealed. Pure functions; media.worker.ts runs them on streams.

/** A cipher suite of the RFC's registry: the hash of its key derivation and the size of its key. Tags are 16 bytes. */
export interface Suite { readonly id: number; readonly hash: 'SHA-256' | 'SHA-512'; readonly keySize: number }
export const aes128: Suite = { id: 4, hash: 'SHA-256', keySize: 16 } // AES_128_GCM_SHA256_128
export const aes256: Suite = { id: 5, hash: 'SHA-512', keySize: 32 } // AES_256_GCM_SHA512_128: what visits use

const nonceSize = 12
export const tagSize = 16
/** The longest header: a byte, a key id of 8 and a counter of 8. */
export const maxHeader = 17

export type Fault = 'short' | 'header' | 'unknown-key' | 'wrong-sender' | 'replayed' | 'forged'

/** A frame that is not let through. */
export class BadFrame extends Error {
  readonly fault: Fault
  constructor(fault: Fault) {
    super(`the frame is not let through: ${fault}`)
    this.fault = fault
  }
}

type Bytes = Uint8Array<ArrayBuffer>

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text)

function join(...parts: readonly Uint8Array[]): Bytes {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0))
  let at = 0
  for (const p of parts) {
    out.set(p, at)
    at += p.length
  }
  return out
}

function bigEndian(value: bigint, size: number): Bytes {
  const out = new Uint8Array(size)
  for (let i = size - 1; i >= 0; i--) {
    out[i] = Number(value & 0xffn)
    value >>= 8n
  }
  return out
}

const sizeOf = (value: bigint): number => Math.max(1, Math.ceil(value.toString(16).length / 2))

/** What a base key makes for one key id (section 4.4.2). */
export interface Keys { readonly key: CryptoKey; readonly salt: Bytes }

export async function deriveKeys(suite: Suite, base: Uint8Array, kid: bigint): Promise<Keys> {
  const material = await crypto.subtle.importKey('raw', base as Bytes, 'HKDF', false, ['deriveBits', 'deriveKey'])
  const derivation = (label: string): HkdfParams => ({
    name: 'HKDF', hash: suite.hash, salt: new Uint8Array(), info: join(ascii(label), bigEndian(kid, 8), bigEndian(BigInt(suite.id), 2)),
  })
  const key = await crypto.subtle.deriveKey(derivation('SFrame 1.0 Secret key '), material, { name: 'AES-GCM', length: suite.keySize * 8 }, false, ['encrypt', 'decrypt'])
  const salt = new Uint8Array(await crypto.subtle.deriveBits(derivation('SFrame 1.0 Secret salt '), material, nonceSize * 8))
  return { key, salt }
}

/** The header (section 4.3): X KKK Y CCC, then the key id and the counter if they do not fit into their three bits. */
export function encodeHeader(kid: bigint, ctr: bigint): Bytes {
  const field = (value: bigint): { bits: number; more: Bytes } => {
    if (value < 8n) return { bits: Number(value), more: new Uint8Array() }
    const size = sizeOf(value)
    return { bits: 8 | (size - 1), more: bigEndian(value, size) }
  }
  const k = field(kid)
  const c = field(ctr)
  return join(Uint8Array.of((k.bits << 4) | c.bits), k.more, c.more)
}

export function decodeHeader(data: Uint8Array): { kid: bigint; ctr: bigint; size: number } {
  const first = data[0]
  if (first === undefined) throw new BadFrame('short')
  let at = 1
  const field = (bits: number): bigint => {
    if ((bits & 8) === 0) return BigInt(bits & 7)
    const size = (bits & 7) + 1
    if (at + size > data.length) throw new BadFrame('short')
    let value = 0n
    for (const byte of data.subarray(at, at + size)) value = (value << 8n) | BigInt(byte)
    at += size
    if (value < 8n || sizeOf(value) !== size) throw new BadFrame('header') // there is one way to write a number
    return value
  }
  const kid = field(first >> 4)
  const ctr = field(first & 15)
  return { kid, ctr, size: at }
}

function nonceOf(salt: Uint8Array, ctr: bigint): Bytes {
  const nonce = bigEndian(ctr, nonceSize)
  for (let i = 0; i < nonceSize; i++) nonce[i] = (nonce[i] as number) ^ (salt[i] as number)
  return nonce
}

/** Seals a frame (section 4.4.3): header, ciphertext, tag. The metadata travels outside and is authenticated. */
export async function seal(keys: Keys, kid: bigint, ctr: bigint, metadata: Uint8Array, plaintext: Uint8Array): Promise<Bytes> {
  const header = encodeHeader(kid, ctr)
  const sealed = await crypto.subtle.encrypt(
    { name: 'AES-GCM', iv: nonceOf(keys.salt, ctr), additionalData: join(header, metadata), tagLength: tagSize * 8 }, keys.key, plaintext as Bytes,
  )
  return join(header, new Uint8Array(sealed))
}

/** Opens a frame whose header was read. */
export async function open(keys: Keys, header: { ctr: bigint; size: number }, metadata: Uint8Array, data: Uint8Array): Promise<Bytes> {
  if (data.length < header.size + tagSize) throw new BadFrame('short')
  try {
    return new Uint8Array(await crypto.subtle.decrypt(
      { name: 'AES-GCM', iv: nonceOf(keys.salt, header.ctr), additionalData: join(data.subarray(0, header.size), metadata), tagLength: tagSize * 8 }, keys.key, data.subarray(header.size) as Bytes,
    ))
  } catch {
    throw new BadFrame('forged')
  }
}

/** How many frames late a frame may come: several seconds of sound and three sizes of picture. */
const window = 1024n

/** Which counters of one key were seen: each passes once (section 9.3). */
export class ReplayWindow {
  private highest = -1n
  private seen = 0n // bit i: highest - i

  fresh(ctr: bigint): boolean {
    if (ctr > this.highest) return true
    const behind = this.highest - ctr
    return behind < window && ((this.seen >> behind) & 1n) === 0n
  }

  /** Only after the frame was authenticated: otherwise anyone could use counters up. */
  mark(ctr: bigint): void {
    if (ctr > this.highest) {
      this.seen = this.highest < 0n ? 1n : ((this.seen << (ctr - this.highest)) | 1n) & ((1n << window) - 1n)
      this.highest = ctr
    } else this.seen |= 1n << (this.highest - ctr)
  }
}

// A visit's key ids: the MLS epoch, and the leaf whose key it is. A member who comes back has another leaf key in
// another epoch, so a key and a counter are never used twice.
const leafBits = 8n
export const maxLeaf = 255

export const kidOf = (epoch: bigint, leaf: number): bigint => (epoch << leafBits) | BigInt(leaf)

/** Seals what I send: owns the counter, which all my tracks share since they share the key. */
export class Sender {
  private readonly keys: Keys
  private readonly kid: bigint
  private ctr = 0n

  private constructor(keys: Keys, kid: bigint) {
    this.keys = keys
    this.kid = kid
  }

  static async of(base: Uint8Array, epoch: bigint, leaf: number): Promise<Sender> {
    const kid = kidOf(epoch, leaf)
    return new Sender(await deriveKeys(aes256, base, kid), kid)
  }

  seal(metadata: Uint8Array, plaintext: Uint8Array): Promise<Bytes> {
    const ctr = this.ctr++
    if (ctr >= 1n << 64n) throw new BadFrame('header')
    return seal(this.keys, this.kid, ctr, metadata, plaintext)
  }
}

/** Opens what others send: only what is sealed, by the member whose track it is, once. */
export class Receivers {
  private readonly known = new Map<bigint, { participant: string; keys: Keys; window: ReplayWindow }>()

  async add(participant: string, base: Uint8Array, epoch: bigint, leaf: number): Promise<void> {
    const kid = kidOf(epoch, leaf)
    if (!this.known.has(kid)) this.known.set(kid, { participant, keys: await deriveKeys(aes256, base, kid), window: new ReplayWindow() })
  }

  /** Forgets the keys of all epochs before one, and of an earlier one those of members who are gone. */
  forget(before: bigint, gone: (participant: string) => boolean): void {
    for (const [kid, k] of this.known) if (kid >> leafBits < before || gone(k.participant)) this.known.delete(kid)
  }

  async open(participant: string, metadata: Uint8Array, data: Uint8Array): Promise<Bytes> {
    const header = decodeHeader(data)
    const of = this.known.get(header.kid)
    if (!of) throw new BadFrame('unknown-key')
    if (of.participant !== participant) throw new BadFrame('wrong-sender')
    if (!of.window.fresh(header.ctr)) throw new BadFrame('replayed')
    const plaintext = await open(of.keys, header, metadata, data)
    if (!of.window.fresh(header.ctr)) throw new BadFrame('replayed') // opened twice at the same time
    of.window.mark(header.ctr)
    return plaintext
  }
}
