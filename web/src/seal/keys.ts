// Keys in hand: locks and their grants, the keyring, the recovery code, passkeys and invitations (docs/formats.md).

import { sha256 as sha256Now } from '@noble/hashes/sha2.js'
import { Decrypter, Encrypter } from 'age-encryption'
import { validTrust, type Trust } from '../ledger/verify.ts'
import {
  Bad, b64, concat, hash, hkdf, identityOf, isID, newIdentity, onlyNames, random, readJSON, recipientOf, sha256, signingKey, text, unb64, utf8,
  type Bytes, type SigningKey,
} from './bytes.ts'

/** Seals to recipients: an age file. */
export async function sealTo(plaintext: Uint8Array, ...recipients: readonly string[]): Promise<Bytes> {
  const e = new Encrypter()
  for (const r of recipients) e.addRecipient(r)
  return (await e.encrypt(plaintext)) as Bytes
}

export async function openWith(identity: string, sealed: Uint8Array): Promise<Bytes> {
  const d = new Decrypter()
  d.addIdentity(identity)
  return (await d.decrypt(sealed)) as Bytes
}

// The header of an age file to one hybrid recipient, whose size never varies: version, stanza, wrapped file key, MAC.
export const headerSize = 1627
const headerLines = /^age-encryption\.org\/v1\n-> mlkem768x25519 [A-Za-z0-9+/]{1494}\n[A-Za-z0-9+/]{43}\n--- [A-Za-z0-9+/]{43}\n$/

/** Refuses a file that is not for exactly one hybrid recipient: a second one could open it unnoticed. */
export function checkSealed(sealed: Uint8Array): void {
  if (!headerLines.test(String.fromCharCode(...sealed.subarray(0, headerSize)))) throw new Bad('this is not an age file for exactly one recipient')
}

/** Opens a file that must be for this identity alone. */
export async function openOnly(identity: string, sealed: Uint8Array): Promise<Bytes> {
  checkSealed(sealed)
  return openWith(identity, sealed)
}

// An age identity file with one line of JSON about it: what grants, histories and keyrings hold.
function identityFile(type: string, about: object, identity: string): Bytes {
  return utf8(`# ${type}\n# ${JSON.stringify(about)}\n${identity}\n`)
}

function readIdentityFile(type: string, file: Uint8Array): { about: Record<string, unknown>; identity: string } {
  const lines = text(file).split('\n')
  const [first, second, identity = '', end] = lines
  if (lines.length !== 4 || first !== `# ${type}` || !second?.startsWith('# {') || end !== '') throw new Bad(`this is not a ${type} file`)
  if (!/^AGE-SECRET-KEY-PQ-1[02-9AC-HJ-NP-Z]+$/.test(identity)) throw new Bad(`the ${type} file holds no identity`)
  return { about: readJSON(second.slice(2)) as Record<string, unknown>, identity }
}

/** One epoch's secret half of a lock. */
export interface LockKey {
  readonly org: string; readonly lock: string; readonly epoch: number
  readonly identity: string; readonly recipient: string; readonly signing: SigningKey
}

export async function lockKey(org: string, lock: string, epoch: number, identity: string): Promise<LockKey> {
  return { org, lock, epoch, identity, recipient: await recipientOf(identity), signing: await lockSigning(identity) }
}

export const lockSigning = async (identity: string): Promise<SigningKey> =>
  signingKey(await hkdf(utf8(identity), 'ward/lock-signing/1', 32))

export const newLockIdentity = newIdentity

export const lockFile = (key: Pick<LockKey, 'org' | 'lock' | 'epoch' | 'identity'>): Bytes =>
  identityFile('ward/lock/1', { org: key.org, lock: key.lock, epoch: key.epoch }, key.identity)

/** What a name takes up in a welcome, in bytes, so that the size of a welcome tells nothing of it. */
const nameRoom = 128

/** What the invited are called, with what opens the commitment to it in their invitation. */
export interface Called { readonly name: string; readonly salt: string }

/** A welcome: the lock file with the name of whoever invites, and that of the invited; a name that has no room in it is left out. */
export function welcomeFile(key: Pick<LockKey, 'org' | 'lock' | 'epoch' | 'identity'>, from: string, invited: Called): Bytes {
  return identityFile('ward/lock/1', { org: key.org, lock: key.lock, epoch: key.epoch, from: inRoom(from), name: inRoom(invited.name), salt: invited.salt }, key.identity)
}

function inRoom(name: string): string {
  const fits = utf8(name).length > nameRoom ? '' : name
  return fits + ' '.repeat(nameRoom - utf8(fits).length)
}

