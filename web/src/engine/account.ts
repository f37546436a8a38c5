// One's own account: joining, signing in, recovering, passkeys, the keyring. Everything secret is made here, in the
// browser, and leaves it sealed.

import { Bad, b64, hash, json64, newID, now, random, recipientOf, signingKey, unb64, unjson64, utf8, hkdf, hmac, type SigningKey } from '../seal/bytes.ts'
import {
  bind, invitationIdentity, invitationToken, newCode, newLockIdentity, openKeyring, openKeyringByCode, readCode, readLink, readLockFile, recoveryProof,
  sealKeyring, sealKeyringForCode, type Keyring, type Link, type LockKey,
} from '../seal/keys.ts'
import { checkEpochs, checkSignatures, hashOf, parse, write, type Statement } from '../seal/statements.ts'
import { fullName } from '../fhir/write.ts'
import { latest, makeGrant, newLock, type Self } from './locks.ts'
import type { Net } from './net.ts'
import { makePasskey, touchPasskey, usePasskey } from './passkey.ts'
import { EngineProblem } from './problem.ts'
import { Safe, type Shelf } from './shelf.ts'
import type { About, Progress } from './types.ts'
import type { WireOpened, WireSession, WireSummary } from './wire.ts'

/** What signing in gives: the session, and the keyring that the touch opened. */
export interface SignedIn { readonly session: WireSession; readonly keyring: Keyring }

export async function selfOf(keyring: Keyring): Promise<Self> {
  return {
    org: keyring.org, person: keyring.person, identity: keyring.identity, signing: await signingKey(unb64(keyring.signing)), card: keyring.card, name: keyring.name,
  }
}

/** Checks that a keyring is the one of the person's latest card, and follows the card if it was vouched for. */
export async function checkKeyring(keyring: Keyring, cardText: string): Promise<Keyring> {
  const card = await parse('ward/card/1', cardText)
  const signing = await signingKey(unb64(keyring.signing))
  if (card.body.person !== keyring.person || card.body.org !== keyring.org || card.body.signing !== signing.public || card.body.recipient !== (await recipientOf(keyring.identity))) {
    throw new EngineProblem('keyring', 'the keyring is not that of the card the server shows')
  }
  return { ...keyring, card: await hashOf(card) }
}

export function linkOf(link: string): Link {
  try {
    return readLink(link)
  } catch {
    throw new EngineProblem('bad-link', 'this is not a whole invitation link')
  }
}

export async function open(net: Net, link: Link): Promise<{ opened: WireOpened; welcome?: LockKey; from?: string }> {
  const opened = await net.post<WireOpened>(`/api/invitations/${link.invitation}/open`, { token: b64(await invitationToken(link.secret)) }, 'none')
  if (opened.founding !== true) {
    if (link.clinic === undefined || opened.clinicText === undefined || (await hash(opened.clinicText)) !== link.clinic) {
      throw new EngineProblem('tampered', 'the server shows another clinic than the link names')
    }
  }
  if (!opened.welcome) return { opened }
  return { opened, welcome: await readLockFile(await invitationIdentity(link.secret), unjson64(opened.welcome)) }
}

export interface Joined extends SignedIn { readonly code: string; readonly welcome?: LockKey; readonly made: readonly LockKey[]; readonly opened: WireOpened }

/** Joins by an invitation: one touch makes the passkey; keys, card, keyring and locks are made around it. */
export async function join(net: Net, browser: SigningKey, link: Link, about: About, passkeyName: string, progress: Progress): Promise<Joined> {
  progress('opening', 0, 4)
  const { opened, welcome } = await open(net, link)
  const name = fullName(about.name)
  progress('passkey', 1, 4)
  const passkey = await makePasskey(opened.publicKey, name)
  progress('keys', 2, 4)
  const org = opened.org.org
  const seed = random(32)
  const signing = await signingKey(seed)
  const identity = await newLockIdentity()
  const previous = opened.recover ? await parse('ward/card/1', opened.cards?.at(-1) ?? '') : undefined
  const card = await write('ward/card/1', {
    org, person: opened.person, serial: previous ? previous.body.serial + 1 : 1, previous: previous && (await hashOf(previous)), recipient: await recipientOf(identity),
    signing: signing.public, time: now(), voucher: previous ? opened.inviter?.person : undefined,
  }, signing.sign)
  const certificate = await certify(org, opened.person, await hashOf(card), browser, signing)
  const code = newCode()
  const read = readCode(code)
  if (typeof read === 'string') throw new Bad('the recovery code does not read back')
  const proof = await recoveryProof(read.entropy)
  const passkeyID = newID()
  const self: Self = { org, person: opened.person, identity, signing, card: await hashOf(card), name }
  const locks = await firstLocks(self, opened, link)
  const keyring: Keyring = {
    org, person: opened.person, signing: b64(seed), card: self.card, clinic: locks.clinicText ? await hash(locks.clinicText) : (link.clinic ?? ''), name,
    passkeys: [{ id: passkeyID, name: passkeyName, recipient: await recipientOf(passkey.identity) }], recovery: { code }, version: 1, identity,
  }
  const grants = welcome && !opened.recover ? [await makeGrant(self, welcome, { person: self.person, card: self.card }, card.body.recipient, 'work')] : []
  progress('sealing', 3, 4)
  const session = await net.post<WireSession>(`/api/invitations/${link.invitation}/accept`, {
    token: b64(await invitationToken(link.secret)), ceremony: opened.ceremony, credential: passkey.credential, passkey: passkeyID, cardText: card.text, browserText: certificate.text,
    bind: await bind(link.secret, card.text), keyring: await sealKeyring(keyring), recoveryKeyring: await sealKeyringForCode(keyring),
    recovery: { lookup: proof.lookup, tokenHash: proof.tokenHash }, ...(locks.clinicText && { clinicText: locks.clinicText }), locks: locks.locks, grants,
  }, 'browser')
  progress('done', 4, 4)
  return { session, keyring, code, made: locks.keys, opened, ...(welcome && { welcome }) }
}

