// Who a member of a visit's group is. The identity in an MLS leaf's credential is Ward's own statement, signed by a
// browser that the person's card certifies, or by the key of a guest's browser; for everyone but the host it comes with
// the host's admission, which names that card or that key. Each member checks all others, so a server that lets somebody
// in by itself is found out by everyone.

import { b64, text, utf8 } from '../seal/bytes.ts'
import { checkSignatures, parse, type Admission } from '../seal/statements.ts'
import type { Out } from './out.ts'

/** Why a member is not who they should be: a word for a sentence on the screen. */
export type Doubt =
  | 'form'          // it is not a credential of a visit
  | 'other-visit'   // it is for another visit or clinic
  | 'key'           // the leaf signs with another key than its owner said
  | 'browser'       // signed by a browser that the person's card does not certify
  | 'card'          // made with keys that are not the person's latest
  | 'not-admitted'  // nobody who may let people in did so
  | 'expired'
  | 'out'           // the host took them out, for good
  | 'older'         // what is shown of the group is from before they were taken out

export class DoubtfulMember extends Error {
  readonly doubt: Doubt
  readonly member: string
  constructor(doubt: Doubt, member: string, detail: string) {
    super(detail)
    this.doubt = doubt
    this.member = member
  }
}

/** The identity of a leaf: statements, and the browser keys that signed them. */
export interface Identity { readonly visitor: string; readonly browser: string; readonly admission?: string | undefined; readonly admitted?: string | undefined }

/** A member; called is the hash of their sealed name, as the host admitted them by. */
export interface Member { readonly member: string; readonly role: Admission['role']; readonly leaf: string; readonly called?: string | undefined }

/** What a visit's members know of each other beforehand. */
export interface Circle {
  readonly org: string
  readonly visit: string
  readonly host: string
  /** Whether a key is of a browser that the person's cards certify. */
  hasBrowser(person: string, key: string): Promise<boolean>
  /** The hash of the person's latest card. */
  card(person: string): Promise<string>
  /** Whom the host took out: their admissions open nothing any more. */
  readonly out: Out
  now(): number
}

/** The credential's bytes: one way to write it, so that it is the same for all. */
export function writeIdentity(i: Identity): Uint8Array {
  return utf8(JSON.stringify({ visitor: i.visitor, browser: i.browser, ...(i.admission !== undefined && { admission: i.admission, admitted: i.admitted }) }))
}

/** A leaf's identity is at most this long: two statements, of which one may list who is out, and two keys. */
const maxIdentity = 8192

export function readIdentity(bytes: Uint8Array): Identity {
  if (bytes.length > maxIdentity) throw new DoubtfulMember('form', '', 'the credential is too long')
  let i: Identity
  try {
    i = JSON.parse(text(bytes)) as Identity
  } catch {
    throw new DoubtfulMember('form', '', 'the credential is not JSON')
  }
  const texts = [i.visitor, i.browser, i.admission ?? '', i.admitted ?? '']
  if (typeof i !== 'object' || i === null || texts.some((t) => typeof t !== 'string') || (i.admission === undefined) !== (i.admitted === undefined)) {
    throw new DoubtfulMember('form', '', 'the credential has not the fields that it must have')
  }
  return i
}

/** Clocks differ: an admission counts this much longer, in milliseconds. */
const clockTolerance = 10 * 60_000

/** Checks a leaf in every way and says whose it is. Out: who is, as its group says. */
export async function checkMember(identity: Uint8Array, signatureKey: Uint8Array, circle: Circle, out: ReadonlySet<string>): Promise<Member> {
  const i = readIdentity(identity)
  const visitor = await parse('ward/visitor/1', i.visitor).catch((error: Error) => { throw new DoubtfulMember('form', '', error.message) })
  const v = visitor.body
  const doubt = (why: Doubt, detail: string): DoubtfulMember => new DoubtfulMember(why, v.member, detail)
  if (v.org !== circle.org || v.visit !== circle.visit) throw doubt('other-visit', 'the credential is for another visit')
  if (v.leaf !== b64(signatureKey)) throw doubt('key', 'the leaf signs with another key than its credential names')
  await checkSignatures(visitor, i.browser).catch((error: Error) => { throw doubt('browser', error.message) })
  if (v.person !== undefined) {
    if (!(await circle.hasBrowser(v.person, i.browser))) throw doubt('browser', 'no card of this person certifies that browser')
    if ((await circle.card(v.person)) !== v.card) throw doubt('card', "it is not by the person's latest card")
    if (v.person === circle.host) return { member: v.member, role: 'clinician', leaf: v.leaf }
  } else if (v.member === circle.host) throw doubt('not-admitted', "a guest bears the clinician's id") // whoever makes a link chooses its id

  if (out.has(v.member)) throw doubt('out', 'the clinician took them out')
  if (i.admission === undefined || i.admitted === undefined) throw doubt('not-admitted', 'nobody admitted this person')
  const admission = await parse('ward/admission/1', i.admission).catch((error: Error) => { throw doubt('not-admitted', error.message) })
  const a = admission.body
  if (a.org !== circle.org || a.visit !== circle.visit || a.member !== v.member || a.admitter !== circle.host) {
    throw doubt('not-admitted', 'the admission is to another visit, of another person, or by someone who may not admit')
  }
  await checkSignatures(admission, i.admitted).catch((error: Error) => { throw doubt('not-admitted', error.message) })
  if (!(await circle.hasBrowser(circle.host, i.admitted))) throw doubt('not-admitted', "the admission is not signed by the host's browser")
  // A guest is nothing but the key that the host let in; a person is who the host knew by this card.
  if (v.person === undefined ? a.guest !== i.browser : a.guest !== undefined) throw doubt('not-admitted', 'the admission is of another browser')
  if (a.card !== v.card) throw doubt('card', 'the admission is for other keys of this person')
  if (Date.parse(a.until) + clockTolerance < circle.now()) throw doubt('expired', 'the admission was until earlier')
  return { member: v.member, role: a.role, leaf: v.leaf, ...(a.called !== undefined && { called: a.called }) }
}
