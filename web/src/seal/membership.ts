// Who is who: the signed history of a clinic's members (docs/formats.md, "Membership"; in Go: membership). It is a chain of
// statements from the clinic's founding one, which every client pins. The roster is the staff's; a patient or proxy has a
// thread, whose statements name the roster's head. Whoever reads comes to the same people, roles and cards at each place,
// and asks no server. A statement that breaks a rule ends the chain there.
//
// Each type has one function, in the order of the page; it throws Bad, or gives back the change that the statement makes.
// So nothing has changed when anything was refused. No DOM, no network.

import { Bad, isID } from './bytes.ts'
import {
  checkSignatures, hashOf, parse, parseMembership, rolesOf, type Author, type Clinic, type Confirm, type Deactivate, type Invite, type MemberCard,
  type MembershipBodies, type MembershipStatement, type MembershipType, type Place, type Rename, type Role, type RolesOf, type Rules, type Said,
} from './statements.ts'

const hour = 3_600_000
/** How far clocks may differ. */
const slack = hour / 6
/** How long whom someone invited does not stand beside them as another, and how long a deactivation can be undone. */
const threeDays = 72 * hour
/** Hours for a veto until the clinic says otherwise. */
const firstVeto = 24
/** Vetoes of someone's own until two who met them outweigh the old device: it may be the thief's. */
const ownVetoes = 2

/** Confirms patients' new keys; the staff's; and whether staff leave and come back. */
const care = 'clinician frontdesk'
const lead = 'clinician admin'
const guard = 'clinician security admin'

/** What the state is saved as; another version's is not read. */
const saved = 'ward/membership/2'

/** A confirmation that nobody could give at its place, and who stated it nonetheless. */
interface Missing { readonly roles: string; readonly by: string }

/** Someone as they are from one place on. */
export interface Person {
  readonly person: string
  readonly roles: string
  readonly active: boolean
  /** Whether one person alone made them what they are. */
  readonly alone: boolean
  readonly missing: readonly Missing[]
  /** Who gave one of the missing confirmations since. */
  readonly vouched: readonly string[]
  readonly card: string
  readonly serial: number
  readonly signing: string
  readonly recipientHash: string
  /** The hash of the name, '' for a founder whom nobody named yet. */
  readonly name: string
  /** The place from which the card is theirs. */
  readonly since: number
  readonly invitedBy?: string | undefined
  readonly invitedAt?: string | undefined
  /** When they were deactivated. */
  readonly left?: string | undefined
  /** The statement that last changed roles or activity. */
  readonly changed: string
}
interface Version { readonly from: number; readonly is: Person }

export interface CardSpan { readonly card: string; readonly serial: number; readonly signing: string; readonly recipientHash: string; readonly from: number; readonly to?: number | undefined }

interface Invitation extends Pick<Invite, 'invitation' | 'person' | 'verifier' | 'roles' | 'name' | 'recover' | 'until' | 'by' | 'time'> { readonly what: string; open: boolean }

/** What a second person must confirm. */
type Waits = 'ward/card/2' | 'ward/roles/1' | 'ward/deactivate/1' | 'ward/reinstate/1' | 'ward/rules/1'
interface Waiting {
  readonly what: string
  readonly type: Waits
  readonly body: MembershipBodies[Waits]
  readonly person: string
  /** Whom its confirmers must be others than. */
  readonly author: string
  /** Roles that a confirmation is still needed of, alternatives in one. */
  readonly needs: readonly string[]
  readonly missing: readonly Missing[]
  readonly confirmed: readonly { readonly by: string; readonly how: string }[]
  /** Roles, card and activity of its person at its place. */
  readonly was: { readonly roles: string; readonly card: string; readonly active: boolean }
  /** Of a card after lost keys: when the time for a veto is over, who confirms it, and whether who invited may for want of others. */
  readonly lost?: { readonly from: string; readonly asked: string; readonly byInviter: boolean }
  /** Of a reinstatement: who stated what it undoes. */
  readonly doer?: string
}

export interface Pending {
  readonly what: string; readonly type: Waits; readonly person?: string | undefined; readonly needs: readonly string[]
  /** Who stated it, or, of a card, who invited; and when it was stated. */
  readonly author: string; readonly at: string
  /** Whether it is a card after lost keys. */
  readonly lost: boolean
  /** Of a card after lost keys with its confirmations: when it may be completed. */
  readonly from?: string | undefined
  /** Of a change of roles: those to be; of rules: the hours for a veto to be. */
  readonly roles?: string | undefined
  readonly veto?: number | undefined
}

