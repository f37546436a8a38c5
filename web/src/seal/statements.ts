// Statements: everything that people agree on, as a type line, one line of canonical JSON and signatures over both
// (docs/formats.md). The same rules as seal/envelope in Go, tried on the same vectors.

import { Bad, b64, concat, hash, idOf, isID, isSigningPoint, isTime, sha256, unb64, utf8, verify, type Bytes, type Sign } from './bytes.ts'
import { recipientWrong } from './recipient.ts'

export const maxStatement = 16 * 1024

export interface BrowserCertificate { org: string; person: string; card: string; key: string; time: string }
export interface Clinic {
  org: string; founder: string; signing: string
  locks: { directory: string; staff: string; clinicians: string; emergency: string }; time: string
}
export interface Epoch {
  org: string; lock: string; kind: string; chart?: string | undefined; compartment?: string | undefined; epoch: number; recipient: string; verify: string
  previous?: string | undefined; history?: string | undefined; author: string; time: string
}
export interface Grant {
  org: string; lock: string; epoch: number; grant: string; person?: string | undefined; card?: string | undefined; holder?: string | undefined
  holderEpoch?: number | undefined; purpose: string; until?: string | undefined; granter: string; time: string; sha256: string
}
export interface Head { seq: number; chain: string }
export interface Entry {
  org: string; lock: string; epoch: number; entry: string; kind: string; author: string; browser: string; time: string; seen: Head; size: number; sha256: string
}

/** Who signs with a leaf of one visit's MLS group. */
export interface Visitor { org: string; visit: string; member: string; person?: string | undefined; card?: string | undefined; leaf: string; time: string }
/** Lets someone into a visit. */
export interface Admission { org: string; visit: string; member: string; card?: string | undefined; guest?: string | undefined; called?: string | undefined; out?: string | undefined; role: string; admitter: string; time: string; until: string }

/** A link for a guest of a visit, as whoever made it vouches for. */
export interface Guest { org: string; visit: string; guest: string; link: string; inviter: string; time: string }
/** A guest at the door. */
export interface Arrival { org: string; visit: string; guest: string; key: string; time: string; sha256: string }

/** Where a statement stands in a history of members (membership.ts). In threads it names the roster's head, too. */
export interface Place { org: string; chain: string; seq: number; previous?: string | undefined; rosterSeq?: number | undefined; rosterHash?: string | undefined }
/** Who states it, with the hash of the card that is theirs at that place; the time is a claim. */
export interface Author { by: string; card: string; time: string }
export interface MemberCard extends Place {
  person: string; serial: number; before?: string | undefined; recipientHash: string; signing: string; invitation?: string | undefined; time: string
}
export interface Invite extends Place, Author { invitation: string; person: string; verifier: string; roles: string; name: string; recover?: true | undefined; until: string }
/** Says something of an earlier statement of the same history. */
export interface Said extends Place, Author { what: string }
export interface Confirm extends Said { how: string }
export interface RolesOf extends Place, Author { person: string; roles: string }
export interface Rename extends Place, Author { person: string; name: string }
export interface Deactivate extends Place, Author { person: string }
export interface Rules extends Place, Author { veto: number }

export interface MembershipBodies {
  'ward/card/2': MemberCard; 'ward/invite/1': Invite; 'ward/withdraw/1': Said; 'ward/confirm/1': Confirm; 'ward/complete/1': Said; 'ward/veto/1': Said
  'ward/roles/1': RolesOf; 'ward/rename/1': Rename; 'ward/deactivate/1': Deactivate; 'ward/reinstate/1': Said; 'ward/rules/1': Rules
}
export type MembershipType = keyof MembershipBodies
/** Any statement of a history of members, told apart by its type. */
export type MembershipStatement = { [T in MembershipType]: Statement<T> }[MembershipType]

export interface Bodies extends MembershipBodies {
  'ward/browser/1': BrowserCertificate; 'ward/clinic/1': Clinic
  'ward/epoch/1': Epoch; 'ward/grant/1': Grant; 'ward/entry/1': Entry
  'ward/visitor/1': Visitor; 'ward/admission/1': Admission
  'ward/guest/1': Guest; 'ward/arrival/1': Arrival
}
export type Type = keyof Bodies

