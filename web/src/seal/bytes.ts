// Bytes, and the few ways in which Ward writes them (docs/formats.md). No DOM, no network.

import { bech32 } from '@scure/base'
import { generateHybridIdentity, identityToRecipient } from 'age-encryption'

export type Bytes = Uint8Array<ArrayBuffer>

/** Something that does not check. The message says what, in English, for a report. */
export class Bad extends Error {}

export const utf8 = (text: string): Bytes => new TextEncoder().encode(text) as Bytes
export const text = (bytes: Uint8Array): string => new TextDecoder('utf-8', { fatal: true }).decode(bytes)

export function concat(...parts: readonly Uint8Array[]): Bytes {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

export function random(n: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(n))
}

function binary(bytes: Uint8Array): string {
  let out = ''
  for (let at = 0; at < bytes.length; at += 0x8000) out += String.fromCharCode(...bytes.subarray(at, at + 0x8000))
  return out
}

function fromBinary(out: string): Bytes {
  const bytes = new Uint8Array(out.length)
  for (let i = 0; i < out.length; i++) bytes[i] = out.charCodeAt(i)
  return bytes
}

/** base64url without padding: the only base64 in statements. */
export const b64 = (bytes: Uint8Array): string =>
  btoa(binary(bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')

export function unb64(value: string): Bytes {
  if (!/^[A-Za-z0-9_-]*$/.test(value)) throw new Bad('not base64url')
  let bytes: Bytes
  try {
    bytes = fromBinary(atob(value.replaceAll('-', '+').replaceAll('_', '/')))
  } catch {
    throw new Bad('not base64url')
  }
  if (b64(bytes) !== value) throw new Bad('not canonical base64url')
  return bytes
}

/** Standard base64, which JSON bodies carry bytes in. */
export const json64 = (bytes: Uint8Array): string => btoa(binary(bytes))
export function unjson64(value: string): Bytes {
  let bytes: Bytes
  try {
    bytes = fromBinary(atob(value))
  } catch {
    throw new Bad('not base64')
  }
  if (json64(bytes) !== value) throw new Bad('not canonical base64')
  return bytes
}

/**
 * Reads JSON in which no name comes twice: of two, this reads the last, and another reader the first. Names in another
 * letter case are other names here; who reads an object compares its names.
 */
export function readJSON(json: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    throw new Bad('not JSON')
  }
  const open: (Set<string> | undefined)[] = [] // the names of each object that is open; undefined for an array
  for (const [token, , colon] of json.matchAll(/"((?:[^"\\]|\\.)*)"(\s*:)?|[{}[\]]/g)) {
    if (token === '{') open.push(new Set())
    else if (token === '[') open.push(undefined)
    else if (token === '}' || token === ']') open.pop()
    else if (colon !== undefined) {
      const names = open.at(-1)
      const name = JSON.parse(token.slice(0, -colon.length)) as string
      if (names?.has(name)) throw new Bad(`the name ${name.slice(0, 40)} is there twice`)
      names?.add(name)
    }
  }
  return value
}

/** Refuses names of an object that are none of those. */
export function onlyNames(value: unknown, names: readonly string[], of: string): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Bad(`${of} is not an object`)
  for (const name of Object.keys(value)) if (!names.includes(name)) throw new Bad(`${of} has a field that it does not know`)
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'

/** 16 bytes as an id of 26 characters. */
export function idOf(bytes: Uint8Array): string {
  let out = ''
  let bits = 0
  let value = 0
  for (const byte of bytes) {
    value = (value << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      out += alphabet[(value >> bits) & 31]
    }
    value &= (1 << bits) - 1
  }
  if (bits > 0) out += alphabet[(value << (5 - bits)) & 31]
  return out
}

export const newID = (): string => idOf(random(16))

/** An id that begins with a moment (ward.NewIDAt): for what says its time anyway. */
export function newIDAt(at: Date): string {
  const id = random(16)
  new DataView(id.buffer).setUint16(0, Math.floor(at.getTime() / 2 ** 32))
  new DataView(id.buffer).setUint32(2, at.getTime() % 2 ** 32)
  return idOf(id)
}

export const isID = (value: string): boolean => /^[a-z2-7]{25}[aeimquy4]$/.test(value)