/** A deactivation or change of roles that took effect, so that it can be undone. */
interface Undoable { readonly what: string; readonly by: string; readonly time: string; readonly roles: string; readonly active: boolean }

export type OpenInvitation = Omit<Invitation, 'open'>

interface State {
  readonly format: typeof saved
  readonly org: string
  readonly chain: string
  readonly clinic: Pick<Clinic, 'founder' | 'signing' | 'time'>
  /** Of the statement at each place; '' at a thread's 0. */
  readonly hashes: string[]
  /** What each place claims; at a thread's 0 that of the clinic's statement. */
  readonly times: string[]
  latest: string
  rosterSeq: number
  readonly people: Record<string, Version[]>
  readonly veto: { readonly from: number; readonly hours: number }[]
  readonly invitations: Invitation[]
  waiting: readonly Waiting[]
  readonly undoable: Record<string, Undoable>
  /** When something that this person did was undone last. */
  readonly undone: Record<string, string>
  /** How often this person has vetoed new keys of their own. */
  readonly vetoes: Record<string, number>
}

type Change = () => void

const ms = (time: string): number => Date.parse(time)
const within = (time: string, since: string, span: number): boolean => ms(time) - ms(since) < span
const later = (a: string, b: string): string => (a > b ? a : b)
const has = (p: Person, list: string): boolean => p.roles.split(' ').some((role) => list.split(' ').includes(role))
const staffRoles = (list: string): boolean => (rolesOf(list) as readonly Role[]).every((role) => role !== 'patient' && role !== 'proxy')
const threadRoles = (list: string): boolean => (rolesOf(list) as readonly Role[]).every((role) => role === 'patient' || role === 'proxy')

function must(holds: boolean, sentence: string): asserts holds {
  if (!holds) throw new Bad(sentence)
}

/** Whether a card after lost keys stands against its person's old device. */
const outweighs = (w: Waiting, vetoes: number): boolean => vetoes >= ownVetoes && w.confirmed.filter((c) => c.how === 'met').length >= 2

/** The roster at one place. */
interface Staff { readonly one: (id: string) => Person | undefined; readonly all: () => readonly Person[]; readonly veto: number }

abstract class History {
  protected constructor(protected readonly state: State) {}

  get org(): string { return this.state.org }
  get chain(): string { return this.state.chain }
  get clinic(): State['clinic'] { return this.state.clinic }
  get head(): { readonly seq: number; readonly hash: string } {
    return { seq: this.state.hashes.length - 1, hash: this.state.hashes.at(-1) as string }
  }

  hashAt(seq: number): string | undefined { return this.state.hashes[seq] }

  /** When the statement at a place claims to be of. */
  timeAt(seq: number): string | undefined { return this.state.times[seq] }

  /** One person at a place, at the head if none is given. */
  person(id: string, seq = this.head.seq): Person | undefined {
    return this.state.people[id]?.findLast((v) => v.from <= seq)?.is
  }

  /** Everybody who had joined at a place, by their ids. */
  at(seq = this.head.seq): readonly Person[] {
    return Object.keys(this.state.people).sort().flatMap((id) => this.person(id, seq) ?? [])
  }

  /** The cards of someone in order, and where each was current of someone active: `to` is the first place where it is not. */
  cards(id: string): readonly CardSpan[] {
    const spans: CardSpan[] = []
    let active = false
    for (const { from, is } of this.state.people[id] ?? []) {
      const last = spans.at(-1)
      if (active && last && (last.card !== is.card || !is.active)) spans[spans.length - 1] = { ...last, to: from }
      if (is.active && !(active && last?.card === is.card)) spans.push({ card: is.card, serial: is.serial, signing: is.signing, recipientHash: is.recipientHash, from })
      active = is.active
    }
    return spans
  }

  get pending(): readonly Pending[] {
    return this.state.waiting.map((w) => ({
      what: w.what, type: w.type, needs: w.needs, author: w.author, at: w.body.time, lost: w.lost !== undefined, ...(w.person !== '' && { person: w.person }),
      ...(w.lost && w.needs.length === 0 && { from: w.lost.from }),
      ...(w.type === 'ward/roles/1' && { roles: (w.body as RolesOf).roles }), ...(w.type === 'ward/rules/1' && { veto: (w.body as Rules).veto }),
    }))
  }