export interface Statement<T extends Type> { readonly type: T; readonly body: Bodies[T]; readonly text: string; readonly sigs: readonly Bytes[] }

type Check = (value: unknown) => boolean
type Field = readonly [name: string, check: Check, optional?: 'optional']

const id: Check = (v) => typeof v === 'string' && isID(v)
const bytes32: Check = (v) => {
  try {
    return typeof v === 'string' && unb64(v).length === 32
  } catch {
    return false
  }
}
/** A public key of Ed25519. */
const key: Check = (v) => {
  try {
    return typeof v === 'string' && isSigningPoint(unb64(v))
  } catch {
    return false
  }
}
const time: Check = (v) => typeof v === 'string' && isTime(v)
const count = (least: number): Check => (v) => typeof v === 'number' && Number.isSafeInteger(v) && v >= least
const recipient: Check = (v) => typeof v === 'string' && recipientWrong(v) === ''
const oneOf = (...words: readonly string[]): Check => (v) => typeof v === 'string' && words.includes(v)

const idLength = 26
/** More than can be taken out of one visit: the links for guests that it ever has, and those who hold the chart. */
const maxIDs = 100

/** Ids in order, one after the other, each once; undefined if they are anything else. */
export function idsOf(list: string): readonly string[] | undefined {
  if (list.length > maxIDs * idLength) return undefined
  const all = list.match(/[^]{1,26}/g) ?? []
  return all.every((one, i) => isID(one) && (i === 0 || one > (all[i - 1] as string))) ? all : undefined
}

export const kinds = ['record', 'note', 'message', 'questionnaire', 'file', 'consent', 'appointment', 'person', 'snapshot'] as const
export const purposes = ['self', 'care', 'proxy', 'emergency', 'second-opinion', 'research', 'work'] as const

/** What someone may be, in the order in which statements write it: the staff's, and those that threads are of. */
export const roles = ['patient', 'proxy', 'clinician', 'frontdesk', 'security', 'privacy', 'admin'] as const
export type Role = (typeof roles)[number]

/** Roles as statements write them: in order, each once, one space between, at least one; undefined if they are anything else. */
export function rolesOf(list: string): readonly Role[] | undefined {
  const all = list.split(' ')
  const found = roles.filter((role) => all.includes(role))
  return found.join(' ') === list ? found : undefined
}
const someRoles: Check = (v) => typeof v === 'string' && v !== '' && rolesOf(v) !== undefined

/** The longest time for a veto, in hours: two weeks. */
const maxVeto = 336

const place: readonly Field[] = [
  ['org', id], ['chain', id], ['seq', count(1)], ['previous', bytes32, 'optional'], ['rosterSeq', count(1), 'optional'], ['rosterHash', bytes32, 'optional'],
]
const by: readonly Field[] = [['by', id], ['card', bytes32], ['time', time]]