export async function sha256(...parts: readonly Uint8Array[]): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', parts.length === 1 ? (parts[0] as Bytes) : concat(...parts)))
}

/** The SHA-256 of bytes or text, b64. */
export const hash = async (data: Uint8Array | string): Promise<string> =>
  b64(await sha256(typeof data === 'string' ? utf8(data) : data))

export async function hkdf(key: Uint8Array, info: string, length: number): Promise<Bytes> {
  const material = await crypto.subtle.importKey('raw', key as Bytes, 'HKDF', false, ['deriveBits'])
  const bits = await crypto.subtle.deriveBits(
    { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: utf8(info) }, material, length * 8)
  return new Uint8Array(bits)
}

export async function hmac(key: Uint8Array, data: Uint8Array): Promise<Bytes> {
  const imported = await crypto.subtle.importKey('raw', key as Bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, data as Bytes))
}

const timePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
export const now = (): string => new Date().toISOString()
export function isTime(value: string): boolean {
  if (!timePattern.test(value)) return false
  const parsed = new Date(value)
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString() === value
}

/** An age post-quantum hybrid identity from its 32-byte seed. */
export const identityOf = (seed: Uint8Array): string =>
  bech32.encode('AGE-SECRET-KEY-PQ-', bech32.toWords(seed), false).toUpperCase()

export const newIdentity = (): Promise<string> => generateHybridIdentity()
export const recipientOf = (identity: string): Promise<string> => identityToRecipient(identity)

// Ed25519 from a seed: WebCrypto takes it wrapped as PKCS #8 (RFC 8410).
const pkcs8 = new Uint8Array([0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20])

export type Sign = (message: Bytes) => Promise<Bytes>
export interface SigningKey { readonly public: string; readonly sign: Sign }

export async function signingKey(seed: Uint8Array): Promise<SigningKey> {
  const key = await crypto.subtle.importKey('pkcs8', concat(pkcs8, seed), 'Ed25519', true, ['sign'])
  const { x } = await crypto.subtle.exportKey('jwk', key)
  return { public: x ?? '', sign: async (message) => new Uint8Array(await crypto.subtle.sign('Ed25519', key, message)) }
}

// RFC 8032 leaves some signatures to the library: those by keys of small order, which anybody can make, and those with
// numbers that are written in a second way. One that half of the browsers take would split a clinic, so all refuse them
// by their bytes, before any library is asked. Numbers are in hex here, with the highest digit first.
const fieldPrime = `7${'f'.repeat(61)}ed`
const groupOrder = '1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed'
/** The y of the eight points of small order; three of the five belong to two points each. */
const smallOrder: readonly string[] = [
  '0'.repeat(64),
  `${'0'.repeat(63)}1`,
  '05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826',
  '7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7',
  `7${'f'.repeat(61)}ec`,
]

/** Bytes, lowest first, written so that they compare as numbers do. */
const number = (low: Uint8Array): string => low.reduce((out, byte) => byte.toString(16).padStart(2, '0') + out, '')

/** Whether these bytes will do as a public key, or as the R of a signature: y in 255 bits, then the sign of x. */
export function isSigningPoint(point: Uint8Array): boolean {
  if (point.length !== 32) return false
  const y = Uint8Array.from(point)
  y[31] = (y[31] as number) & 0x7f
  const n = number(y)
  return n < fieldPrime && !smallOrder.includes(n)
}

const verifiers = new Map<string, Promise<CryptoKey>>()

/** Whether a key signed a message. */
export async function verify(publicKey: string, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  if (signature.length !== 64 || !isSigningPoint(signature.subarray(0, 32)) || number(signature.subarray(32)) >= groupOrder) return false
  let key = verifiers.get(publicKey)
  if (!key) {
    if (!isSigningPoint(unb64(publicKey))) return false
    key = crypto.subtle.importKey('raw', unb64(publicKey), 'Ed25519', false, ['verify'])
    if (verifiers.size > 2000) verifiers.clear()
    verifiers.set(publicKey, key)
  }
  try {
    return await crypto.subtle.verify('Ed25519', await key, signature as Bytes, message as Bytes)
  } catch {
    return false
  }
}