  /** Invitations that nobody used, withdrew or replaced. Whether one has expired, the clock says. */
  get invitations(): readonly OpenInvitation[] { return this.state.invitations.filter((i) => i.open) }

  /** Who stated an invitation, used or not. */
  inviterBy(invitation: string): string | undefined { return this.state.invitations.find((i) => i.invitation === invitation)?.by }

  /** What took effect and can be undone, for three days, and of whom. */
  get undoable(): readonly (Undoable & { readonly person: string; readonly until: string })[] {
    return Object.entries(this.state.undoable).map(([person, u]) => ({ ...u, person, until: new Date(ms(u.time) + threeDays).toISOString() }))
  }

  /** Why something cannot be stated next, its signatures left out; '' if it can. */
  refusal<T extends MembershipType>(type: T, body: MembershipBodies[T], now: string): string {
    try {
      this.judge({ type, body, text: '', sigs: [] } as unknown as MembershipStatement, '', now).rule()
      return ''
    } catch (error) {
      if (!(error instanceof Bad)) throw error
      return error.message
    }
  }

  /** The roster at the place by which what names this place of it is judged. */
  protected abstract staffAt(rosterSeq: number | undefined): Staff

  /** Takes the next statement, or throws Bad and stays as it is. */
  async append(text: string, now: string): Promise<void> {
    const s = await parseMembership(text)
    const what = await hashOf(s)
    const judge = this.judge(s, what, now)
    const change = judge.rule()
    const { seq } = this.head
    // One after the other: Chromium takes three times as long for many at once.
    await checkSignatures(s as never, ...judge.keys())
    must(seq === this.head.seq, 'another statement was taken meanwhile')
    change()
    this.state.hashes.push(what)
    this.state.times.push(s.body.time)
    this.state.latest = later(this.state.latest, s.body.time)
    this.state.rosterSeq = s.body.rosterSeq ?? 0
  }

  /** Takes statements until one is refused: its place, and why. */
  async read(texts: readonly string[], now: string): Promise<{ readonly seq: number; readonly why: string } | undefined> {
    for (const text of texts) {
      try {
        await this.append(text, now)
      } catch (error) {
        if (!(error instanceof Bad)) throw error
        return { seq: this.head.seq + 1, why: error.message }
      }
    }
    return undefined
  }

  private judge(s: MembershipStatement, what: string, now: string): Judge {
    const { state } = this
    const b = s.body
    must(b.org === state.org && b.chain === state.chain, 'a statement is of another clinic or history')
    must(b.seq === state.hashes.length, 'a statement is out of its place')
    must(b.previous === (state.hashes.at(-1) || undefined), 'a statement does not follow the one before')
    this.checkRoster(b)
    must(ms(b.time) >= ms(state.latest) - slack, 'a statement claims to be older than what came before')
    must(ms(b.time) <= ms(now) + slack, 'a statement claims to be of the future')
    return new Judge(state, s, what, this.staffAt(b.rosterSeq))
  }

  /** Checks what a statement says of the roster. */
  protected abstract checkRoster(body: Place & { readonly time: string }): void

  /** What was derived, as plain JSON. */
  save(): unknown { return structuredClone(this.state) }
}

/** The clinic's history: its staff. */
export class Roster extends History {
  static async start(org: string, clinic: string): Promise<Roster> {
    const s = await parse('ward/clinic/1', clinic)
    must(s.body.org === org, 'this is another clinic')
    await checkSignatures(s, s.body.signing)
    return new Roster(begin(org, org, s.body, await hashOf(s)))
  }

  static load(saved: unknown): Roster { return new Roster(checkSaved(saved)) }

  /** The hours for a veto at a place. */
  vetoAt(seq: number): number { return this.state.veto.findLast((v) => v.from <= seq)?.hours ?? firstVeto }

  protected staffAt(): Staff {
    return { one: (id) => this.person(id), all: () => this.at(), veto: this.vetoAt(this.head.seq) }
  }

  // That they name no head of the roster is a rule of the statements.
  protected checkRoster(): void {}
}

/** The history of one patient or proxy. */
export class Thread extends History {
  static start(roster: Roster, person: string): Thread {
    must(isID(person) && person !== roster.org, 'a thread is of a person')
    return new Thread(begin(roster.org, person, roster.clinic, ''), roster)
  }

