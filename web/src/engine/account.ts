// One's own account: joining, signing in, recovering, passkeys, the keyring. Everything secret is made here, in the
// browser, and leaves it sealed.

import { Bad, b64, hash, json64, newID, now, random, recipientOf, signingKey, unb64, unjson64, utf8, hkdf, hmac, type SigningKey } from '../seal/bytes.ts'
import { Thread, type Roster } from '../seal/membership.ts'
import {
  invitationIdentity, invitationKey, invitationToken, namesIn, newCode, newLockIdentity, openKeyring, openKeyringByCode, readCode, readLink, readLockFile, recoveryProof,
  sealKeyring, sealKeyringForCode, type Called, type Keyring, type Link, type LockKey,
} from '../seal/keys.ts'
import { checkEpochs, checkSignatures, hashOf, nameHash, parse, rolesOf, write, type Statement } from '../seal/statements.ts'
import { fullName } from '../fhir/write.ts'
import { latest, makeGrant, newLock, type Self } from './locks.ts'
import { again, Chain, invitedRoster, placeAfter } from './membership.ts'
import type { Net } from './net.ts'
import { makePasskey, touchPasskey, usePasskey } from './passkey.ts'
import { EngineProblem } from './problem.ts'
import { Safe, type Shelf } from './shelf.ts'
import type { About, Progress, Role } from './types.ts'
import type { WireInvitedMembership, WireOpened, WireSession, WireSummary } from './wire.ts'

/** What signing in gives: the session, and the keyring that the touch opened. */
export interface SignedIn { readonly session: WireSession; readonly keyring: Keyring }

export async function selfOf(keyring: Keyring): Promise<Self> {
  return {
    org: keyring.org, person: keyring.person, identity: keyring.identity, signing: await signingKey(unb64(keyring.signing)), card: keyring.card, name: keyring.name,
  }
}