const shapes: { readonly [T in Type]: readonly Field[] } = {
  'ward/browser/1': [['org', id], ['person', id], ['card', bytes32], ['key', key], ['time', time]],
  'ward/clinic/1': [['org', id], ['founder', id], ['signing', key], ['locks', isLocks], ['time', time]],
  'ward/epoch/1': [
    ['org', id], ['lock', id], ['kind', oneOf('chart', 'team', 'directory', 'staff', 'emergency')], ['chart', id, 'optional'],
    ['compartment', oneOf('general', 'restricted'), 'optional'], ['epoch', count(1)], ['recipient', recipient], ['verify', key],
    ['previous', bytes32, 'optional'], ['history', bytes32, 'optional'], ['author', id], ['time', time],
  ],
  'ward/grant/1': [
    ['org', id], ['lock', id], ['epoch', count(1)], ['grant', id], ['person', id, 'optional'], ['card', bytes32, 'optional'],
    ['holder', id, 'optional'], ['holderEpoch', count(1), 'optional'], ['purpose', oneOf(...purposes)], ['until', time, 'optional'],
    ['granter', id], ['time', time], ['sha256', bytes32],
  ],
  'ward/entry/1': [
    ['org', id], ['lock', id], ['epoch', count(1)], ['entry', id], ['kind', oneOf(...kinds)], ['author', id], ['browser', key],
    ['time', time], ['seen', isHead], ['size', count(1)], ['sha256', bytes32],
  ],
  'ward/visitor/1': [
    ['org', id], ['visit', id], ['member', id], ['person', id, 'optional'], ['card', bytes32, 'optional'], ['leaf', key], ['time', time],
  ],
  'ward/admission/1': [
    ['org', id], ['visit', id], ['member', id], ['card', bytes32, 'optional'], ['guest', key, 'optional'], ['called', bytes32, 'optional'],
    ['out', (v) => typeof v === 'string' && v !== '' && idsOf(v) !== undefined, 'optional'], ['role', oneOf('patient', 'proxy', 'clinician', 'guest')], ['admitter', id], ['time', time], ['until', time],
  ],
  'ward/guest/1': [['org', id], ['visit', id], ['guest', id], ['link', key], ['inviter', id], ['time', time]],
  'ward/arrival/1': [['org', id], ['visit', id], ['guest', id], ['key', key], ['time', time], ['sha256', bytes32]],
  'ward/card/2': [
    ...place, ['person', id], ['serial', count(1)], ['before', bytes32, 'optional'], ['recipientHash', bytes32], ['signing', key],
    ['invitation', id, 'optional'], ['time', time],
  ],
  'ward/invite/1': [
    ...place, ['invitation', id], ['person', id], ['verifier', key], ['roles', someRoles], ['name', bytes32],
    ['recover', (v) => v === true, 'optional'], ['until', time], ...by,
  ],
  'ward/withdraw/1': [...place, ['what', bytes32], ...by],
  'ward/confirm/1': [...place, ['what', bytes32], ['how', oneOf('met', 'video', 'phone', 'document')], ...by],
  'ward/complete/1': [...place, ['what', bytes32], ...by],
  'ward/veto/1': [...place, ['what', bytes32], ...by],
  'ward/roles/1': [...place, ['person', id], ['roles', someRoles], ...by],
  'ward/rename/1': [...place, ['person', id], ['name', bytes32], ...by],
  'ward/deactivate/1': [...place, ['person', id], ...by],
  'ward/reinstate/1': [...place, ['what', bytes32], ...by],
  'ward/rules/1': [...place, ['veto', (v) => count(1)(v) && (v as number) <= maxVeto], ...by],
}

const membershipTypes: Readonly<Record<MembershipType, true>> = {
  'ward/card/2': true, 'ward/invite/1': true, 'ward/withdraw/1': true, 'ward/confirm/1': true, 'ward/complete/1': true, 'ward/veto/1': true,
  'ward/roles/1': true, 'ward/rename/1': true, 'ward/deactivate/1': true, 'ward/reinstate/1': true, 'ward/rules/1': true,
}
export const isMembership = (type: string): type is MembershipType => Object.hasOwn(membershipTypes, type)

const headShape: readonly Field[] = [['seq', count(0)], ['chain', bytes32]]
const locksShape: readonly Field[] = [['directory', id], ['staff', id], ['clinicians', id], ['emergency', id]]

function isHead(v: unknown): boolean { return fits(v, headShape) === '' }
function isLocks(v: unknown): boolean { return fits(v, locksShape) === '' }

/** What is wrong with a value's fields, or ''. */
function fits(value: unknown, shape: readonly Field[]): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'the body is not an object'
  const given = value as Record<string, unknown>
  const names = shape.map(([name]) => name)
  for (const name of Object.keys(given)) if (!names.includes(name)) return `unknown field ${name.slice(0, 40)}`
  for (const [name, check, optional] of shape) {
    const v = given[name]
    if (v === undefined) {
      if (optional !== 'optional') return `${name} is missing`
    } else if (!check(v)) return `${name} is not valid`
  }
  return ''
}