  static load(saved: unknown, roster: Roster): Thread {
    const state = checkSaved(saved)
    must(state.org === roster.org && state.rosterSeq <= roster.head.seq, 'a thread is of another clinic, or newer than its roster')
    return new Thread(state, roster)
  }

  private constructor(state: State, private readonly roster: Roster) { super(state) }

  protected staffAt(seq = 0): Staff {
    return { one: (id) => this.roster.person(id, seq), all: () => this.roster.at(seq), veto: this.roster.vetoAt(seq) }
  }

  protected checkRoster(b: Place & { readonly time: string }): void {
    must((b.rosterSeq as number) >= this.state.rosterSeq, 'a statement names an older roster than the one before')
    must(b.rosterHash === this.roster.hashAt(b.rosterSeq as number), 'a statement names a roster that there is not')
    must(ms(b.time) >= ms(this.roster.timeAt(b.rosterSeq as number) as string) - slack, 'a statement claims to be older than the roster that it names')
  }
}

function begin(org: string, chain: string, { founder, signing, time }: Clinic | State['clinic'], first: string): State {
  return {
    format: saved, org, chain, clinic: { founder, signing, time }, hashes: [first], times: [time], latest: time, rosterSeq: 0, people: {}, veto: [],
    invitations: [], waiting: [], undoable: {}, undone: {}, vetoes: {},
  }
}

function checkSaved(given: unknown): State {
  const state = structuredClone(given) as State
  must(state?.format === saved, 'this history was saved by another version')
  return state
}

/** One statement at its place: whether it may be said, and what it changes. */
class Judge {
  private readonly inRoster: boolean

  constructor(private readonly state: State, private readonly s: MembershipStatement, private readonly what: string, private readonly staff: Staff) {
    this.inRoster = s.body.chain === s.body.org
  }

  /** Whose signatures it needs, in order. */
  keys(): readonly string[] {
    if (this.s.type !== 'ward/card/2') return [this.known().signing]
    const { person, signing, serial, invitation } = this.s.body
    if (invitation !== undefined) return [signing, this.invitation(invitation).verifier]
    return serial === 1 ? [signing] : [signing, (this.current(person) as Person).signing]
  }

  rule(): Change {
    const { s } = this
    // Who was deactivated lately may undo it: those rules ask themselves.
    if (s.type !== 'ward/card/2' && s.type !== 'ward/confirm/1' && s.type !== 'ward/reinstate/1') must(this.known().active, 'the author is not active')
    switch (s.type) {
      case 'ward/card/2': return s.body.serial === 1 ? this.firstCard(s.body) : this.laterCard(s.body)
      case 'ward/invite/1': return this.invite(s.body)
      case 'ward/withdraw/1': return this.withdraw(s.body)
      case 'ward/confirm/1': return this.confirm(s.body)
      case 'ward/complete/1': return this.complete(s.body)
      case 'ward/veto/1': return this.veto(s.body)
      case 'ward/roles/1': return this.roles(s.body)
      case 'ward/rename/1': return this.rename(s.body)
      case 'ward/deactivate/1': return this.deactivate(s.body)
      case 'ward/reinstate/1': return this.reinstate(s.body)
      case 'ward/rules/1': return this.rules(s.body)
    }
  }

  // The rules, in the page's order.

  private firstCard(b: MemberCard): Change {
    must(this.current(b.person) === undefined, 'a first card is of someone who has one')
    if (b.invitation === undefined) {
      const { founder, signing } = this.state.clinic
      must(this.inRoster && b.seq === 1 && b.person === founder && b.signing === signing, "a first card without an invitation is not the founder's")
      return () => this.join(b, { roles: lead, name: '' }, [{ roles: lead, by: founder }])
    }
    const i = this.linked(b)
    must(i.recover === undefined, 'a first card is of an invitation for lost keys')
    const { needs, missing } = this.powers(i.roles.split(' '), i.by, b.person)
    const change = this.settle({ ...this.waiting('ward/card/2', b, b.person, i.by), needs, missing })
    return () => {
      i.open = false
      change()
    }
  }