/** Checks that a keyring is the one of the card that the server shows of it. Whether that counts, the history says. */
export async function checkKeyring(keyring: Keyring, cardText: string): Promise<Keyring> {
  const card = await parse('ward/card/2', cardText)
  const { public: signing } = await signingKey(unb64(keyring.signing))
  const recipientHash = await hash(await recipientOf(keyring.identity))
  if (card.body.person !== keyring.person || card.body.org !== keyring.org || card.body.signing !== signing || card.body.recipientHash !== recipientHash) {
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

/** An invitation that was opened; all but the founder's is in the history that the clinic's statement begins. */
export interface Opened {
  readonly wire: WireOpened
  readonly roles: readonly Role[]
  readonly recover: boolean
  readonly welcome?: LockKey
  readonly from: string
  /** How who invites calls the invited, if the history has just this name. */
  readonly called?: Called | undefined
  readonly invited?: Invited
}

/** What the invited read before they join: the roster, and for patients and proxies their own thread. */
interface Invited { readonly roster: Chain; own: Chain }

export async function open(net: Net, link: Link): Promise<Opened> {
  const token = b64(await invitationToken(link.secret))
  const wire = await net.post<WireOpened>(`/api/invitations/${link.invitation}/open`, { token }, 'none')
  if (wire.founding === true) {
    if (link.clinic !== undefined) throw new EngineProblem('tampered', 'the server shows another clinic than the link names')
    return { wire, roles: wire.roles, recover: false, from: '' }
  }
  await checkClinic(wire.clinicText ?? '', link.clinic ?? '')
  const more = (after: number): Promise<WireInvitedMembership> => readOn(net, link, after)
  const roster = await invitedRoster(wire.org.org, wire.clinicText as string, wire.membership, more)
  const invited = { roster, own: await ownChain(roster, wire.person, wire.thread) }
  const { roles, recover, name } = await inviteOf(invited, link, wire.person)
  const shown = { wire, invited, roles: rolesOf(roles) ?? [], recover: recover === true }
  if (!wire.welcome) return { ...shown, from: '' }
  const [identity, sealed] = [await invitationIdentity(link.secret), unjson64(wire.welcome)]
  const names = await namesIn(identity, sealed)
  const called = names.name !== '' && names.salt !== '' && (await nameHash(unb64(names.salt), names.name)) === name ? { name: names.name, salt: names.salt } : undefined
  return { ...shown, welcome: await readLockFile(identity, sealed), from: names.from, called }
}

const readOn = async (net: Net, link: Link, after: number): Promise<WireInvitedMembership> =>
  net.post<WireInvitedMembership>(`/api/invitations/${link.invitation}/membership`, { token: b64(await invitationToken(link.secret)), after }, 'none')

/** The history that somebody's card goes into: their thread, if one was begun for them. */
async function ownChain(roster: Chain, person: string, thread: readonly string[] | undefined): Promise<Chain> {
  if (!thread || thread.length === 0) return roster
  const own = new Chain(Thread.start(roster.history as Roster, person))
  await own.read(thread)
  if (own.wrong) throw new EngineProblem('tampered', own.wrong.why)
  return own
}

/** The open invitation that a link belongs to, as somebody who may invite stated it. */
async function inviteOf({ own }: Invited, link: Link, person: string): Promise<Roster['invitations'][number]> {
  const verifier = (await invitationKey(link.secret)).public
  const invite = own.history.invitations.find((i) => i.invitation === link.invitation)
  if (!invite || invite.verifier !== verifier || invite.person !== person) throw new EngineProblem('tampered', 'nobody of the clinic stated this invitation')
  return invite
}

/** Reads on what others stated since, before a card is made anew. */
async function readAgain(net: Net, link: Link, invited: Invited, person: string): Promise<void> {
  const { roster } = invited
  for (;;) {
    const page = await readOn(net, link, roster.history.head.seq)
    await roster.read(page.statements)
    if (roster.wrong) throw new EngineProblem('tampered', roster.wrong.why)
    if (page.more && page.statements.length > 0) continue
    invited.own = await ownChain(roster, person, page.thread)
    return
  }
}

export interface Joined extends SignedIn { readonly code: string; readonly welcome?: LockKey; readonly made: readonly LockKey[]; readonly opened: Opened }

/** Joins by an invitation: one touch makes the passkey; keys, card, keyring and locks are made around it. */
export async function join(net: Net, browser: SigningKey, link: Link, about: About, passkeyName: string, progress: Progress): Promise<Joined> {
  progress('opening', 0, 4)
  const opened = await open(net, link)
  const { wire, welcome } = opened
  const name = fullName(about.name)
  progress('passkey', 1, 4)
  const passkey = await makePasskey(wire.publicKey, name)
  progress('keys', 2, 4)
  const { org: { org }, person } = wire
  const seed = random(32)
  const signing = await signingKey(seed)
  const identity = await newLockIdentity()
  const recipient = await recipientOf(identity)
  const code = newCode()
  const read = readCode(code)
  if (typeof read === 'string') throw new Bad('the recovery code does not read back')
  const proof = await recoveryProof(read.entropy)
  const passkeyID = newID()
  const passkeys = [{ id: passkeyID, name: passkeyName, recipient: await recipientOf(passkey.identity) }]
  progress('sealing', 3, 4)
  let moved = false
  const joined = await again(async () => {
    if (moved && opened.invited) await readAgain(net, link, opened.invited, person)
    moved = true
    const self: Self = { org, person, identity, signing, card: '', name }
    const founding = wire.founding ? await foundingLocks(self) : undefined
    const card = founding ? await foundersCard(self, recipient, founding.clinicText) : await invitedCard(self, recipient, link, opened.invited as Invited)
    const me: Self = { ...self, card: await hashOf(card) }
    const locks = await firstLocks(me, opened, link, founding)
    const keyring: Keyring = {
      org, person, signing: b64(seed), card: me.card, clinic: founding ? await hash(founding.clinicText) : (link.clinic ?? ''), name, passkeys, recovery: { code }, version: 1, identity,
    }
    const grants = welcome && !opened.recover ? [await makeGrant(me, welcome, { person, card: me.card }, recipient, 'work')] : []
    const session = await net.post<WireSession>(`/api/invitations/${link.invitation}/accept`, {
      token: b64(await invitationToken(link.secret)), ceremony: wire.ceremony, credential: passkey.credential, passkey: passkeyID, cardText: card.text, recipient,
      browserText: (await certify(org, person, me.card, browser, signing)).text, keyring: await sealKeyring(keyring), recoveryKeyring: await sealKeyringForCode(keyring),
      recovery: { lookup: proof.lookup, tokenHash: proof.tokenHash }, ...(founding && { clinicText: founding.clinicText }), locks: locks.locks, grants,
    }, 'browser')
    return { session, keyring, made: locks.keys }
  })
  progress('done', 4, 4)
  return { ...joined, code, opened, ...(welcome && { welcome }) }
}

/** The first statement of the clinic's history. */
async function foundersCard({ org, person, signing }: Self, recipient: string, clinicText: string): Promise<Statement<'ward/card/2'>> {
  return write('ward/card/2', {
    org, chain: org, seq: 1, previous: await hash(clinicText), person, serial: 1, recipientHash: await hash(recipient), signing: signing.public, time: now(),
  }, signing.sign)
}

/** A card by a link: the first, or, after lost keys, the one that follows the current. */
async function invitedCard({ person, signing }: Self, recipient: string, link: Link, invited: Invited): Promise<Statement<'ward/card/2'>> {
  const { roster, own } = invited
  await inviteOf(invited, link, person)
  const before = own.history.person(person)
  return write('ward/card/2', {
    ...placeAfter(own.history, roster.history as Roster), person, serial: (before?.serial ?? 0) + 1, before: before?.card, recipientHash: await hash(recipient),
    signing: signing.public, invitation: link.invitation, time: now(),
  }, signing.sign, (await invitationKey(link.secret)).sign)
}

interface FirstLocks { readonly locks: { epoch: string; grants: { text: string; sealed: Uint8Array }[] }[]; readonly keys: LockKey[] }

/** The clinic's four locks, with the statement that founds it and names them. */
interface Founding { readonly made: readonly { readonly key: LockKey; readonly epoch: Statement<'ward/epoch/1'> }[]; readonly clinicText: string }

async function foundingLocks(self: Self): Promise<Founding> {
  const kinds = ['directory', 'staff', 'team', 'emergency'] as const
  const made = await Promise.all(kinds.map((kind) => newLock(self, kind)))
  const ids = Object.fromEntries(made.map((m, i) => [kinds[i], m.key.lock]))
  const clinic = await write('ward/clinic/1', {
    org: self.org, founder: self.person, signing: self.signing.public,
    locks: { directory: ids['directory'] ?? '', staff: ids['staff'] ?? '', clinicians: ids['team'] ?? '', emergency: ids['emergency'] ?? '' }, time: now(),
  }, self.signing.sign)
  return { made, clinicText: clinic.text }
}

/** The locks that begin with a person: the clinic's four with its founder, both parts of the chart with a patient. */
async function firstLocks(self: Self, { wire: opened, recover }: Opened, link: Link, founding: Founding | undefined): Promise<FirstLocks> {
  const recipient = await recipientOf(self.identity)
  const me = { person: self.person, card: self.card }
  if (founding) {
    const locks = await Promise.all(founding.made.map(async (m) => ({ epoch: m.epoch.text, grants: [await makeGrant(self, m.key, me, recipient, 'work')] })))
    return { locks, keys: founding.made.map((m) => m.key) }
  }
  if (opened.chart === undefined || recover) return { locks: [], keys: [] }
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
