// Guests of a visit, and the names of those in it (docs/formats.md). A guest has no account: all that they need comes
// from the 16 bytes in their link's fragment, which reaches no server. No DOM, no network.

import { Bad, b64, concat, hkdf, identityOf, isID, random, readJSON, recipientOf, signingKey, text, unb64, utf8, type Bytes, type SigningKey } from './bytes.ts'
import { openOnly, sealTo } from './keys.ts'
import { maxName } from './names.ts'

/** As what a guest comes. */
export const guestRoles = ['interpreter', 'family', 'clinician', 'other'] as const
export type GuestRole = (typeof guestRoles)[number]

export interface GuestLink { readonly guest: string; readonly secret: Bytes }

export function readGuestLink(link: string): GuestLink {
  const parts = link.slice(link.indexOf('#') + 1).trim().split('.')
  const [guest = '', secret = ''] = parts
  const bytes = unb64(secret)
  if (parts.length !== 2 || !isID(guest) || bytes.length !== 16) throw new Bad("this is not a guest's link")
  return { guest, secret: bytes }
}

export const writeGuestLink = (origin: string, link: GuestLink): string => `${origin}/guest#${link.guest}.${b64(link.secret)}`

/** Whoever has the link signs with this; its public half is in the inviter's statement. */
export const linkKey = async (secret: Uint8Array): Promise<SigningKey> => signingKey(await hkdf(secret, 'ward/guest/signing/1', 32))
/** Opens the welcome. */
export const linkIdentity = async (secret: Uint8Array): Promise<string> => identityOf(await hkdf(secret, 'ward/guest/identity/1', 32))

/** Where something is about someone: what is sealed for one place opens in no other. */
export interface Place { readonly org: string; readonly visit: string; readonly member: string }

/** Who invites the guest to what, for whoever has the link; and the host's card, by which the guest knows them. */
export interface Welcome extends Place { readonly host: string; readonly card: string; readonly hostName: string; readonly inviter: string; readonly from: string; readonly as: GuestRole }

/** A guest's name, and what the key of names is sealed to, for the host. */
export interface Hello extends Place { readonly name: string; readonly as: GuestRole; readonly recipient: string }

/** What everyone in a visit may know of a member: by is the name of who invited a guest. */
export interface MemberName { readonly name: string; readonly as?: GuestRole | undefined; readonly inviter?: string | undefined; readonly by?: string | undefined }

// Texts are filled with spaces, so that the size of what is sealed says nothing of a name.
const textSize = 1024
const helloSize = 3072 // a recipient is 1,959 characters
const nameSize = 512

function filled(type: string, body: object, size: number): Bytes {
  const line = utf8(`${type}\n${JSON.stringify(body)}\n`)
  if (line.length > size) throw new Bad(`${type} is too long`)
  return concat(line, new Uint8Array(size - line.length).fill(32))
}

/** Reads such a text, whose fields are those and texts. */
function read<T>(type: string, bytes: Uint8Array, fields: readonly string[], optional: readonly string[] = []): T {
  const lines = text(bytes).split('\n')
  if (lines.length !== 3 || lines[0] !== type || !/^ *$/.test(lines[2] ?? 'x')) throw new Bad(`this is no ${type}`)
  const body = readJSON(lines[1] ?? '') as Record<string, unknown>
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new Bad(`${type} is not an object`)
  for (const name of Object.keys(body)) if (!fields.includes(name) && !optional.includes(name)) throw new Bad(`${type} has a field that it does not know`)
  for (const name of fields) if (typeof body[name] !== 'string') throw new Bad(`${type}: ${name} is missing`)
  for (const name of optional) if (body[name] !== undefined && typeof body[name] !== 'string') throw new Bad(`${type}: ${name} is no text`)
  if (typeof body['as'] === 'string' && !guestRoles.includes(body['as'] as GuestRole)) throw new Bad(`${type}: as is no role of guests`)
  if (typeof body['name'] === 'string' && (body['name'] === '' || [...body['name']].length > maxName)) throw new Bad(`${type}: the name is empty or too long`)
  return body as T
}