  private laterCard(b: MemberCard): Change {
    const p = this.active(b.person)
    must(b.serial === p.serial + 1 && b.before === p.card, 'a card does not follow the one before')
    if (b.invitation === undefined) return this.ownCard(b)
    const i = this.linked(b)
    must(i.recover === true, 'a card after lost keys is of a first invitation')
    const asked = this.inRoster ? lead : care
    const wanted = this.inRoster && has(p, lead) ? 2 : 1
    const there = Math.min(this.others(asked, i.by, b.person).length, wanted)
    const needs = Array.from({ length: Math.max(there, 1) }, () => asked)
    const missing = Array.from({ length: wanted - there }, () => ({ roles: asked, by: i.by }))
    const wait = this.staff.veto * hour * (there < wanted ? 2 : 1)
    const lost = { from: new Date(ms(i.time) + wait).toISOString(), asked, byInviter: there === 0 }
    return () => {
      i.open = false
      this.state.waiting = [...this.state.waiting, { ...this.waiting('ward/card/2', b, b.person, i.by), needs, missing, lost }]
    }
  }

  /** A card by who has the keys of before. It is a veto of theirs if new keys were on their way: only one of the two devices is theirs. */
  private ownCard(b: MemberCard): Change {
    const lost = this.state.waiting.filter((w) => w.lost && w.person === b.person)
    const vetoes = lost.length > 0 || this.state.invitations.some((i) => i.open && i.recover && i.person === b.person)
    const before = this.state.vetoes[b.person] ?? 0
    must(!lost.some((w) => outweighs(w, before)), 'two who met the person outweigh their old device')
    return () => {
      if (vetoes) this.state.vetoes[b.person] = before + 1
      this.renew(b)
    }
  }

  private invite(b: Invite): Change {
    must(!this.state.invitations.some((i) => i.invitation === b.invitation), "an invitation's id comes a second time")
    must(this.inRoster ? staffRoles(b.roles) : threadRoles(b.roles) && b.person === b.chain, 'an invitation is not of this history')
    this.mayInvite(b.recover)
    const p = this.current(b.person)
    if (b.recover) {
      must(p !== undefined && p.active && p.roles === b.roles, 'an invitation for lost keys is of nobody who is active with these roles')
      must(p.name === '' || p.name === b.name, 'an invitation for lost keys has another name')
    } else must(p === undefined, 'an invitation is of someone who has joined')
    return () => {
      this.endInvitations((i) => i.person === b.person)
      const { invitation, person, verifier, roles, name, recover, until, by, time } = b
      this.state.invitations.push({ invitation, person, verifier, roles, name, until, by, time, what: this.what, open: true, ...(recover && { recover }) })
    }
  }

  private withdraw(b: Said): Change {
    const i = this.openInvitation(b.what)
    if (b.by !== i.by) this.mayInvite(i.recover)
    return () => this.endInvitations((one) => one === i)
  }

  private confirm(b: Confirm): Change {
    const w = this.state.waiting.find((one) => one.what === b.what)
    return w ? this.confirmWaiting(b, w) : this.confirmAlone(b)
  }

  private confirmWaiting(b: Confirm, w: Waiting): Change {
    const a = w.type === 'ward/reinstate/1' ? this.lately() : this.author
    must(!w.confirmed.some((c) => c.by === b.by), 'someone confirms twice')
    const other = this.isAnother(a, w.author, w.type === 'ward/reinstate/1' ? '' : w.person) && b.by !== w.doer
    const may = (list: string): boolean => has(a, list) && (other || (w.lost?.byInviter === true && b.by === w.author && b.how === 'met'))
    must(w.lost ? may(w.lost.asked) : w.needs.some(may), 'someone confirms who may not')
    const confirmed = { ...w, confirmed: [...w.confirmed, { by: b.by, how: b.how }], needs: w.lost ? w.needs.slice(1) : w.needs.filter((list) => !may(list)) }
    return this.settle(confirmed)
  }

  /** Gives a confirmation that was missing when someone became what they are. */
  private confirmAlone(b: Confirm): Change {
    const p = Object.keys(this.state.people).map((id) => this.current(id) as Person).find((one) => one.card === b.what && one.alone)
    must(p !== undefined && p.active, 'a confirmation is of nothing that waits for one')
    must(!p.vouched.includes(b.by), 'someone confirms twice')
    const met = p.missing.findIndex(({ roles, by }) => has(this.author, roles) && this.isAnother(this.author, by, p.person))
    must(met >= 0, 'someone confirms who may not')
    return () => this.put({ ...p, missing: p.missing.toSpliced(met, 1), vouched: [...p.vouched, b.by] })
  }