/** What a welcome says beside the lock's key: who invites, and how they call the invited; '' if it does not. */
export async function namesIn(identity: string, welcome: Uint8Array): Promise<Called & { readonly from: string }> {
  const { about } = readIdentityFile('ward/lock/1', await openOnly(identity, welcome))
  const said = (field: string): string => (typeof about[field] === 'string' ? about[field].trim() : '')
  return { from: said('from'), name: said('name'), salt: said('salt') }
}

/** Opens a grant or history, and checks that it is of this lock and epoch and has this epoch's keys. */
export async function openLockFile(
  identity: string, sealed: Uint8Array, want: { org: string; lock: string; epoch: number; recipient: string; verify: string },
): Promise<LockKey> {
  const key = await readLockFile(identity, sealed)
  if (key.org !== want.org || key.lock !== want.lock || key.epoch !== want.epoch) throw new Bad('the sealed key is of another lock or epoch')
  if (key.recipient !== want.recipient || key.signing.public !== want.verify) throw new Bad("the sealed key is not the epoch's")
  return key
}

export async function readLockFile(identity: string, sealed: Uint8Array): Promise<LockKey> {
  const { about, identity: inner } = readIdentityFile('ward/lock/1', await openOnly(identity, sealed))
  onlyNames(about, ['org', 'lock', 'epoch', 'from', 'name', 'salt'], 'the lock file')
  return lockKey(String(about['org']), String(about['lock']), Number(about['epoch']), inner)
}

/** A person's secrets, as kept sealed in the keyring. */
export interface Keyring {
  org: string; person: string; signing: string; card: string; clinic: string; name: string
  passkeys: { id: string; name: string; recipient: string }[]
  recovery: { code: string }
  version: number
  ledger?: Trust
  identity: string
}

/** Of one person (wire.go). */
const maxPasskeys = 32

export function writeKeyring(k: Keyring): Bytes {
  const { identity, org, person, signing, card, clinic, name, passkeys, recovery, version, ledger } = k
  return identityFile('ward/keyring/1', { org, person, signing, card, clinic, name, passkeys, recovery, version, ...(ledger && { ledger }) }, identity)
}

export function readKeyring(file: Uint8Array): Keyring {
  const { about, identity } = readIdentityFile('ward/keyring/1', file)
  onlyNames(about, ['org', 'person', 'signing', 'card', 'clinic', 'name', 'passkeys', 'recovery', 'version', 'ledger'], 'the keyring')
  onlyNames(about['recovery'], ['code'], 'the recovery code')
  if (Array.isArray(about['passkeys'])) for (const p of about['passkeys']) onlyNames(p, ['id', 'name', 'recipient'], 'a passkey')
  const k = about as unknown as Keyring
  const texts = [k.name, ...(Array.isArray(k.passkeys) ? k.passkeys.flatMap((p) => [p.id, p.name, p.recipient]) : [undefined])]
  const whole = isID(k.org) && isID(k.person) && [k.signing, k.card, k.clinic].every((v) => unb64(v).length === 32) &&
    isCode(k.recovery?.code) && texts.every((v) => typeof v === 'string') && Number.isSafeInteger(k.version) && k.version >= 1 && k.passkeys.length <= maxPasskeys &&
    (k.ledger === undefined || validTrust(k.ledger))
  if (!whole) throw new Bad('the keyring is not complete')
  return { ...k, identity }
}

export const sealKeyring = (k: Keyring): Promise<Bytes> => sealTo(writeKeyring(k), ...k.passkeys.map((p) => p.recipient))

export const openKeyring = async (passkeyIdentity: string, sealed: Uint8Array): Promise<Keyring> =>
  readKeyring(await openWith(passkeyIdentity, sealed))

/** The work factor of the recovery copy: the code has 128 bits, so this only follows the format. */
const workFactor = 15

/** Seals the keyring's second copy, to its recovery code. */
export async function sealKeyringForCode(k: Keyring): Promise<Bytes> {
  const e = new Encrypter()
  e.setScryptWorkFactor(workFactor)
  e.setPassphrase(k.recovery.code)
  return (await e.encrypt(writeKeyring(k))) as Bytes
}

export async function openKeyringByCode(code: string, sealed: Uint8Array): Promise<Keyring> {
  const d = new Decrypter()
  d.addPassphrase(code)
  const k = readKeyring((await d.decrypt(sealed)) as Bytes)
  if (k.recovery.code !== code) throw new Bad('the keyring names another recovery code than opened it')
  return k
}

// The recovery code: 128 bits and 12 of checksum in Crockford's base32.

const crockford = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

// A person is told while typing, so this hash is the one that answers at once and not WebCrypto's.
function checksum(entropy: Uint8Array): number {
  const sum = sha256Now(concat(utf8('ward recovery code v1'), entropy))
  return ((sum[0] as number) << 4) | ((sum[1] as number) >> 4)
}

