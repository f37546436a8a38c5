// Runs testdata/vectors, which Go runs too: each good example must give its output, each bad one must be refused.
// People, locks and entries go through the engine's own readers, with a server that answers with the example.

import { threadsOf, type Version } from '../src/seal/versions.ts'
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'fflate'
import { checkClinic } from '../src/engine/account.ts'
import { Entries } from '../src/engine/entries.ts'
import { readGuest } from '../src/engine/guest.ts'
import { Locks, type OpenLock, type Self } from '../src/engine/locks.ts'
import { Membership } from '../src/engine/membership.ts'
import type { Net } from '../src/engine/net.ts'
import { People } from '../src/engine/people.ts'
import { MemoryShelf, Safe } from '../src/engine/shelf.ts'
import type { WireCards } from '../src/engine/wire.ts'
import { Bad, b64, hash, isID, onlyNames, readJSON, recipientOf, signingKey, unb64, unjson64, utf8, verify } from '../src/seal/bytes.ts'
import { padme, readContent } from '../src/seal/content.ts'
import {
  codeOf, invitationIdentity, invitationKey, invitationToken, lockKey, openKeyring, openKeyringByCode, openLockFile, openWith, passkeyIdentity, prfSalt, readCode,
  readKeyring, readLink, recoveryProof, writeKeyring, type LockKey,
} from '../src/seal/keys.ts'
import { linkIdentity, linkKey, namesKey, openName, openNamesKey, openWelcome, readGuestLink, type Place } from '../src/seal/guests.ts'
import { sealRecomputable } from '../src/seal/recomputable.ts'
import { recipientWrong } from '../src/seal/recipient.ts'
import { checkEpochs, checkSignatures, hashOf, next, parse, start } from '../src/seal/statements.ts'

interface Vector { readonly name: string; readonly format: string; readonly good: boolean; readonly wrong?: string; readonly input: never; readonly output?: unknown }
type Run = (input: never) => Promise<unknown>

/** A server that answers each path with what is given, and refuses all else. */
function server(answers: Readonly<Record<string, unknown>>): Net {
  const find = async (path: string): Promise<unknown> => {
    if (!(path in answers)) throw new Bad(`nobody asked for ${path}`)
    return answers[path]
  }
  return { get: find } as unknown as Net
}

/** What an example shows of the clinic's people: its roster, and beside it what belongs to those in it. */
interface Shown { readonly org: string; readonly clinic: string; readonly roster: readonly string[] }

const answersOf = (shown: Shown, people: readonly WireCards[]): Record<string, unknown> => ({
  ...Object.fromEntries(people.map((p) => [`/api/people/${p.person}/cards`, p])),
  '/api/membership?after=0': { statements: shown.roster, more: false },
  [`/api/membership?after=${shown.roster.length - 1}`]: { statements: shown.roster.slice(-1), more: false },
})

async function known(shown: Shown, people: readonly WireCards[], more: Readonly<Record<string, unknown>> = {}): Promise<People> {
  const net = server({ ...answersOf(shown, people), ...more })
  return new People(net, await Membership.start(net, new MemoryShelf(), '', shown.org, shown.clinic), '')
}

const nobody = { forget: () => undefined } as unknown as People

/** Someone who only reads. */
async function reader(org: string): Promise<Self> {
  const signing = await signingKey(new Uint8Array(32))
  return { org, person: 'a'.repeat(26), identity: '', signing, card: '', name: '' }
}