  private complete(b: Said): Change {
    const w = this.lostCard(b.what)
    must(this.byStaff(), 'a card after lost keys is completed by staff')
    must(w.needs.length === 0, 'a card after lost keys is not confirmed')
    must(ms(b.time) >= ms((w.lost as NonNullable<Waiting['lost']>).from), 'the time for a veto is not over')
    return this.effect(w)
  }

  private veto(b: Said): Change {
    const i = this.state.invitations.find((one) => one.what === b.what && one.open && one.recover)
    const w = i ? undefined : this.lostCard(b.what)
    const person = (i ?? w)?.person as string
    const own = b.by === person
    must(own || (this.byStaff() && has(this.author, 'security privacy admin')), 'someone vetoes who may not')
    const before = this.state.vetoes[person] ?? 0
    must(!(own && w && outweighs(w, before)), 'two who met the person outweigh their old device')
    return () => {
      if (i) i.open = false
      this.state.waiting = this.state.waiting.filter((one) => one !== w)
      if (own) this.state.vetoes[person] = before + 1
    }
  }

  private roles(b: RolesOf): Change {
    must(this.inRoster && staffRoles(b.roles), "roles are the staff's")
    this.authorIs('admin')
    const p = this.active(b.person)
    must(b.by !== b.person, 'nobody gives themselves roles')
    must(b.roles !== p.roles, 'roles change nothing')
    const added = b.roles.split(' ').filter((role) => !has(p, role))
    const { needs, missing } = this.powers(added, b.by, b.person)
    const loses = guard.split(' ').some((role) => has(p, role) && !b.roles.split(' ').includes(role))
    if (this.isLast(p, b.roles) || (loses && this.undoneLately())) needs.push(this.guarded(b.by, b.person))
    return this.settle({ ...this.waiting('ward/roles/1', b, b.person, b.by), needs, missing })
  }

  private rename(b: Rename): Change {
    const p = this.active(b.person)
    must(b.by !== b.person, 'nobody renames themselves')
    this.authorIs(this.inRoster ? 'admin' : care)
    return () => this.put({ ...p, name: b.name })
  }

  private deactivate(b: Deactivate): Change {
    const p = this.active(b.person)
    if (!this.inRoster) {
      if (b.by !== b.person) this.authorIs('admin security')
      return this.settle(this.waiting('ward/deactivate/1', b, b.person, b.by))
    }
    this.authorIs('admin security')
    must(b.by !== b.person, 'staff do not deactivate themselves')
    const needs = this.isLast(p, '') || this.undoneLately() ? [this.guarded(b.by, b.person)] : []
    return this.settle({ ...this.waiting('ward/deactivate/1', b, b.person, b.by), needs })
  }

  private reinstate(b: Said): Change {
    const found = Object.entries(this.state.undoable).find(([, one]) => one.what === b.what)
    must(found !== undefined, 'there is nothing to undo')
    const [person, { by, time }] = found
    must(within(b.time, time, threeDays), 'it is too late to undo it')
    const a = this.lately()
    must(has(a, guard), 'someone undoes it who may not')
    must(b.by !== by, 'nobody undoes what they did')
    must(by !== person, 'who left by themselves is not brought back')
    const could = this.staff.all().some((p) => this.actsLately(p) && has(p, guard) && p.person !== by && this.isAnother(p, b.by, ''))
    must(could, 'nobody could confirm it')
    return this.settle({ ...this.waiting('ward/reinstate/1', b, person, b.by), needs: [guard], doer: by })
  }

  private rules(b: Rules): Change {
    must(this.inRoster, "rules are the roster's")
    this.authorIs('admin')
    const needs = ['admin', 'clinician'].filter((role) => this.others(role, b.by, '').length > 0).slice(0, 1)
    return this.settle({ ...this.waiting('ward/rules/1', b, '', b.by), needs })
  }

  // Who is who at this place.

  private current(id: string): Person | undefined { return this.state.people[id]?.at(-1)?.is }

  private active(id: string): Person {
    const p = this.current(id)
    must(p !== undefined && p.active, 'someone is not active')
    return p
  }

  /** The author, whose card is current, active or not. */
  private known(): Person {
    const b = this.s.body as Place & Author
    const p = b.by === b.chain ? this.current(b.by) : this.staff.one(b.by)
    must(p !== undefined && p.card === b.card, "the author's card is not current")
    return p
  }

  private get author(): Person {
    const p = this.known()
    must(p.active, 'the author is not active')
    return p
  }

  private byStaff(): boolean { return (this.s.body as Place & Author).by !== this.s.body.chain }