function isOf(place: Place, want: Place): void {
  if (place.org !== want.org || place.visit !== want.visit || place.member !== want.member) throw new Bad('it is sealed for another place')
}

export async function sealWelcome(secret: Uint8Array, w: Welcome): Promise<Bytes> {
  const { org, visit, member, host, card, hostName, inviter, from, as } = w
  return sealTo(filled('ward/guest-welcome/1', { org, visit, member, host, card, hostName, inviter, from, as }, textSize), await recipientOf(await linkIdentity(secret)))
}

export async function openWelcome(link: GuestLink, sealed: Uint8Array): Promise<Welcome> {
  const w = read<Welcome>('ward/guest-welcome/1', await openOnly(await linkIdentity(link.secret), sealed), ['org', 'visit', 'member', 'host', 'card', 'hostName', 'inviter', 'from', 'as'])
  if (w.member !== link.guest || !isID(w.org) || !isID(w.visit) || !isID(w.host) || !isID(w.inviter) || unb64(w.card).length !== 32) throw new Bad('the welcome is for another link')
  return w
}

/** Seals a guest's name to the host. */
export const sealHello = (hostRecipient: string, h: Hello): Promise<Bytes> => {
  const { org, visit, member, name, as, recipient } = h
  return sealTo(filled('ward/guest-hello/1', { org, visit, member, name, as, recipient }, helloSize), hostRecipient)
}

export async function openHello(identity: string, sealed: Uint8Array, want: Place): Promise<Hello> {
  const h = read<Hello>('ward/guest-hello/1', await openOnly(identity, sealed), ['org', 'visit', 'member', 'name', 'as', 'recipient'])
  isOf(h, want)
  return h
}

/** The key of a visit's names, which its host has from their own identity, on every device. */
export const namesKey = (hostIdentity: string, visit: string): Promise<Bytes> => hkdf(utf8(hostIdentity), `ward/visit-names/1\n${visit}`, 32)

/** Seals the key of names to a member. */
export const sealNamesKey = (recipient: string, place: Place, key: Uint8Array): Promise<Bytes> =>
  sealTo(filled('ward/visit-names/1', { org: place.org, visit: place.visit, member: place.member, key: b64(key) }, textSize), recipient)

export async function openNamesKey(identity: string, sealed: Uint8Array, want: Place): Promise<Bytes> {
  const found = read<Place & { key: string }>('ward/visit-names/1', await openOnly(identity, sealed), ['org', 'visit', 'member', 'key'])
  isOf(found, want)
  const key = unb64(found.key)
  if (key.length !== 32) throw new Bad('the key of names is not 32 bytes')
  return key
}

const nonceSize = 12
const about = (place: Place): Bytes => utf8(`ward/visit-name/1\n${place.org}\n${place.visit}\n${place.member}`)
const gcm = (key: Uint8Array, use: 'encrypt' | 'decrypt'): Promise<CryptoKey> => crypto.subtle.importKey('raw', key as Bytes, 'AES-GCM', false, [use])

/** Seals a member's name for all who have the key of names. The nonce is random: a visit has few names. */
export async function sealName(key: Uint8Array, place: Place, n: MemberName): Promise<Bytes> {
  const iv = random(nonceSize)
  const plain = filled('ward/visit-name/1', { name: n.name, as: n.as, inviter: n.inviter, by: n.by }, nameSize)
  return concat(iv, new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: about(place) }, await gcm(key, 'encrypt'), plain)))
}

export async function openName(key: Uint8Array, place: Place, sealed: Uint8Array): Promise<MemberName> {
  let plain
  try {
    const params = { name: 'AES-GCM', iv: sealed.slice(0, nonceSize), additionalData: about(place) }
    plain = new Uint8Array(await crypto.subtle.decrypt(params, await gcm(key, 'decrypt'), sealed.slice(nonceSize)))
  } catch {
    throw new Bad('the name does not open')
  }
  return read<MemberName>('ward/visit-name/1', plain, ['name'], ['as', 'inviter', 'by'])
}