interface FirstLocks { readonly locks: { epoch: string; grants: { text: string; sealed: Uint8Array }[] }[]; readonly keys: LockKey[]; readonly clinicText?: string }

/** The locks that begin with a person: the clinic's four with its founder, both parts of the chart with a patient. */
async function firstLocks(self: Self, opened: WireOpened, link: Link): Promise<FirstLocks> {
  const recipient = await recipientOf(self.identity)
  const me = { person: self.person, card: self.card }
  if (opened.founding) {
    const kinds = ['directory', 'staff', 'team', 'emergency'] as const
    const made = await Promise.all(kinds.map((kind) => newLock(self, kind)))
    const ids = Object.fromEntries(made.map((m, i) => [kinds[i], m.key.lock]))
    const clinic = await write('ward/clinic/1', {
      org: self.org, founder: self.person, signing: self.signing.public,
      locks: { directory: ids['directory'] ?? '', staff: ids['staff'] ?? '', clinicians: ids['team'] ?? '', emergency: ids['emergency'] ?? '' }, time: now(),
    }, self.signing.sign)
    const locks = await Promise.all(made.map(async (m) => ({ epoch: m.epoch.text, grants: [await makeGrant(self, m.key, me, recipient, 'work')] })))
    return { locks, keys: made.map((m) => m.key), clinicText: clinic.text }
  }
  if (opened.chart === undefined || opened.recover) return { locks: [], keys: [] }
  const clinic = await checkClinic(opened.clinicText ?? '', link.clinic ?? '')
  const outside = async (lock: string): Promise<{ holder: string; holderEpoch: number; recipient: string }> => {
    const shown = (opened.locks ?? []).find((l: WireSummary) => l.lock === lock)
    if (!shown) throw new Bad('the server does not show a lock of the clinic')
    const e = latest(await checkEpochs(shown.epochs, self.org, lock))
    return { holder: lock, holderEpoch: e.epoch, recipient: e.recipient }
  }
  const team = await outside(clinic.body.locks.clinicians)
  const emergency = await outside(clinic.body.locks.emergency)
  const to = (key: LockKey, l: { holder: string; holderEpoch: number; recipient: string }, purpose: 'care' | 'emergency'): Promise<{ text: string; sealed: Uint8Array }> =>
    makeGrant(self, key, { holder: l.holder, holderEpoch: l.holderEpoch }, l.recipient, purpose)
  const parts = await Promise.all((['general', 'restricted'] as const).map(async (compartment) => {
    const m = await newLock(self, 'chart', { chart: opened.chart as string, compartment })
    const grants = [await makeGrant(self, m.key, me, recipient, 'self'), await to(m.key, emergency, 'emergency')]
    if (compartment === 'general') grants.push(await to(m.key, team, 'care'))
    return { key: m.key, lock: { epoch: m.epoch.text, grants } }
  }))
  return { locks: parts.map((p) => p.lock), keys: parts.map((p) => p.key) }
}

export async function checkClinic(text: string, fingerprint: string): Promise<Statement<'ward/clinic/1'>> {
  if ((await hash(text)) !== fingerprint) throw new EngineProblem('tampered', 'the server shows another clinic than the one you joined')
  const clinic = await parse('ward/clinic/1', text)
  await checkSignatures(clinic, clinic.body.signing)
  return clinic
}

export const certify = (org: string, person: string, card: string, browser: SigningKey, signing: SigningKey): Promise<Statement<'ward/browser/1'>> =>
  write('ward/browser/1', { org, person, card, key: browser.public, time: now() }, signing.sign)