  private authorIs(list: string): void {
    must(has(this.author, list) && this.byStaff(), 'the author has not the role for it')
  }

  /** The author as who may undo things: staff, active or so lately. */
  private lately(): Person {
    const p = this.known()
    must(this.byStaff() && this.actsLately(p), 'the author is not active')
    return p
  }

  private actsLately(p: Person): boolean {
    return p.active || (p.left !== undefined && within(this.s.body.time, p.left, threeDays))
  }

  /** Whether someone is another than `than` for a person; of those who act at all. */
  private isAnother(p: Person, than: string, person: string): boolean {
    return p.person !== than && p.person !== person && !this.isYoung(p, than)
  }

  private isYoung(p: Person, to: string): boolean {
    return p.invitedBy === to && within(this.s.body.time, p.invitedAt as string, threeDays)
  }

  /** Staff with one of these roles who are another. */
  private others(list: string, than: string, person: string): readonly Person[] {
    return this.staff.all().filter((p) => p.active && has(p, list) && this.isAnother(p, than, person))
  }

  /** Whether nobody else who is active has what someone has and would lose. */
  private isLast(p: Person, roles: string): boolean {
    const lost = lead.split(' ').filter((role) => has(p, role) && !roles.split(' ').includes(role))
    return lost.some((role) => !this.staff.all().some((one) => one.active && one.person !== p.person && has(one, role)))
  }

  /** Whether something that the author did was undone a moment ago: they do not get rid of others alone. */
  private undoneLately(): boolean {
    const { by, time } = this.s.body as Place & Author
    const undone = this.state.undone[by]
    return undone !== undefined && within(time, undone, threeDays)
  }

  // Invitations.

  private mayInvite(recover: true | undefined): void {
    this.authorIs(this.inRoster ? (recover ? lead : 'admin') : care)
  }

  private invitation(id: string): Invitation {
    const i = this.state.invitations.find((one) => one.invitation === id)
    must(i !== undefined, 'there is no such invitation')
    return i
  }

  private openInvitation(what: string): Invitation {
    const i = this.state.invitations.find((one) => one.what === what)
    must(i !== undefined && i.open, 'there is no such invitation that is open')
    return i
  }

  /** The open invitation that a card names. */
  private linked(b: MemberCard): Invitation {
    const i = this.invitation(b.invitation as string)
    must(i.open && i.person === b.person && ms(b.time) <= ms(i.until), 'the invitation of a card is used, ended, expired or of someone else')
    return i
  }

  private endInvitations(which: (i: Invitation) => boolean): void {
    for (const i of this.state.invitations) if (which(i)) i.open = false
  }

  // What waits.

  private waiting(type: Waits, body: Waiting['body'], person: string, author: string): Waiting {
    const p = this.current(person)
    return {
      what: this.what, type, body, person, author, needs: [], missing: [], confirmed: [],
      was: { roles: p?.roles ?? '', card: p?.card ?? '', active: p?.active ?? false },
    }
  }

  /** Who must confirm new roles; what nobody could confirm. */
  private powers(added: readonly string[], author: string, person: string): { needs: string[]; missing: Missing[] } {
    const needs: string[] = []
    const missing: Missing[] = []
    const could = (role: string): boolean => this.others(role, author, person).length > 0
    if (added.includes('clinician')) {
      if (could('clinician')) needs.push('clinician')
      else missing.push({ roles: 'clinician', by: author })
    }
    if (added.includes('admin')) {
      if (could('admin')) needs.push('admin')
      else if (could('clinician')) needs.push('clinician')
      else missing.push({ roles: lead, by: author })
    }
    return { needs, missing }
  }

  /** The need of who else sees that the last one goes. */
  private guarded(author: string, person: string): string {
    must(this.others(guard, author, person).length > 0, 'nobody could confirm it')
    return guard
  }

  private lostCard(what: string): Waiting {
    const w = this.state.waiting.find((one) => one.what === what)
    must(w?.lost !== undefined, 'this is no card after lost keys that waits')
    return w
  }

  /** Lets it wait for what it still needs; else it takes effect. */
  private settle(w: Waiting): Change {
    if (w.needs.length === 0 && !w.lost) return this.effect(w)
    const rest = this.state.waiting
    const known = rest.some((one) => one.what === w.what)
    return () => { this.state.waiting = known ? rest.map((one) => (one.what === w.what ? w : one)) : [...rest, w] }
  }