const group = (characters: string): string => characters.match(/.{1,4}/g)?.join('-') ?? ''

export function codeOf(entropy: Uint8Array): string {
  let value = 0n
  for (const byte of entropy) value = (value << 8n) | BigInt(byte)
  value = (value << 12n) | BigInt(checksum(entropy))
  let out = ''
  for (let i = 27; i >= 0; i--) out += crockford[Number((value >> BigInt(5 * i)) & 31n)]
  return group(out)
}

export const newCode = (): string => codeOf(random(16))

/** What a person typed, in the printed form as far as it goes. */
export const normaliseCode = (typed: string): string =>
  group(typed.toUpperCase().replace(/[\s\u2010-\u2015-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1'))

/** The 16 bytes of a code, and the code as it is printed; or what is wrong with it. */
export function readCode(typed: string): { code: string; entropy: Bytes } | 'short' | 'checksum' {
  const code = normaliseCode(typed)
  const characters = code.replaceAll('-', '')
  if (characters.length < 28) return 'short'
  if (characters.length > 28) return 'checksum'
  let value = 0n
  for (const c of characters) {
    const digit = crockford.indexOf(c)
    if (digit < 0) return 'checksum'
    value = (value << 5n) | BigInt(digit)
  }
  const sum = Number(value & 0xfffn)
  value >>= 12n
  const entropy = new Uint8Array(16)
  for (let i = 15; i >= 0; i--) {
    entropy[i] = Number(value & 255n)
    value >>= 8n
  }
  return checksum(entropy) === sum ? { code, entropy } : 'checksum'
}

/** Whether a value is a recovery code exactly as it is printed. */
function isCode(v: unknown): boolean {
  if (typeof v !== 'string') return false
  const read = readCode(v)
  return typeof read === 'object' && read.code === v
}

export async function recoveryProof(entropy: Uint8Array): Promise<{ lookup: string; token: string; tokenHash: string }> {
  const token = await hkdf(entropy, 'ward/recovery/token/1', 32)
  return { lookup: b64(await hkdf(entropy, 'ward/recovery/lookup/1', 16)), token: b64(token), tokenHash: await hash(token) }
}

/** What every passkey's PRF is evaluated over. */
export const prfSalt = (): Promise<Bytes> => sha256(utf8('ward/passkey-prf/1'))

export async function passkeyIdentity(prf: Uint8Array): Promise<string> {
  if (prf.length !== 32) throw new Bad(`a passkey's secret is 32 bytes, not ${prf.length}`)
  return identityOf(await hkdf(prf, 'ward/passkey-identity/1', 32))
}

// Invitations: everything comes from the 16 bytes in the link's fragment.

export interface Link { readonly invitation: string; readonly secret: Bytes; readonly clinic?: string | undefined }

export function readLink(link: string): Link {
  const parts = link.slice(link.indexOf('#') + 1).trim().split('.')
  const [invitation = '', secret = '', clinic] = parts
  const bytes = unb64(secret)
  if (parts.length > 3 || !isID(invitation) || bytes.length !== 16 || (clinic !== undefined && unb64(clinic).length !== 32)) throw new Bad('this is not an invitation link')
  return { invitation, secret: bytes, clinic }
}

export const writeLink = (origin: string, link: Link): string =>
  `${origin}/join#${link.invitation}.${b64(link.secret)}${link.clinic === undefined ? '' : `.${link.clinic}`}`

export const invitationToken = (secret: Uint8Array): Promise<Bytes> => hkdf(secret, 'ward/invitation/token/1', 32)
export const invitationIdentity = async (secret: Uint8Array): Promise<string> => identityOf(await hkdf(secret, 'ward/invitation/identity/1', 32))
/** Whose public half the signed invitation names: only a card that this key signed follows it. */
export const invitationKey = async (secret: Uint8Array): Promise<SigningKey> => signingKey(await hkdf(secret, 'ward/invitation/signing/1', 32))

/** A DPoP proof (RFC 9449) for one request. */
export async function dpop(key: SigningKey, claims: { method: string; url: string; nonce: string; token?: string | undefined; time?: number; id?: string }): Promise<string> {
  const part = (value: object): string => b64(utf8(JSON.stringify(value)))
  const header = part({ typ: 'dpop+jwt', alg: 'EdDSA', jwk: { kty: 'OKP', crv: 'Ed25519', x: key.public } })
  const body = part({
    jti: claims.id ?? b64(random(16)), htm: claims.method, htu: claims.url, iat: claims.time ?? Math.floor(Date.now() / 1000), nonce: claims.nonce,
    ...(claims.token !== undefined && { ath: await hash(claims.token) }),
  })
  const signed = `${header}.${body}`
  return `${signed}.${b64(await key.sign(utf8(signed)))}`
}