/** Shows by a passkey, in the session that goes on, that it is the person. */
export async function touch(net: Net, signal: AbortSignal): Promise<void> {
  const asked = await net.post<{ ceremony: string; publicKey: never }>('/api/touch/options', {})
  await net.post('/api/touch', { ceremony: asked.ceremony, credential: await touchPasskey(asked.publicKey, signal) })
}

/** One touch: signs in and opens the keyring. */
export async function signIn(net: Net, progress: Progress): Promise<SignedIn> {
  progress('opening', 0, 3)
  const options = await net.post<{ ceremony: string; publicKey: never }>('/api/sign-in/options', {}, 'none')
  progress('passkey', 1, 3)
  const used = await usePasskey(options.publicKey)
  const session = await net.post<WireSession>('/api/sign-in', { ceremony: options.ceremony, credential: used.credential }, 'browser')
  progress('unlocking', 2, 3)
  try {
    const keyring = await checkKeyring(await openKeyring(used.identity, unjson64(session.keyring ?? '')), session.cardText)
    progress('done', 3, 3)
    return { session, keyring }
  } catch (error) {
    if (error instanceof EngineProblem) throw error
    throw new EngineProblem('keyring', 'this passkey signs in and does not open the keyring')
  }
}

/** Opens the keyring by the printed code and registers a passkey on this device. */
export async function recover(net: Net, browser: SigningKey, typed: string, passkeyName: string, progress: Progress): Promise<SignedIn> {
  const read = readCode(typed)
  if (typeof read === 'string') throw new EngineProblem('bad-code', `the code is ${read}`)
  progress('opening', 0, 4)
  const proof = await recoveryProof(read.entropy)
  type Opened = { org: { org: string }; person: string; recoveryKeyring: string; version: number; cardText: string; ceremony: string; publicKey: never }
  const opened = await net.post<Opened>('/api/recovery/open', { lookup: proof.lookup, token: proof.token }, 'none').catch((error: unknown) => {
    if (error instanceof EngineProblem && error.code === 'missing') throw new EngineProblem('wrong-code', error.message)
    throw error
  })
  const keyring = await checkKeyring(await openKeyringByCode(read.code, unjson64(opened.recoveryKeyring)), opened.cardText)
  progress('passkey', 1, 4)
  const passkey = await makePasskey(opened.publicKey, keyring.name)
  progress('sealing', 2, 4)
  const id = newID()
  const changed: Keyring = {
    ...keyring, passkeys: [...keyring.passkeys, { id, name: passkeyName, recipient: await recipientOf(passkey.identity) }], version: opened.version + 1,
  }
  const certificate = await certify(keyring.org, keyring.person, changed.card, browser, await signingKey(unb64(keyring.signing)))
  const session = await net.post<WireSession>('/api/recovery/finish', {
    lookup: proof.lookup, token: proof.token, ceremony: opened.ceremony, credential: passkey.credential, passkey: id, browserText: certificate.text,
    version: changed.version, keyring: await sealKeyring(changed), recoveryKeyring: await sealKeyringForCode(changed),
  }, 'browser')
  progress('done', 4, 4)
  return { session, keyring: changed }
}

// Taking a session up after a reload, without a touch: the keyring is kept under a key that is made of a key this
// browser cannot give away and a share that the server gives only to this session while it lasts.

interface Parked { session: string; token: string; sealed: Uint8Array }

async function parkKey(shelf: Shelf, share: string): Promise<CryptoKey> {
  const local = (await shelf.get('keys', 'park')) as CryptoKey | undefined
  const key = local ?? (await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, false, ['sign']))
  if (!local) await shelf.put('keys', 'park', key)
  const mixed = new Uint8Array(await crypto.subtle.sign('HMAC', key, unb64(share)))
  return crypto.subtle.importKey('raw', await hkdf(mixed, 'ward/parked-keyring/1', 32), 'AES-GCM', false, ['encrypt', 'decrypt'])
}

export async function park(shelf: Shelf, session: { session: string; token: string; share: string }, keyring: Keyring): Promise<void> {
  const sealed = await new Safe(await parkKey(shelf, session.share)).seal('keyring', keyring)
  await shelf.put('session', 'current', { session: session.session, token: session.token, sealed } satisfies Parked)
}

export const parked = async (shelf: Shelf): Promise<Parked | undefined> => (await shelf.get('session', 'current')) as Parked | undefined

export async function unpark(shelf: Shelf, p: Parked, share: string): Promise<Keyring | undefined> {
  return new Safe(await parkKey(shelf, share)).open<Keyring>('keyring', p.sealed)
}

export { json64, utf8, hmac }