  // What takes effect.

  private effect(w: Waiting): Change {
    const p = this.current(w.person)
    must((p?.active ?? false) === w.was.active, 'someone joined, left or came back meanwhile')
    if (w.type === 'ward/card/2' || w.type === 'ward/roles/1') must((p?.roles ?? '') === w.was.roles, 'someone has other roles meanwhile')
    if (w.type === 'ward/card/2') must((p?.card ?? '') === w.was.card, 'someone has other keys meanwhile')
    const undoes = w.type === 'ward/reinstate/1' ? this.state.undoable[w.person] : undefined
    if (w.type === 'ward/reinstate/1') {
      must(undoes?.what === (w.body as Said).what, 'there is nothing to undo')
      must(within(this.s.body.time, undoes.time, threeDays), 'it is too late to undo it')
    }
    return () => {
      this.state.waiting = this.state.waiting.filter((one) => one.what !== w.what)
      switch (w.type) {
        case 'ward/card/2': {
          const b = w.body as MemberCard
          if (p) this.renew(b, w)
          else this.join(b, this.invitation(b.invitation as string), w.missing, w.what)
          break
        }
        case 'ward/roles/1':
          this.alter(p as Person, { roles: (w.body as RolesOf).roles, missing: [...(p as Person).missing, ...w.missing] }, w.what)
          this.state.undoable[w.person] = this.undo(w, p as Person)
          break
        case 'ward/deactivate/1':
          this.void(w.person)
          this.alter(p as Person, { active: false, left: this.s.body.time }, w.what)
          this.state.undoable[w.person] = this.undo(w, p as Person)
          break
        case 'ward/reinstate/1': {
          const { roles, active, by } = undoes as Undoable
          this.state.waiting = this.state.waiting.filter((one) => one.person !== w.person || one.type !== 'ward/reinstate/1')
          this.alter(p as Person, { roles, active, left: undefined }, w.what)
          this.state.undone[by] = this.s.body.time
          break
        }
        case 'ward/rules/1':
          this.state.veto.push({ from: this.s.body.seq, hours: (w.body as Rules).veto })
      }
    }
  }

  private undo(w: Waiting, { roles, active }: Person): Undoable {
    return { what: w.what, by: (w.body as Place & Author).by, time: this.s.body.time, roles, active }
  }

  private alter(p: Person, changes: Partial<Person>, what: string): void {
    delete this.state.undoable[p.person]
    this.put({ ...p, ...changes, changed: what })
  }

  private join(b: MemberCard, i: Pick<Invite, 'roles' | 'name'> & { readonly by?: string; readonly time?: string }, missing: readonly Missing[], what = this.what): void {
    this.voidCards(b.person)
    this.put({
      person: b.person, roles: i.roles, active: true, alone: false, missing, vouched: [], card: what, serial: 1, signing: b.signing, recipientHash: b.recipientHash,
      name: i.name, since: b.seq, changed: what, ...(i.by !== undefined && { invitedBy: i.by, invitedAt: i.time }),
    })
  }

  /** A new card; after lost keys it has just the mark of its own, and who confirmed it did so already. */
  private renew(b: MemberCard, lost?: Waiting): void {
    const p = this.current(b.person) as Person
    this.voidCards(b.person)
    const mark = lost ? { missing: lost.missing, vouched: lost.confirmed.map((c) => c.by) } : {}
    this.put({ ...p, ...mark, card: lost?.what ?? this.what, serial: b.serial, signing: b.signing, recipientHash: b.recipientHash })
  }

  /** Ends whatever waits that is about someone who leaves. */
  private void(person: string): void {
    this.state.waiting = this.state.waiting.filter((w) => w.person !== person)
    this.voidCards(person)
  }

  /** Ends other cards of someone that wait, and their open invitations for lost keys. What others decide of them waits on. */
  private voidCards(person: string): void {
    this.state.waiting = this.state.waiting.filter((w) => w.person !== person || w.type !== 'ward/card/2')
    this.endInvitations((i) => i.person === person && i.recover === true)
  }

  private put(p: Person): void {
    const { seq } = this.s.body
    const before = this.current(p.person)
    const is: Person = { ...p, alone: p.missing.length > 0, vouched: p.missing.length > 0 ? p.vouched : [], since: before?.card === p.card ? before.since : seq }
    const versions = (this.state.people[p.person] ??= [])
    versions.push({ from: seq, is })
  }
}