/** JSON with the shape's fields in its order; absent fields left out. */
function canonical(value: Record<string, unknown>, shape: readonly Field[]): string {
  const parts: string[] = []
  for (const [name] of shape) {
    const v = value[name]
    if (v === undefined) continue
    const inner = name === 'seen' ? headShape : name === 'locks' ? locksShape : undefined
    parts.push(`${JSON.stringify(name)}:${inner ? canonical(v as Record<string, unknown>, inner) : JSON.stringify(v)}`)
  }
  return `{${parts.join(',')}}`
}

/** Rules between fields, which Go's check() has too. */
async function rules<T extends Type>(type: T, body: Bodies[T]): Promise<string> {
  if (type === 'ward/epoch/1') {
    const b = body as Epoch
    const chart = b.kind === 'chart'
    if (chart !== (b.chart !== undefined) || chart !== (b.compartment !== undefined)) return 'chart and compartment are for charts'
    if ((b.epoch > 1) !== (b.previous !== undefined) || (b.epoch > 1) !== (b.history !== undefined)) return 'previous and history are for every epoch but the first'
    if (b.epoch === 1 && b.lock !== (await lockIDOf(b.recipient, b.verify))) return "the lock's id is not made from its keys"
  }
  if (type === 'ward/grant/1') {
    const b = body as Grant
    if ((b.person !== undefined) === (b.holder !== undefined)) return 'a grant is to one person or one lock'
    if ((b.person !== undefined) !== (b.card !== undefined) || (b.holder !== undefined) !== (b.holderEpoch !== undefined)) return 'card is for persons, holderEpoch for locks'
    if (b.holder === b.lock) return 'a lock cannot hold itself'
  }
  if (type === 'ward/visitor/1') {
    const b = body as Visitor
    if ((b.person !== undefined) !== (b.card !== undefined)) return 'card is for persons'
    if (b.person !== undefined && b.person !== b.member) return 'a person is a member by their own id'
  }
  if (type === 'ward/admission/1') {
    const b = body as Admission
    const isGuest = b.role === 'guest'
    if (isGuest !== (b.guest !== undefined)) return "a guest's key is for guests"
    if (isGuest === (b.card !== undefined)) return 'a card is for everyone but guests'
    if (isGuest && b.called === undefined) return 'a guest is let in by name'
  }
  if (isMembership(type)) {
    const b = body as Place
    const inThread = b.chain !== b.org
    if (inThread !== (b.rosterSeq !== undefined) || inThread !== (b.rosterHash !== undefined)) return "the roster's head is for threads"
    if ((inThread && b.seq === 1) !== (b.previous === undefined)) return "previous is for every statement but a thread's first"
  }
  if (type === 'ward/card/2') {
    const b = body as MemberCard
    if ((b.serial > 1) !== (b.before !== undefined)) return 'before is for every card but the first'
  }
  return ''
}

const signedText = <T extends Type>(type: T, body: Bodies[T]): string =>
  `${type}\n${canonical(body as unknown as Record<string, unknown>, shapes[type])}\n`

export async function parse<T extends Type>(type: T, text: string): Promise<Statement<T>> {
  if (text.length > maxStatement) throw new Bad(`${type} is longer than ${maxStatement} bytes`)
  const lines = text.split('\n')
  if (lines.length < 4 || lines.length > 5 || lines.at(-1) !== '') throw new Bad(`${type} must be a type, a body and one or two signatures`)
  if (lines[0] !== type) throw new Bad(`found ${String(lines[0]).slice(0, 40)} instead of ${type}`)
  let body: Bodies[T]
  try {
    body = JSON.parse(lines[1] ?? '') as Bodies[T]
  } catch {
    throw new Bad(`${type} is not JSON`)
  }
  const wrong = fits(body, shapes[type]) || (await rules(type, body))
  if (wrong) throw new Bad(`${type}: ${wrong}`)
  if (signedText(type, body) !== `${lines[0]}\n${lines[1]}\n`) throw new Bad(`${type} is not written in its one canonical form`)
  const sigs = lines.slice(2, -1).map((line) => {
    const sig = unb64(line)
    if (sig.length !== 64) throw new Bad(`${type}: a signature is not 64 bytes`)
    return sig
  })
  return { type, body, text, sigs }
}