const formats: Record<string, Run> = {
  async person(input: Shown & { person: WireCards }) {
    const p = await (await known(input, [input.person])).get(input.person.person)
    return { current: p.current.hash, browsers: Object.fromEntries(p.browsers) }
  },

  async clinic(input: { text: string; hash: string }) {
    const s = await parse('ward/clinic/1', input.text)
    if (input.hash !== '' && (await hashOf(s)) !== input.hash) throw new Bad('it is not the one that was pinned')
    await checkSignatures(s, s.body.signing)
    return { hash: await hashOf(s), locks: s.body.locks }
  },

  async epoch(input: Shown & { lock: string; epochs: string[] | null; authors: WireCards[] }) {
    const line = await checkEpochs(input.epochs ?? [], input.org, input.lock)
    const people = await known(input, input.authors)
    for (const e of line) await signedBy(await people.signingKeys(e.body.author), e.text)
    const last = line.at(-1)
    return { epoch: last?.body.epoch, hash: await hashOf(last as { text: string }), recipient: last?.body.recipient }
  },

  async history(input: { org: string; lock: string; epochs: string[]; history: string; identity: string }) {
    const locks = new Locks(server({
      [`/api/locks/${input.lock}`]: { lock: input.lock, kind: 'chart', epochs: input.epochs, seq: 0, chain: '', due: false, readable: true, grants: [], histories: [input.history] },
    }), nobody, await reader(input.org))
    locks.remember(await lockKey(input.org, input.lock, input.epochs.length, input.identity))
    const before = (await locks.open(input.lock)).keys.get(input.epochs.length - 1)
    return { epoch: before?.epoch, identity: before?.identity }
  },

  async grant(input: Shown & { epoch: string; grant: { text: string; sealed: string }; granter: WireCards; identity: string }) {
    const e = (await parse('ward/epoch/1', input.epoch)).body
    const epochs = [...Array<never>(e.epoch - 1), await parse('ward/epoch/1', input.epoch)]
    const locks = new Locks(server({}), await known(input, [input.granter]), await reader(input.org))
    const g = await locks.checkGrant(input.grant.text, epochs)
    if ((await hash(unjson64(input.grant.sealed))) !== g.sha256) throw new Bad('it is not the sealed file that the grant names')
    const key = await openLockFile(input.identity, unjson64(input.grant.sealed), e)
    return { lock: key.lock, epoch: key.epoch, identity: key.identity, verify: key.signing.public }
  },

  async recomputable(input: { org: string; lock: string; epoch: number; identity: string; recipient: string; plain: string; sealed: string }) {
    const sealed = sealRecomputable(input, input.recipient, utf8(input.plain))
    if ((await hash(sealed)) !== (await hash(unjson64(input.sealed)))) throw new Bad('what was sealed is not what the key gives')
    return { sha256: await hash(sealed) }
  },

  entry: readEntry,
  content: readEntry,

  async signature(input: { key: string; message: string; signature: string }) {
    if (!(await verify(input.key, utf8(input.message), unb64(input.signature)))) throw new Bad('the signature does not match')
    return { key: input.key }
  },

  async chain(input: { lock: string; statements: string[] }) {
    let head = await start(input.lock)
    for (const text of input.statements) head = await next(head, text)
    return head
  },

  async padding(input: { lengths: number[] }) {
    const padded = input.lengths.map((n) => padme(n))
    for (const [i, n] of input.lengths.entries()) assert.ok((padded[i] as number) >= n)
    return { padded }
  },

  async keyring(input: { text: string; card: string }) {
    const k = await readKeyring(utf8(input.text))
    const card = (await parse('ward/card/2', input.card)).body
    const recipient = await recipientOf(k.identity)
    const signing = (await signingKey(unb64(k.signing))).public
    if (card.org !== k.org || card.person !== k.person || card.recipientHash !== (await hash(recipient)) || card.signing !== signing) throw new Bad('its keys are not those of the card')
    return { person: k.person, name: k.name, recipient, signing, text: new TextDecoder().decode(writeKeyring(k)) }
  },

  async 'keyring-sealed'(input: { sealed: string; prf: string; recovery: string; code: string }) {
    const byPasskey = await openKeyring(await passkeyIdentity(unb64(input.prf)), unjson64(input.sealed))
    const code = readCode(input.code)
    if (typeof code === 'string') throw new Bad(code)
    const byCode = await openKeyringByCode(code.code, unjson64(input.recovery))
    assert.equal(byPasskey.person, byCode.person)
    return { person: byPasskey.person, version: byPasskey.version }
  },

  async 'recovery-code'(input: { typed: string }) {
    const read = readCode(input.typed)
    if (typeof read === 'string') throw new Bad(read)
    assert.equal(codeOf(read.entropy), read.code)
    return { code: read.code, ...(await recoveryProof(read.entropy)) }
  },

  async 'passkey-identity'(input: { prf: string }) {
    const identity = await passkeyIdentity(unb64(input.prf))
    return { salt: b64(await prfSalt()), identity, recipient: await recipientOf(identity) }
  },

  async invitation(input: { link: string }) {
    const link = readLink(input.link)
    const token = await invitationToken(link.secret)
    return {
      invitation: link.invitation, clinic: link.clinic ?? '', token: b64(token), tokenHash: await hash(token), verifier: (await invitationKey(link.secret)).public,
      identity: await invitationIdentity(link.secret),
    }
  },

  async 'guest-link'(input: { link: string }) {
    const link = readGuestLink(input.link)
    return { guest: link.guest, key: (await linkKey(link.secret)).public, identity: await linkIdentity(link.secret) }
  },

  async guest(input: { link: string; guest: string; inviter: string; arrival: string; identity: string; welcome: string; hello: string }) {
    const link = readGuestLink(input.link)
    const made = await parse('ward/guest/1', input.guest)
    await checkSignatures(made, input.inviter)
    const { org, visit, guest } = made.body
    const welcome = await openWelcome(link, unjson64(input.welcome))
    // The rest as the host's browser does it.
    const inviter = { browsers: new Map([[input.inviter, '']]) }
    const people = { get: async () => inviter, forget: () => undefined } as unknown as People
    const self = { ...(await reader(org)), identity: input.identity }
    const g = await readGuest({ people, self }, visit, { guestText: input.guest, state: 'used', arrivalText: input.arrival, hello: input.hello })
    return { guest, key: g.key, name: g.name, as: g.as, recipient: g.recipient, from: welcome.from, host: welcome.host, card: welcome.card }
  },

  async admission(input: { text: string; browser: string }) {
    const s = await parse('ward/admission/1', input.text)
    await checkSignatures(s, input.browser)
    return s.body
  },

  async visitor(input: { text: string; browser: string }) {
    const s = await parse('ward/visitor/1', input.text)
    await checkSignatures(s, input.browser)
    return s.body
  },

  async 'visit-name'(input: Place & { host: string; identity: string; names: string; name: string }) {
    const place = { org: input.org, visit: input.visit, member: input.member }
    const key = await openNamesKey(input.identity, unjson64(input.names), place)
    if (b64(key) !== b64(await namesKey(input.host, input.visit))) throw new Bad("this is not the key of the visit's names")
    return openName(key, place, unjson64(input.name))
  },

  async recipient(input: { recipient: string }) {
    const wrong = recipientWrong(input.recipient)
    if (wrong) throw new Bad(wrong)
    return { length: input.recipient.length }
  },

  async base64(input: { text: string; standard: boolean }) {
    const bytes = input.standard ? unjson64(input.text) : unb64(input.text)
    return { bytes: [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('') }
  },

  async dpop(input: { proof: string; method: string; url: string; nonce: string; token: string }) {
    return { key: await checkProof(input) }
  },

  export: readExport,

  versions: async (input: { entries: readonly Version[] }) => ({ threads: threadsOf(input.entries) }),

  async snapshot(input: Shown & { lock: string; snapshot: string; authors: WireCards[] }) {
    const entries = await entriesOf(input, input.authors, {})
    const opened = await entries.checkSnapshot({ lock: input.lock, keys: new Map() }, utf8(input.snapshot))
    return { upto: opened.head, titles: opened.entries.map((e) => e.title ?? '') }
  },
}

async function signedBy(keys: readonly string[], text: string): Promise<void> {
  const lines = text.split('\n')
  for (const key of keys) if (await verify(key, utf8(`${lines[0]}\n${lines[1]}\n`), unb64(lines[2] as string))) return
  throw new Bad('its author did not sign it')
}

async function entriesOf(shown: Shown, authors: readonly WireCards[], answers: Readonly<Record<string, unknown>>): Promise<Entries> {
  const net = server({ ...answersOf(shown, authors), ...answers })
  return new Entries(net, await known(shown, authors), new MemoryShelf(), new Safe(await Safe.newKey()), await reader(shown.org), await signingKey(new Uint8Array(32)))
}

/** Reads one entry as the first of its lock, as a screen would, and takes it apart for comparison. */
async function readEntry(input: Shown & { entry: string; sealed: string; epoch: number; identity: string; author: WireCards }): Promise<unknown> {
  const { lock } = JSON.parse(input.entry.split('\n')[1] as string) as { lock: string }
  const head = await next(await start(lock), input.entry)
  const entries = await entriesOf(input, [input.author], {
    [`/api/locks/${lock}/entries?after=0`]: { entries: [{ seq: 1, text: input.entry, sealed: input.sealed }], more: false, ...head },
  })
  const key = await lockKey(input.org, lock, input.epoch, input.identity)
  const open = { lock, kind: 'chart', epochs: [], keys: new Map([[input.epoch, key]]), ...head, due: false, snapshot: 0 } as OpenLock
  const { entries: read, troubles } = await entries.read(open, () => undefined)
  if (troubles.length > 0) {
    assert.equal(read.length, 0, 'what does not check is not shown')
    throw new Bad((troubles[0] as { detail: string }).detail)
  }
  assert.equal(read.length, 1)
  assert.ok(isID((read[0] as { entry: string }).entry))
  const content = await readContent(await openWith(input.identity, unjson64(input.sealed)))
  return { header: content.header, lines: content.lines, body: b64(content.body) }
}

/** What a server checks of a proof (RFC 9449, section 4.3), but for its being new: the browser only makes them. */
async function checkProof(p: { proof: string; method: string; url: string; nonce: string; token: string }): Promise<string> {
  const parts = p.proof.split('.')
  if (parts.length !== 3) throw new Bad('it is not three parts')
  const [header = '', claims = '', signature = ''] = parts
  const json = (part: string): Record<string, unknown> => readJSON(new TextDecoder().decode(unb64(part))) as Record<string, unknown>
  const wanted = (value: unknown, names: string): void => { onlyNames(value, names.split(' '), 'a proof') }
  wanted(json(header), 'typ alg jwk')
  wanted(json(header)['jwk'], 'kty crv x')
  wanted(json(claims), 'jti htm htu iat nonce ath')
  const { typ, alg, jwk } = json(header) as { typ: string; alg: string; jwk: { kty: string; crv: string; x: string } }
  if (typ !== 'dpop+jwt' || alg !== 'EdDSA' || jwk.kty !== 'OKP' || jwk.crv !== 'Ed25519') throw new Bad('it is not a proof by an Ed25519 key')
  if (!(await verify(jwk.x, utf8(`${header}.${claims}`), unb64(signature)))) throw new Bad('its signature does not match')
  const { jti, htm, htu, nonce, ath } = json(claims)
  const token = p.token === '' ? undefined : await hash(p.token)
  if (unb64(String(jti)).length !== 16 || htm !== p.method || htu !== p.url || nonce !== p.nonce || ath !== token) throw new Bad('it is for something else')
  return jwk.x
}

/** Opens an export with the engine's readers, as someone would who writes another program for it from docs/formats.md. */
async function readExport(input: { files: Record<string, string>; code: string }): Promise<unknown> {
  const file = (name: string): Uint8Array => {
    const found = input.files[name]
    if (found === undefined) throw new Bad(`${name} is missing`)
    return unjson64(found)
  }
  const textOf = (name: string): string => new TextDecoder().decode(file(name))
  const code = readCode(input.code)
  if (typeof code === 'string') throw new Bad(code)
  interface Manifest { format: string; org: string; person: string; locks: { lock: string; kind: string; epochs: number; head: { seq: number; chain: string } }[] }
  const manifest = JSON.parse(textOf('export.json')) as Manifest
  if (manifest.format !== 'ward/export/1' || !manifest.locks.every((l) => isID(l.lock))) throw new Bad('it is not an export')
  const keyring = await openKeyringByCode(code.code, file('keyring.recovery.age'))
  if (keyring.person !== manifest.person || keyring.org !== manifest.org) throw new Bad("the keyring is someone else's")
  await checkClinic(textOf('clinic.txt'), keyring.clinic)

  const under = (folder: string): string[] => Object.keys(input.files).filter((name) => name.startsWith(folder)).sort()
  const chain = (id: string): string[] => under(`membership/${id}/`).map(textOf)
  const people = new Map<string, WireCards>()
  const shownOf = (person: string): WireCards => {
    const thread = chain(person)
    const p = people.get(person) ?? { person, state: 'active', recipients: [], browsers: [], ...(thread.length > 0 && { thread }) }
    people.set(person, p)
    return p
  }
  for (const name of under('recipients/')) shownOf(name.slice('recipients/'.length, 'recipients/'.length + 26)).recipients.push(textOf(name))
  for (const name of under('browsers/')) shownOf((await parse('ward/browser/1', textOf(name))).body.person).browsers.push(textOf(name))
  const authors = [...people.values()]
  const shown: Shown = { org: manifest.org, clinic: textOf('clinic.txt'), roster: chain(manifest.org) }

  const bodies: Record<string, string> = {}
  for (const l of manifest.locks) {
    const line = await checkEpochs(Array.from({ length: l.epochs }, (_, i) => textOf(`epochs/${l.lock}-${i + 1}.txt`)), manifest.org, l.lock)
    const keys = new Map<number, LockKey>()
    for (const e of line) keys.set(e.body.epoch, await openLockFile(keyring.identity, file(`grants/${l.lock}-${e.body.epoch}.age`), e.body))
    const paths = under(`entries/${l.lock}-`).filter((name) => name.endsWith('.txt')).map((name) => name.slice(0, -4))
    const sent = paths.map((path, i) => ({ seq: i + 1, text: textOf(`${path}.txt`), sealed: input.files[`${path}.age`] }))
    const entries = await entriesOf(shown, authors, { [`/api/locks/${l.lock}/entries?after=0`]: { entries: sent, more: false, ...l.head } })
    const { troubles } = await entries.read({ lock: l.lock, kind: l.kind, epochs: line, keys, ...l.head, due: false, snapshot: 0 } as OpenLock, () => undefined)
    if (troubles[0]) throw new Bad(troubles[0].detail)
    for (const path of paths) {
      const { epoch } = (await parse('ward/entry/1', textOf(`${path}.txt`))).body
      const { header, body } = await readContent(await openWith((keys.get(epoch) as LockKey).identity, file(`${path}.age`)))
      bodies[path] = await hash(header.encoding === 'gzip' ? gunzipSync(body) : body)
    }
  }
  return { person: manifest.person, entries: bodies }
}

const folder = join(process.env['WARD_ROOT'] ?? '.', 'testdata', 'vectors')
const files = readdirSync(folder).filter((name) => name.endsWith('.json'))
test('there are vectors of every format', () => {
  const found = new Set(files.map((name) => (JSON.parse(readFileSync(join(folder, name), 'utf8')) as Vector).format))
  for (const format of Object.keys(formats)) assert.ok(found.has(format), format)
})
for (const name of files) {
  const vector = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Vector
  const run = formats[vector.format] ?? (() => assert.fail(`nobody runs ${vector.format}`))
  test(vector.good ? `${vector.name} is read` : `${vector.name} is refused: ${vector.wrong}`, async () => {
    if (vector.good) assert.deepEqual(await run(vector.input), vector.output)
    else await assert.rejects(run(vector.input))
  })
}