/** Reads any statement of a history of members, by its first line. */
export async function parseMembership(text: string): Promise<MembershipStatement> {
  const type = text.slice(0, text.indexOf('\n'))
  if (!isMembership(type)) throw new Bad(`found ${type.slice(0, 40)} instead of a statement on members`)
  return (await parse(type, text)) as MembershipStatement
}

/** Makes a statement, signed by each signer in turn. */
export async function write<T extends Type>(type: T, body: Bodies[T], ...signers: readonly Sign[]): Promise<Statement<T>> {
  const wrong = fits(JSON.parse(JSON.stringify(body)), shapes[type]) || (await rules(type, body))
  if (wrong) throw new Bad(`write ${type}: ${wrong}`)
  const signed = signedText(type, body)
  const sigs: Bytes[] = []
  for (const sign of signers) sigs.push(await sign(utf8(signed)))
  return { type, body, text: signed + sigs.map((sig) => `${b64(sig)}\n`).join(''), sigs }
}

/** Checks that there is exactly one signature for each key, in order. */
export async function checkSignatures<T extends Type>(s: Statement<T>, ...keys: readonly string[]): Promise<void> {
  if (s.sigs.length !== keys.length) throw new Bad(`${s.type} has ${s.sigs.length} signatures; it needs ${keys.length}`)
  const message = utf8(signedText(s.type, s.body))
  for (const [i, key] of keys.entries()) {
    if (!(await verify(key, message, s.sigs[i] as Bytes))) throw new Bad(`${s.type}: signature ${i + 1} does not match`)
  }
}

/** Commits to a person's name. Who may know the name gets the 32 bytes with it. */
export const nameHash = async (salt: Uint8Array, name: string): Promise<string> => b64(await sha256(utf8('ward/name/1\n'), salt, utf8(name)))

/** How one statement names another. */
export const hashOf = (s: { readonly text: string }): Promise<string> => hash(s.text)

export const lockIDOf = async (recipient_: string, verify_: string): Promise<string> =>
  idOf((await sha256(utf8(`ward/lock/1\n${recipient_}\n${verify_}`))).subarray(0, 16))

export const start = async (lock: string): Promise<Head> => ({ seq: 0, chain: await hash(`ward/chain/1\n${lock}`) })

/** The head after the entry with this statement. */
export async function next(head: Head, text: string): Promise<Head> {
  return { seq: head.seq + 1, chain: b64(await sha256(concat(unb64(head.chain), await sha256(utf8(text))))) }
}

/** A lock's epochs in order, checked from the id up: each signed with the key of the one before. */
export async function checkEpochs(texts: readonly string[], org: string, lock: string): Promise<readonly Statement<'ward/epoch/1'>[]> {
  const epochs: Statement<'ward/epoch/1'>[] = []
  for (const text of texts) {
    const e = await parse('ward/epoch/1', text)
    const before = epochs.at(-1)
    const b = e.body
    if (b.org !== org || b.lock !== lock || b.epoch !== epochs.length + 1) throw new Bad('an epoch is out of its place')
    if (before && (b.kind !== before.body.kind || b.chart !== before.body.chart || b.compartment !== before.body.compartment)) throw new Bad('an epoch changes what the lock is')
    if (before && b.previous !== (await hashOf(before))) throw new Bad('an epoch does not follow the one before')
    // The author's signature needs their card; the lock's own is what makes the line of keys.
    const signed = utf8(signedText('ward/epoch/1', b))
    if (e.sigs.length !== 2 || !(await verify(before ? before.body.verify : b.verify, signed, e.sigs[1] as Bytes))) throw new Bad("an epoch is not signed with the lock's key")
    epochs.push(e)
  }
  if (epochs.length === 0) throw new Bad('the lock has no epochs')
  return epochs
}
