// A signed-in person's engine: everything that needs the keyring. engine.ts makes one when someone signs in and drops
// it, keys and all, when they sign out.

import { Bad, b64, hash, newID, now, random, recipientOf, signingKey, text, unb64, unjson64, type Bytes, type SigningKey } from '../seal/bytes.ts'
import { gunzip, type ContentHeader } from '../seal/content.ts'
import {
  invitationIdentity, invitationKey, invitationToken, newCode, newLockIdentity, openKeyringByCode, readCode, recoveryProof, sealKeyring, sealKeyringForCode, sealTo, welcomeFile, writeLink, type Called, type Keyring,
} from '../seal/keys.ts'
import { Thread } from '../seal/membership.ts'
import { shownName } from '../seal/names.ts'
import { checkEpochs, checkSignatures, hashOf, nameHash, parse, rolesOf, write, type Clinic, type Statement } from '../seal/statements.ts'
import { humanName } from '../fhir/values.ts'
import * as fhir from '../fhir/write.ts'
import { certify, checkClinic } from './account.ts'
import { Appointments } from './appointments.ts'
import { Drafts } from './drafts.ts'
import { Entries, fhirType, safeType, type Read } from './entries.ts'
import { writeIntroduction, type Introduction } from './introduction.ts'
import { LedgerOf, type Line } from './ledger.ts'
import { loadedHere, ownRelease } from './release.ts'
import { latest, Locks, makeGrant, newLock, NoKey, type OpenLock, type Self } from './locks.ts'
import { Matters, rolesText } from './matters.ts'
import { again, Chain, placeAfter, type Membership } from './membership.ts'
import type { Net } from './net.ts'
import { Outbox, type Waiting } from './outbox.ts'
import { makePasskey } from './passkey.ts'
import { People } from './people.ts'
import { EngineProblem, problemOf } from './problem.ts'
import { Reminding } from './reminders.ts'
import type { Safe, Shelf } from './shelf.ts'
import type {
  About, AppRelease, Appointment, Change, Compartment, Draft, Emergency, EmergencyCode, EntryKind, ID, Item, Look, Me, Member, MembershipState, OpenChart, Passkey, Person, Progress, Proof, Purpose, RecordEvent, Resource,
  Role, Team, Trouble, Unsent,
} from './types.ts'
import { isStaff, staffRoles } from './roles.ts'
import { versionsOf } from './versions.ts'
import { SessionDoor } from './visit.ts'
import type { WireChart, WireEmergency, WireEvent, WireInvitation, WireMe, WireMember, WireNotice, WirePerson, WireSummary } from './wire.ts'

const directoryRoles: readonly Role[] = ['clinician', 'frontdesk', 'security', 'privacy']
export { isStaff } from './roles.ts'

/** How many bytes of FHIR go into one imported entry, before gzip. */
const importSize = 100 * 1024
/** How many entries go in one request. */
const batchSize = 16

/** A chart that was just opened is shown first; its snapshot waits this long in ms, and up to as long again. */
const snapshotDelay = 4000
/** How long after a check of the ledger the next is made, in ms; and after one that could not be made. */
const recheck = 10 * 60 * 1000
const recheckSoon = 60 * 1000

/** How long an invitation is good, in ms: the longest that the server takes (wire.go MaxInvitation). */
const invitationLife = 14 * 24 * 60 * 60 * 1000
/** For how long after an invitation for lost keys the thread of its person is read with the others: longer than new keys ever wait. */
const watched = 60 * 24 * 60 * 60 * 1000

/** turn: of which reading this is. All readings of charts are counted as they begin. */
interface Chart { readonly turn: number; readonly wire: WireChart; readonly locks: Map<Compartment, OpenLock>; open: OpenChart }

export class Session {
  readonly people: People
  readonly locks: Locks
  readonly entries: Entries
  readonly outbox: Outbox
  readonly drafts: Drafts
  readonly appointments: Appointments
  readonly reminders: Reminding
  readonly ledger: LedgerOf
  readonly membership: Membership
  readonly matters: Matters
  private readonly net: Net
  private readonly shelf: Shelf
  private readonly safe: Safe
  private keyring: Keyring
  private readonly self: Self
  private readonly browser: SigningKey
  readonly wire: WireMe
  private readonly tell: (change: Change) => void
  private readonly repark: (keyring: Keyring) => Promise<void>
  private clinicLocks: Clinic['locks'] | undefined
  private readonly charts_ = new Map<ID, Chart>()
  private directoryRead: { entries: readonly Read[] } | undefined
  private names = new Map<ID, string>()
  private keeping: Promise<void> | undefined
  private release: Promise<AppRelease> | undefined
  private waitsAgain = false
  private rechecking: ReturnType<typeof setTimeout> | undefined
  ended = false

  constructor(net: Net, shelf: Shelf, safe: Safe, self: Self, browser: SigningKey, keyring: Keyring, wire: WireMe, membership: Membership, tell: (change: Change) => void, repark: (keyring: Keyring) => Promise<void>) {
    this.net = net
    this.shelf = shelf
    this.safe = safe
    this.self = self
    this.browser = browser
    this.keyring = keyring
    this.wire = wire
    this.tell = tell
    this.repark = repark
    this.membership = membership
    this.ledger = new LedgerOf(net, shelf, self.org, self.person, () => this.keyring.ledger, (trust) =>
      this.putKeyring((k) => ({ ...k, ledger: trust }), (sealed) => net.put('/api/keyring', sealed)), () => tell({ what: 'ledger' }))
    this.people = new People(net, membership, self.person, {
      check: (label, texts, shown) => this.ledger.checkLine(label, texts, shown), agrees: (label, texts) => this.ledger.agrees(label, texts),
    })
    this.matters = new Matters(net, this.people, self, () => tell({ what: 'people' }), () => this.housekeep())
    this.locks = new Locks(net, this.people, self, shelf)
    this.entries = new Entries(net, this.people, shelf, safe, self, browser)
    this.outbox = new Outbox(shelf, safe, self.person, net, this.entries, (w, fresh) => this.epochsFor(w, fresh), (w) => this.waitingChanged(w))
    this.drafts = new Drafts(shelf, safe, self.person)
    this.reminders = new Reminding(net)
    const { charts_ } = this
    this.appointments = new Appointments(net, {
      nameOf: (person) => this.nameOf(person), isStaff, write: (chart, compartment, draft) => this.write(chart, compartment, draft), changed: () => tell({ what: 'appointments' }),
      get opened() { return [...charts_.values()].map((c) => c.open) },
    })
  }

  /** Checks the clinic, certifies this browser, and begins to keep house. */
  async start(): Promise<void> {
    const clinic = await checkClinic(this.wire.clinicText, this.keyring.clinic)
    this.clinicLocks = clinic.body.locks
    await this.membership.sync()
    await this.people.get(this.self.person).catch((error: unknown) => {
      if (!['missing', 'tampered'].includes(problemOf(error).code)) throw error
      console.warn('my own keys:', problemOf(error).message) // a first card that waits is nobody's yet
    })
    await this.net.put('/api/browser', { browserText: (await certify(this.self.org, this.self.person, this.self.card, this.browser, this.self.signing)).text })
    await this.drafts.load()
    await this.outbox.load()
    for (const w of this.outbox.waiting) this.unsentRead.set(w.header.entry, await draftOf(w))
    this.housekeep()
    void this.checkLedger()
  }

  /** Checks the clinic's history and one's own keys against what was agreed. */
  private async checkLedger(): Promise<void> {
    clearTimeout(this.rechecking)
    await this.ledger.refresh(() => this.ownLine())
    if (this.ended) return
    clearTimeout(this.rechecking)
    this.rechecking = setTimeout(() => { void this.checkLedger() }, this.ledger.state.unchecked === undefined ? recheck : recheckSoon)
  }

  /** The chain that one's own cards are in, as it is shown now. */
  private async ownLine(): Promise<Line> { return lineOf(await this.people.chainOf(this.self.person)) }

  /** Asked once: it reads all of the app. */
  appRelease(): Promise<AppRelease> {
    this.release ??= ownRelease((path) => fetch(path), loadedHere(), (sum) => this.ledger.released(sum)).catch((error: unknown) => { this.release = undefined; throw error })
    return this.release
  }

  async acceptLedger(): Promise<void> { await this.ledger.accept(() => this.ownLine()) }

  async newKeysOf(person: ID): Promise<Pick<Person, 'keysSince' | 'keysBy'>> {
    await this.people.chainOf(person)
    const { keysSince, keysBy } = this.matters.about(person) ?? {}
    return { ...(keysSince && { keysSince }), ...(keysBy && { keysBy }) }
  }

  async cardProof(person: ID): Promise<Proof> { return this.ledger.lineProof(lineOf((await this.people.get(person)).chain)) }

  /** What this person may do here: as the history says, or, until it has them, as the server does. */
  private get roles(): readonly Role[] {
    const mine = this.membership.chainOf(this.self.person)?.history.person(this.self.person)
    return mine?.active ? (rolesOf(mine.roles) ?? []) : this.wire.roles
  }

  get me(): Me {
    return {
      person: this.wire.person, name: this.self.name, roles: this.roles, clinic: this.wire.org, charts: this.wire.charts ?? [], pending: this.wire.pending,
      sessionUntil: this.wire.session.until, idleSeconds: this.wire.idle,
    }
  }

  private get clinic(): Clinic['locks'] {
    if (!this.clinicLocks) throw new Bad('the clinic is not checked yet')
    return this.clinicLocks
  }

  private can(roles: readonly Role[]): boolean { return this.roles.some((r) => roles.includes(r)) }

  // Housekeeping: what only who holds a lock can do, done by whoever comes by.

  housekeep(): void {
    if (this.keeping) {
      this.waitsAgain = true
      return
    }
    this.keeping = this.keepHouse().catch((error: unknown) => console.warn('housekeeping:', problemOf(error).message)).finally(() => {
      this.keeping = undefined
      if (this.waitsAgain && !this.ended) {
        this.waitsAgain = false
        this.housekeep()
      }
    })
  }

  /** Whether it is for this person to give a lock a new key; the server says the same (policy/sharing.cedar). */
  private mayTurn(l: WireSummary): boolean {
    if (this.can(['clinician'])) return true
    return l.kind === 'chart' ? (this.wire.charts ?? []).includes(l.chart ?? '') : (l.kind === 'staff' || l.kind === 'directory') && this.can(['admin'])
  }

  settled(): Promise<void> { return this.keeping ?? Promise.resolve() }

  private async keepHouse(): Promise<void> {
    await this.outbox.send()
    await this.membership.sync()
    if (this.wire.pending && !(await this.nowCounts())) return
    await this.introduceLate().catch((error: unknown) => console.warn('introducing oneself:', problemOf(error).message))
    const { people } = await this.net.get<{ people: WirePerson[] }>('/api/people')
    await this.lookAfterMatters(people).catch((error: unknown) => console.warn('what waits:', problemOf(error).message))
    const { locks } = await this.net.get<{ locks: WireSummary[] }>('/api/locks')
    const order = ['staff', 'directory', 'team', 'emergency', 'chart']
    locks.sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind))
    if (isStaff(this.roles)) await this.welcomeAll(locks, people).catch((error: unknown) => console.warn('welcome:', problemOf(error).message))
    const renewed = await this.renewedCards()
    let whole = true
    for (const l of locks) {
      if (this.ended) return
      try {
        if (renewed.length > 0) await this.renew(l)
        if (l.due && this.mayTurn(l)) {
          await this.locks.turn(await this.locks.open(l.lock))
          if (l.chart) this.tell({ what: 'chart', chart: l.chart })
        }
      } catch (error) {
        whole = false
        if (problemOf(error).code !== 'conflict') console.warn('housekeeping:', problemOf(error).message) // a conflict: someone was first
      }
    }
    await this.locks.sendAnswers()
    if (!whole) return
    for (const card of renewed) await this.shelf.put('pins', `renewed/${this.self.person}/${card}`, true)
    await this.rememberCards(people)
  }

  private async lookAfterMatters(people: readonly WirePerson[]): Promise<void> {
    await this.matters.read(await this.watchedPeople(people))
    await this.matters.completeDue()
  }

  /** Whether these keys, which waited, count now. */
  private async nowCounts(): Promise<boolean> {
    const { pending, roles } = await this.net.get<WireMe>('/api/me')
    if (pending) return false
    Object.assign(this.wire, { pending, roles })
    this.people.forget(this.self.person)
    await this.people.get(this.self.person)
    this.tell({ what: 'me' })
    return true
  }

  /** Patients and proxies in whose threads something may wait, or who may have new keys: for who is no member of staff, all whom they know. */
  private async watchedPeople(people: readonly WirePerson[]): Promise<readonly ID[]> {
    const { roster } = this.membership
    if (!isStaff(this.roles)) return people.map((p) => p.person).filter((id) => !roster.person(id))
    const { invitations } = await this.net.get<{ invitations: WireInvitation[] }>('/api/invitations')
    const ended = people.filter((p) => p.state === 'ended' && !isStaff(p.roles)).map((p) => p.person)
    const changed = await this.changedCards(people)
    const lost = invitations.filter((v) => v.recover && v.state !== 'withdrawn' && Date.now() - Date.parse(v.created) < watched).map((v) => v.person)
    return [...lost, ...changed, ...ended.filter((id) => !this.membership.chainOf(id))]
  }

  /** Patients and proxies of whom the server hints at another card than when this browser looked last: their threads say whether it is so. */
  private async changedCards(people: readonly WirePerson[]): Promise<readonly ID[]> {
    const before = await this.cardsBefore()
    return people.filter((p) => p.card && !isStaff(p.roles) && before[p.person] !== undefined && before[p.person] !== p.card).map((p) => p.person)
  }

  private async cardsBefore(): Promise<Readonly<Record<ID, string>>> {
    return ((await this.shelf.get('pins', `cards/${this.self.person}`)) as Record<ID, string> | undefined) ?? {}
  }

  private async rememberCards(people: readonly WirePerson[]): Promise<void> {
    const before = await this.cardsBefore()
    const now = Object.fromEntries(people.filter((p) => p.card && !isStaff(p.roles)).map((p) => [p.person, p.card as string]))
    if (Object.keys(now).some((id) => before[id] !== now[id])) await this.shelf.put('pins', `cards/${this.self.person}`, { ...before, ...now })
  }

  /** Cards of people with new keys, to whom this browser has not yet granted again what they held. */
  private async renewedCards(): Promise<readonly string[]> {
    const cards: string[] = []
    for (const { history } of [this.membership.chain, ...this.membership.read]) {
      for (const p of history.at()) {
        if (!p.active || p.serial === 1 || p.person === this.self.person) continue
        if ((await this.shelf.get('pins', `renewed/${this.self.person}/${p.card}`)) === undefined) cards.push(p.card)
      }
    }
    return cards
  }

  /** Grants what is due to those whose roles the history says; everyone has the list of staff. */
  private async welcomeAll(locks: readonly WireSummary[], people: readonly WirePerson[]): Promise<void> {
    if (!locks.some((l) => l.lock === this.clinic.directory)) return
    const { roster } = this.membership
    const staff = roster.at().filter((p) => p.active)
    const others = people.filter((p) => p.state === 'active' && !roster.person(p.person) && !isStaff(p.roles)).map((p) => p.person)
    for (const l of locks) {
      const wanted: readonly Role[] = l.lock === this.clinic.staff ? staffRoles : l.lock === this.clinic.directory ? directoryRoles
        : l.lock === this.clinic.clinicians || l.lock === this.clinic.emergency ? ['clinician'] : []
      if (wanted.length === 0) continue
      const open = await this.locks.open(l.lock)
      const key = open.keys.get(open.epochs.length)
      if (!key) continue
      const held = await this.liveMembers(open)
      const due = [...staff.filter((p) => rolesOf(p.roles)?.some((r) => wanted.includes(r))).map((p) => p.person), ...(l.lock === this.clinic.staff ? others : [])]
      for (const person of due) {
        if (held.has(person)) continue
        const grant = await this.locks.makeGrant(key, { person }, 'work').catch(notNow(person))
        if (!grant) continue
        await this.net.post(`/api/locks/${l.lock}/grants`, { grants: [grant] }).catch((error: unknown) => {
          if (problemOf(error).code === 'refused') return // another's role to grant
          throw error
        })
        this.tell({ what: 'people' })
      }
    }
  }

  private async liveMembers(open: OpenLock): Promise<Set<ID>> {
    const { members } = await this.net.get<{ members: WireMember[] }>(`/api/locks/${open.lock}/members`)
    const live = new Set<ID>()
    for (const m of members.filter((m) => m.state === 'live')) {
      const g = await this.locks.checkGrant(m.text, open.epochs)
      live.add(g.person ?? (g.holder as string))
    }
    return live
  }

  /** Grants the current epoch again to who has new keys, or a team that has turned. */
  private async renew(l: WireSummary): Promise<void> {
    const { members } = await this.net.get<{ members: WireMember[] }>(`/api/locks/${l.lock}/members`)
    const live = members.filter((m) => m.state === 'live')
    let open: OpenLock | undefined
    for (const m of live) {
      const g = (await parse('ward/grant/1', m.text)).body
      if (g.person === undefined || g.person === this.self.person) continue
      const p = await this.people.get(g.person).catch(() => undefined)
      if (!p || p.state !== 'active' || p.current.hash === g.card) continue
      open ??= await this.locks.open(l.lock)
      await this.locks.checkGrant(m.text, open.epochs)
      const key = open.keys.get(open.epochs.length)
      if (key) await this.net.post(`/api/locks/${l.lock}/grants`, { grants: [await this.locks.makeGrant(key, { person: g.person, standing: g.card as string }, g.purpose as Purpose, g.until)] })
    }
  }

  /** The door of a visit. */
  visitDoor(visit: ID): Promise<SessionDoor> {
    const { net, people, self, browser, shelf } = this
    return SessionDoor.at({
      net, people, self, browser, shelf, nameOf: (person) => this.nameOf(person),
      watch: (of, on) => {
        const hear = (heard: ID | undefined, seq?: number): void => { if (heard === undefined || heard === of) on(seq) }
        this.visitWatchers.add(hear)
        return () => this.visitWatchers.delete(hear)
      },
    }, visit)
  }

  private readonly visitWatchers = new Set<(visit: ID | undefined, seq?: number) => void>()

  heard(n: WireNotice): void {
    if (n.visit) for (const hear of [...this.visitWatchers]) hear(n.visit, n.seq)
    if (n.person) this.people.forget(n.person)
    if (n.kind === 'person') this.membership.sync().catch((error: unknown) => console.warn('the roster:', problemOf(error).message))
    if (n.lock === this.clinic.directory || n.lock === this.clinic.staff) {
      this.directoryRead = undefined
      this.names.clear()
      this.tell({ what: 'people' })
    }
    if (n.chart) {
      this.tell({ what: 'charts' })
      this.grew(n.chart)
    }
    if (n.visit) this.tell({ what: 'appointments' })
    if (n.kind === 'invitation' || n.kind === 'person') this.tell({ what: 'people' })
    if (n.kind === 'grant') this.tell({ what: 'charts' })
    if (n.kind === 'ledger') this.tell({ what: 'ledger' })
    if (n.kind !== 'entry' && n.kind !== 'visit') this.housekeep()
  }

  /** Reads again what may have changed while nothing was heard. */
  caughtUp(): void {
    this.people.forget()
    this.directoryRead = undefined
    this.names.clear()
    for (const what of ['charts', 'people', 'appointments'] as const) this.tell({ what })
    void this.checkLedger()
    for (const hear of [...this.visitWatchers]) hear(undefined)
    for (const chart of [...this.charts_.keys()]) this.grew(chart)
    this.housekeep()
  }

  /** Something was added to a chart that someone sees, or is about to: it is read again. What is being read now may lack it,
   * so then once more after that, and not for each. */
  private grew(chart: ID): void {
    if (this.reading.has(chart)) this.grown.add(chart)
    else if (this.charts_.has(chart)) {
      void this.open(chart, () => undefined).catch(() => undefined).then(() => {
        if (!this.ended && this.charts_.has(chart)) this.tell({ what: 'chart', chart })
      })
    }
  }

  private readonly grown = new Set<ID>()       // while it was read
  private readonly reading = new Map<ID, number>() // how often it is being read now

  // The directory and the list of staff.

  private async readLock(lock: ID): Promise<readonly Read[]> {
    const open = await this.locks.open(lock)
    return (await this.entries.read(open, () => undefined)).entries
  }

  private async directory(): Promise<readonly Read[]> {
    if (!this.directoryRead) {
      const staff = await this.readLock(this.clinic.staff).catch(notShared)
      const directory = this.can(directoryRoles) ? await this.readLock(this.clinic.directory).catch(notShared) : []
      this.directoryRead = { entries: [...staff, ...directory] }
    }
    return this.directoryRead.entries
  }

  /** Anyone may write to the directory; what counts there is what people say of themselves, and what staff say. */
  private async counts(e: Read, about: ID | undefined): Promise<boolean> {
    return e.author === about || isStaff(await this.entries.rolesOf(e.author))
  }

  /**
   * What is known of people. A name is what the history commits to: what who invited set, or who renamed them. Of patients whose thread was
   * not read here it is what staff say, before what they say of themselves; and a founder, whom nobody invited, names themselves until
   * somebody does. Contacts are what people say of themselves before what others said of them.
   */
  private async known(): Promise<Map<ID, Partial<fhir.PersonFields> & { fullName: string }>> {
    const found = new Map<ID, Partial<fhir.PersonFields> & { fullName: string }>()
    const [own, ranks] = [new Set<ID>(), new Map<ID, number>()]
    for (const e of await this.directory()) {
      const p = e.resources[0] && fhir.readPerson(e.resources[0])
      if (!p?.person || e.kind !== 'person' || !(await this.counts(e, p.person))) continue
      const byThemselves = e.author === p.person
      const before = found.get(p.person)
      const rank = await this.nameRank(p.person, p.salt, p.fullName, byThemselves)
      const names = rank > 0 && rank >= (ranks.get(p.person) ?? 1)
      if (names) ranks.set(p.person, rank)
      const { name, fullName, salt, ...contacts } = p
      found.set(p.person, {
        ...before, ...(own.has(p.person) && !byThemselves ? {} : contacts), fullName: before?.fullName ?? '',
        ...(names && { fullName: shownName(fullName), ...(name && { name }), ...(salt !== undefined && { salt }) }),
      })
      if (byThemselves) own.add(p.person)
    }
    for (const [id, p] of found) if (p.fullName !== '') this.names.set(id, p.fullName)
    this.names.set(this.self.person, this.self.name)
    return found
  }

  private readonly namesAsked = new Set<string>()

  /** How much a name counts: 3 if it is the one that was stated, 2 by staff, 1 by its owner; 0 if another was stated. */
  private async nameRank(person: ID, salt: string | undefined, name: string, byThemselves: boolean): Promise<number> {
    const member = this.membership.chainOf(person)?.history.person(person)
    if (!member) return byThemselves ? 1 : 2
    if (!member.name) return byThemselves ? 3 : 0
    const opens = salt === undefined ? undefined : await saltedName(salt, name)
    if (opens === undefined) return 0
    if (opens === member.name) return 3
    // Whose thread was read before may have another name since: it is read once more for each name that is found.
    if (this.membership.roster.person(person) || this.namesAsked.has(opens)) return 0
    this.namesAsked.add(opens)
    const now = await this.people.chainOf(person).catch(notNow(person))
    return now?.history.person(person)?.name === opens ? 3 : 0
  }

  async nameOf(person: ID): Promise<string> {
    if (!this.names.has(person)) await this.known().catch(() => undefined)
    return this.names.get(person) || this.introduced.get(person) || ''
  }

  async listPeople(): Promise<readonly Person[]> {
    await this.membership.fresh()
    const [{ people }, known] = await Promise.all([this.net.get<{ people: WirePerson[] }>('/api/people'), this.known()])
    const invitations = isStaff(this.roles) ? (await this.net.get<{ invitations: WireInvitation[] }>('/api/invitations')).invitations : []
    const hints = new Map(people.map((p) => [p.person, p]))
    if (isStaff(this.roles)) for (const p of this.membership.roster.at()) if (!hints.has(p.person)) hints.set(p.person, { person: p.person, roles: [], state: 'active' })
    const contacts = (person: ID): Pick<Person, 'birthDate' | 'phone' | 'email'> => {
      const k = known.get(person)
      return { ...(k?.birthDate && { birthDate: k.birthDate }), ...(k?.phone && { phone: k.phone }), ...(k?.email && { email: k.email }) }
    }
    const all: Person[] = [...hints.values()].map((p) => {
      const k = known.get(p.person)
      return {
        person: p.person, name: k?.fullName ?? (p.person === this.self.person ? this.self.name : ''), ...(this.matters.about(p.person) ?? unread(p)), ...contacts(p.person), ...(k?.chart && { chart: k.chart }),
      }
    })
    for (const v of invitations.filter((v) => v.state !== 'accepted' && v.state !== 'withdrawn')) {
      const invitation = { id: v.invitation, until: v.until, state: v.state }
      const at = all.findIndex((p) => p.person === v.person)
      if (at >= 0) all[at] = { ...(all[at] as Person), invitation }
      else all.push({ person: v.person, name: known.get(v.person)?.fullName ?? '', roles: v.roles, state: 'invited', invitation, ...contacts(v.person) })
    }
    return all
  }

  async invite(who: About, roles: readonly Role[], byEmail: boolean, invitedAgain?: ID): Promise<{ link: string; sent: boolean; person: ID }> {
    const secret = random(16)
    const person = invitedAgain ?? newID()
    const invitation = newID()
    const before = invitedAgain ? (await this.known()).get(invitedAgain) : undefined
    const chart = roles.includes('patient') ? (before?.chart ?? newID()) : undefined
    const link = writeLink(location.origin, { invitation, secret, clinic: this.keyring.clinic })
    const member = invitedAgain ? (await this.people.again(invitedAgain)).member : undefined
    const { called, name } = await nameFor(fhir.fullName(who.name), member?.name, before?.salt)
    const staff = await this.locks.open(this.clinic.staff)
    const key = staff.keys.get(staff.epochs.length)
    const welcome = key ? await sealTo(welcomeFile(key, this.self.name, called), await recipientOf(await invitationIdentity(secret))) : undefined
    // The directory first: a name whose salt nobody keeps could never be shown to be the one that was stated.
    await this.writeTo(this.clinic.directory, 'person', fhir.person(kindOf(roles), { ...who, person, ...(called.salt && { salt: called.salt }), ...(chart && { chart }) }))
    const chain = async (): Promise<Chain> => {
      if (invitedAgain) return this.people.chainOf(invitedAgain)
      await this.membership.sync()
      return isStaff(roles) ? this.membership.chain : new Chain(Thread.start(this.membership.roster, person))
    }
    const own = {
      invitation, person, verifier: (await invitationKey(secret)).public, roles: rolesText(roles), name, ...(member && { recover: true as const }),
      until: new Date(Date.now() + invitationLife).toISOString(),
    }
    const tokenHash = await hash(await invitationToken(secret))
    let inviteText = ''
    const answer = await this.membership.state(chain, 'ward/invite/1', own, this.self, (stated) => {
      inviteText = stated
      return this.net.post<WireInvitation>('/api/invitations', {
        inviteText, tokenHash, ...(chart && { chart }), ...(welcome && { welcome }), ...(byEmail && who.email && { email: who.email, link }), ...(who.language && { language: who.language }),
      })
    })
    if (!invitedAgain && !isStaff(roles)) await this.membership.thread(person, [inviteText])
    this.directoryRead = undefined
    this.tell({ what: 'people' })
    return { link, sent: answer.sent, person }
  }

  async inviteAgain(person: ID, byEmail: boolean): Promise<{ link: string; sent: boolean }> {
    const { roles, state } = await this.people.again(person)
    const k = (await this.known()).get(person)
    if (state !== 'active' || !k) throw new EngineProblem('missing', 'this person is not in the directory')
    const { name = { given: k.fullName, family: '' }, birthDate, phone, email } = k
    return this.invite({ name, ...(birthDate && { birthDate }), ...(phone && { phone }), ...(email && { email }) }, roles, byEmail, person)
  }

  async withdraw(id: ID): Promise<void> {
    const { invitations } = await this.net.get<{ invitations: WireInvitation[] }>('/api/invitations')
    const v = invitations.find((one) => one.invitation === id)
    if (!v) throw new EngineProblem('missing', 'there is no such invitation')
    const chain = (): Promise<Chain> => this.people.chainOf(v.person)
    const what = (await chain()).history.invitations.find((i) => i.invitation === id)?.what
    if (what === undefined) throw new EngineProblem('gone', 'this invitation is not open any more')
    await this.membership.state(chain, 'ward/withdraw/1', { what }, this.self, (stated) => this.net.del(`/api/invitations/${id}`, { text: stated }))
    await this.membership.sync()
    this.tell({ what: 'people' })
  }

  /** What waits in the histories of all whose threads are read here. */
  async membershipState(): Promise<MembershipState> {
    const { people } = await this.net.get<{ people: WirePerson[] }>('/api/people')
    await this.matters.read(await this.watchedPeople(people))
    return this.matters.state()
  }

  /** Gives someone another name: what opens it in the history is kept with it, where those look who may know it. */
  async renamePerson(person: ID, given: string, family: string): Promise<void> {
    const { roles } = await this.people.again(person)
    const name = { given: given.trim(), family: family.trim() }
    const salt = b64(random(32))
    const { chart, birthDate, phone, email } = (await this.known()).get(person) ?? {}
    const contacts = { ...(chart && { chart }), ...(birthDate && { birthDate }), ...(phone && { phone }), ...(email && { email }) }
    if (isStaff(roles)) await this.writeTo(this.clinic.staff, 'person', fhir.person('Practitioner', { person, name, salt }))
    await this.writeTo(this.clinic.directory, 'person', fhir.person(kindOf(roles), { ...contacts, person, name, salt }))
    this.directoryRead = undefined
    await this.matters.rename(person, await nameHash(unb64(salt), fhir.fullName(name)))
  }

  /** Writes a resource to a lock of the clinic, read or not. */
  async writeTo(lock: ID, kind: EntryKind, resource: Resource, amends?: ID): Promise<ID> {
    const { body, sha256 } = await this.entries.pack(resource)
    const header = await this.entries.header(lock, kind, fhirType, { size: body.length, sha256 }, { encoding: 'gzip', ...(amends && { amends }) })
    const sealed = await this.entries.seal(await this.locks.outside(lock), await this.entries.seen(lock), header, body)
    await this.net.post(`/api/locks/${lock}/entries`, { entries: [sealed] })
    return header.entry
  }

  /** What a person who just joined says of themselves, where it belongs. */
  async introduce(about: About, called?: Called): Promise<void> {
    const own = { person: this.self.person, ...(called?.name === fhir.fullName(about.name) && { salt: called.salt }) }
    const fields = { ...about, ...own }
    if (isStaff(this.roles)) {
      await this.writeTo(this.clinic.staff, 'person', fhir.person('Practitioner', { ...own, name: about.name }))
      await this.writeTo(this.clinic.directory, 'person', fhir.person('Practitioner', fields))
      return
    }
    const chart = this.wire.charts?.[0]
    await this.writeTo(this.clinic.directory, 'person', fhir.person(chart ? 'Patient' : 'Person', { ...fields, ...(chart && { chart }) }))
    if (!chart) return
    await this.write(chart, 'general', { kind: 'person', resource: fhir.person('Patient', { ...fields, chart }) })
    if (about.consent) {
      const date = new Date().toISOString()
      await this.write(chart, 'general', { kind: 'consent', resource: fhir.consent(chart, this.self.person, date, about.consent.version, about.consent.text) })
    }
  }

  /** Keeps what a person says of themselves until their keys count: before, nothing of theirs is taken. */
  async introduceSoon(about: About, called?: Called): Promise<void> {
    await this.shelf.put('pins', this.introductionKey, await this.safe.seal(this.introductionKey, { about, called }))
  }

  private get introductionKey(): string { return `introduction/${this.self.person}` }

  private async introduceLate(): Promise<void> {
    const kept = await this.safe.open<{ about: About; called?: Called }>(this.introductionKey, await this.shelf.get('pins', this.introductionKey))
    if (!kept) return
    await this.introduce(kept.about, kept.called)
    await this.shelf.remove('pins', this.introductionKey)
  }

  async teams(): Promise<readonly Team[]> {
    const { locks } = await this.net.get<{ locks: WireSummary[] }>('/api/locks')
    const ids = new Set(locks.filter((l) => l.kind === 'team').map((l) => l.lock))
    ids.add(this.clinic.clinicians)
    const mine = new Set(locks.map((l) => l.lock))
    return Promise.all([...ids].map(async (lock) => {
      const title = mine.has(lock) ? (await this.readLock(lock).catch(() => [])).filter((e) => e.kind === 'person').at(-1)?.title : undefined
      const members = mine.has(lock) ? [...(await this.liveMembers(await this.locks.open(lock)))] : []
      return { lock, name: title ?? '', members, mine: mine.has(lock) }
    }))
  }

  async createTeam(name: string, members: readonly ID[]): Promise<ID> {
    const made = await newLock(this.self, 'team')
    const grants = [await this.locks.makeGrant(made.key, { person: this.self.person }, 'work')]
    for (const person of members) if (person !== this.self.person) grants.push(await this.locks.makeGrant(made.key, { person }, 'work'))
    await this.net.post('/api/locks', { epoch: made.epoch.text, grants })
    this.locks.remember(made.key)
    const { body, sha256 } = await this.entries.pack({ resourceType: 'Group', type: 'practitioner', actual: true, name })
    const header = await this.entries.header(made.key.lock, 'person', fhirType, { size: body.length, sha256 }, { encoding: 'gzip', title: name })
    await this.net.post(`/api/locks/${made.key.lock}/entries`, { entries: [await this.entries.seal([made.epoch], await this.entries.seen(made.key.lock), header, body)] })
    return made.key.lock
  }

  async addToTeam(team: ID, person: ID): Promise<void> {
    const open = await this.locks.open(team)
    const key = open.keys.get(open.epochs.length)
    if (!key) throw new EngineProblem('refused', 'you do not hold this team')
    await this.net.post(`/api/locks/${team}/grants`, { grants: [await this.locks.makeGrant(key, { person }, 'work')] })
  }

  async removeFromTeam(team: ID, person: ID): Promise<void> {
    const { members } = await this.net.get<{ members: WireMember[] }>(`/api/locks/${team}/members`)
    for (const m of members.filter((m) => m.state === 'live')) {
      const g = (await parse('ward/grant/1', m.text)).body
      if (g.person === person) await this.net.del(`/api/locks/${team}/grants/${g.grant}`)
    }
    this.housekeep()
  }

  // Appointments.

  async listAppointments(from: string, to: string): Promise<readonly Appointment[]> {
    for (const chart of this.wire.charts ?? []) this.readReasons(chart)
    await this.known().catch(() => undefined)
    return this.appointments.list(from, to)
  }

  /** Opens a chart, once, for what its visits are about. */
  readReasons(chart: ID): void {
    if (this.charts_.has(chart) || this.opening.has(chart)) return
    this.opening.add(chart)
    void this.open(chart, () => undefined).catch(() => undefined).finally(() => this.opening.delete(chart)) // if it says something of them, that is told
  }

  private readonly opening = new Set<ID>()

  // Charts.

  async charts(): Promise<readonly { chart: ID; owner: ID; name: string; purpose: Purpose; due: boolean; news: number; emergencies: readonly Emergency[] }[]> {
    const { charts } = await this.net.get<{ charts: WireChart[] }>('/api/charts')
    await this.known().catch(() => undefined)
    return Promise.all(charts.map(async (c) => {
      const general = c.locks.find((l) => l.compartment === 'general') ?? c.locks[0]
      const seen = ((await this.shelf.get('seen', `${this.self.person}/${c.chart}`)) as number | undefined) ?? 0
      const own = c.person === this.self.person
      return {
        chart: c.chart, owner: c.person, name: own ? this.self.name : (await this.nameOf(c.person)) || this.nameIn(c.chart), purpose: own ? 'self' as const : 'care' as const,
        due: c.locks.some((l) => l.due), news: Math.max(0, (general?.seq ?? 0) - seen), emergencies: await this.emergenciesOf(c.emergencies),
      }
    }))
  }

  /** Whose chart it is, as the chart says: who looks after someone has the name from nowhere else. It is opened for that once. */
  private nameIn(chart: ID): string {
    const opened = this.charts_.get(chart)?.open
    if (opened) return shownName(humanName(opened.patient?.['name']))
    if (!this.opening.has(chart)) {
      this.opening.add(chart)
      void this.open(chart, () => undefined).then(() => this.tell({ what: 'charts' }), () => undefined).finally(() => this.opening.delete(chart))
    }
    return ''
  }

  /** Opens a chart because someone wants to see it. Who it is not shared with asks for it all the same: the refusal belongs
   * on the record. */
  async look(chart: ID, progress: Progress): Promise<OpenChart> {
    const opened = await this.open(chart, progress)
    const locks = this.charts_.get(chart)?.wire.locks ?? []
    if (locks[0] && !locks.some((l) => l.readable)) {
      await this.net.get(`/api/locks/${locks[0].lock}`).catch((error: unknown) => { if (problemOf(error).code !== 'refused') throw error })
    }
    return opened
  }

  async open(chart: ID, progress: Progress): Promise<OpenChart> {
    this.reading.set(chart, (this.reading.get(chart) ?? 0) + 1)
    try {
      return await this.read(chart, ++this.turns, progress)
    } finally {
      const others = (this.reading.get(chart) ?? 1) - 1
      if (others > 0) this.reading.set(chart, others)
      else {
        this.reading.delete(chart)
        if (this.grown.delete(chart) && !this.ended) this.grew(chart)
      }
    }
  }

  private turns = 0

  private async read(chart: ID, turn: number, progress: Progress): Promise<OpenChart> {
    const taken = this.outbox.unreadOf(chart)
    const wire = await this.net.get<WireChart>(`/api/charts/${chart}`)
    const locks = new Map<Compartment, OpenLock>()
    const items: Item[] = []
    const troubles: Trouble[] = []
    await Promise.all(wire.locks.filter((l) => l.readable).map(async (l) => {
      const compartment = l.compartment as Compartment
      let open: OpenLock
      try {
        open = await this.locks.open(l.lock)
        if (open.chart !== chart || open.compartment !== compartment) throw new Bad('the lock is of another chart')
        await this.checkOwner(wire, open.epochs)
      } catch (error) {
        const p = problemOf(error)
        if (p.code !== 'tampered' && p.code !== 'internal') throw p
        troubles.push({ code: error instanceof NoKey ? 'no-key' : 'grant', lock: l.lock, detail: p.message })
        return
      }
      locks.set(compartment, open)
      const contents = await this.entries.read(open, (done, total) => progress('reading', done, total))
      for (const t of contents.troubles) troubles.push(t.author === undefined ? t : { ...t, authorName: await this.nameOf(t.author) })
      for (const e of contents.entries) items.push(await this.item(e, l.lock, compartment))
      if (this.entries.isSnapshotDue(l.lock, open.snapshot)) this.leaveSnapshot(l.lock)
    }))
    items.sort((a, b) => a.time.localeCompare(b.time) || a.seq - b.seq)
    const open: OpenChart = {
      chart, owner: wire.person, mine: wire.person === this.self.person, compartments: [...locks.keys()], items: [], troubles,
      writable: wire.locks.map((l) => l.compartment as Compartment), due: wire.locks.some((l) => l.due),
      emergencies: await this.emergenciesOf(wire.emergencies),
    }
    if (turn <= (this.forgotten.get(chart) ?? 0)) {
      await this.dropKept(wire.locks)
      throw new EngineProblem('missing', 'this browser no longer keeps the chart')
    }
    this.outbox.readBack(taken) // those that cannot be read back are not in the chart, and wait for nothing
    if (turn > (this.charts_.get(chart)?.turn ?? 0)) this.charts_.set(chart, { turn, wire, locks, open: { ...open, items } }) // else a newer reading was quicker
    return this.arrange(chart)
  }

  /** For the next reader, when there is time. All who read a lock come to this at once; chance says who is first. */
  private leaveSnapshot(lock: ID): void {
    if (this.snapshots.has(lock)) return
    this.snapshots.add(lock)
    const leave = async (): Promise<void> => {
      this.snapshots.delete(lock)
      if (!this.ended && this.net.online && this.entries.isSnapshotDue(lock)) await this.entries.leaveSnapshot(await this.locks.open(lock))
    }
    setTimeout(() => void leave().catch((error: unknown) => console.warn('snapshot:', problemOf(error).message)), snapshotDelay * (1 + Math.random()))
  }

  private readonly snapshots = new Set<ID>()

  private async item(e: Read, lock: ID, compartment: Compartment): Promise<Item> {
    return {
      entry: e.entry, lock, compartment, seq: e.seq, kind: e.kind, time: e.time, type: e.type, size: e.size, resources: e.resources, state: 'stored',
      author: { person: e.author, name: e.author === this.self.person ? this.self.name : await this.nameOf(e.author), roles: await this.entries.rolesOf(e.author) },
      ...(e.title && { title: e.title }), ...(e.filename && { filename: e.filename }), ...(e.amends && { amends: e.amends }), ...(e.retracts && { retracts: e.retracts }),
    }
  }

  /** Puts what waits behind what is stored, and ties amendments and retractions to what they are about. */
  private arrange(chart: ID): OpenChart {
    const c = this.charts_.get(chart) as Chart
    const stored = c.open.items.filter((i) => i.state === 'stored')
    const ids = new Set(stored.map((i) => i.entry))
    const waiting = this.outbox.of(chart).filter((w) => !ids.has(w.header.entry)).map((w) => this.waitingItem(w))
    const all = [...stored, ...waiting]
    const amendedBy = new Map<ID, ID>()
    const retractedBy = new Map<ID, ID>()
    const visits = new Map<string, Item>()
    for (const i of all) {
      // What is written of one visit follows itself, also by the front desk, who cannot read what was before.
      const visit = i.kind === 'appointment' && i.resources[0] ? fhir.readAppointment(i.resources[0])?.visit : undefined
      if (visit && (isStaff(i.author.roles) || i.author.person === c.open.owner)) {
        const before = visits.get(visit)
        if (before) amendedBy.set(before.entry, i.entry)
        visits.set(visit, i)
      }
    }
    for (const { versions, withdrawn } of versionsOf(all)) {
      const now = versions.at(-1) as Item
      for (const v of versions) {
        if (v !== now) amendedBy.set(v.entry, now.entry)
        if (withdrawn) retractedBy.set(v.entry, withdrawn.entry)
      }
    }
    const items = all.map((i): Item => {
      const { amendedBy: _a, retractedBy: _r, ...plain } = i
      const amended = amendedBy.get(i.entry)
      const retracted = retractedBy.get(i.entry)
      return { ...plain, ...(amended && { amendedBy: amended }), ...(retracted && { retractedBy: retracted }) }
    })
    for (const i of items) {
      const someone = i.kind === 'person' && i.author.person === c.open.owner ? fhir.readRelated(i.resources[0]) : undefined
      if (someone) this.introduced.set(someone.person, someone.name)
    }
    const patient = items.findLast((i) => i.kind === 'person' && i.resources[0]?.resourceType === 'Patient')?.resources[0]
      ?? items.flatMap((i) => i.resources).find((r) => r.resourceType === 'Patient')
    c.open = { ...c.open, items, ...(patient && { patient }) }
    this.appointments.look()
    return c.open
  }

  private waitingItem(w: Waiting): Item {
    const h = w.header
    return {
      entry: h.entry, lock: w.lock, compartment: w.compartment ?? 'general', seq: 0, kind: h.kind as EntryKind, time: h.time, type: h.type, size: h.size,
      author: { person: this.self.person, name: this.self.name, roles: this.roles }, resources: this.unsentRead.get(h.entry) ?? [], state: w.state,
      ...(h.title && { title: h.title }), ...(h.filename && { filename: h.filename }), ...(h.amends && { amends: h.amends }), ...(h.retracts && { retracts: h.retracts }),
      ...(w.problem && { problem: w.problem }),
    }
  }

  unsent(): readonly Unsent[] {
    return this.outbox.waiting.map(({ header, chart, state, problem }) => ({
      entry: header.entry, chart, kind: header.kind as EntryKind, time: header.time, state, ...(header.filename && { filename: header.filename }), ...(problem && { problem }),
    }))
  }

  private readonly unsentRead = new Map<ID, readonly Resource[]>()

  private waitingChanged(w: Waiting): void {
    if (this.charts_.has(w.chart)) {
      this.arrange(w.chart)
      this.tell({ what: 'chart', chart: w.chart })
    } else if (!this.reading.has(w.chart)) this.outbox.readBack(this.outbox.unreadOf(w.chart)) // nobody looks
    this.tell({ what: 'unsent' })
  }

  /** Drops what this browser keeps of a chart that was erased. */
  async forget(chart: ID): Promise<void> {
    const locks = this.charts_.get(chart)?.wire.locks ?? []
    this.forgotten.set(chart, this.turns)
    this.charts_.delete(chart)
    this.outbox.readBack(this.outbox.unreadOf(chart))
    this.wire.charts = (this.wire.charts ?? []).filter((c) => c !== chart)
    await this.dropKept(locks)
    await this.drafts.forget(`${chart}/`)
  }

  private readonly forgotten = new Map<ID, number>() // which reading had begun then: it must not bring the chart back

  private async dropKept(locks: readonly WireSummary[]): Promise<void> {
    for (const { lock } of locks) {
      this.entries.forget(lock)
      this.locks.forget(lock)
      await this.shelf.remove('cache', `${this.self.person}/${lock}`)
    }
  }

  opened(chart: ID): OpenChart | undefined { return this.charts_.get(chart)?.open }

  private async epochsFor(w: Waiting, fresh: boolean): Promise<readonly Statement<'ward/epoch/1'>[]> {
    const open = w.compartment && this.charts_.get(w.chart)?.locks.get(w.compartment)
    if (open && !fresh) return open.epochs
    return this.epochsOf(w.chart, w.lock)
  }

  private async epochsOf(chart: ID, lock: ID): Promise<readonly Statement<'ward/epoch/1'>[]> {
    const wire = await this.net.get<WireChart>(`/api/charts/${chart}`)
    const l = wire.locks.find((x) => x.lock === lock)
    if (!l) throw new EngineProblem('missing', 'this part of the chart is not yours to write to')
    const epochs = await checkEpochs(l.epochs, this.self.org, lock)
    await this.checkOwner(wire, epochs)
    return epochs
  }

  /** A lock of a chart is one that the chart's own person made: or else the server could have us seal to a key of its own. */
  private async checkOwner(wire: WireChart, epochs: readonly Statement<'ward/epoch/1'>[]): Promise<void> {
    const first = epochs[0] as Statement<'ward/epoch/1'>
    const keys = await this.people.signingKeys(wire.person)
    const { org, chart, author, verify } = first.body
    if (org !== this.self.org || chart !== wire.chart || author !== wire.person) throw new Bad('the lock is not of this chart')
    for (const key of keys) if (await checkSignatures(first, key, verify).then(() => true, () => false)) return
    throw new Bad("the lock was not made by the chart's own person")
  }

  private async lockFor(chart: ID, compartment: Compartment): Promise<ID> {
    const known = this.charts_.get(chart)?.wire ?? (await this.net.get<WireChart>(`/api/charts/${chart}`))
    const l = known.locks.find((x) => x.compartment === compartment)
    if (!l) throw new EngineProblem('refused', 'this part of the chart is not yours to write to')
    return l.lock
  }

  async write(chart: ID, compartment: Compartment, draft: Draft, from: readonly string[] = []): Promise<ID> {
    const lock = await this.lockFor(chart, compartment)
    const date = new Date().toISOString()
    const { person, name } = this.self
    const [kind, resource, more]: [EntryKind, Resource, { title?: string; amends?: string; retracts?: string }] =
      draft.kind === 'note' ? ['note', fhir.note(chart, person, name, date, draft.title, draft.text, draft.visit), { title: draft.title, ...(draft.amends && { amends: draft.amends }) }]
      : draft.kind === 'message' ? ['message', fhir.message(chart, person, name, date, draft.text, draft.inReplyTo), {}]
      : draft.kind === 'retraction' ? [draft.of, fhir.retraction(chart, person, name, date, draft.reason), { retracts: draft.retracts }]
      : [draft.kind, draft.resource, { ...(draft.amends && { amends: draft.amends }) }]
    const { body, sha256 } = await this.entries.pack(resource)
    const header = await this.entries.header(lock, kind, fhirType, { size: body.length, sha256 }, { encoding: 'gzip', ...more })
    this.unsentRead.set(header.entry, [resource])
    if (!this.entries.fitsInline(body.length)) {
      const seen = await this.entries.seen(lock)
      const id = await this.entries.upload(await this.epochsOf(chart, lock), seen, lock, new Blob([body]), kind, fhirType, { encoding: 'gzip', ...more }, () => undefined)
      await this.drafts.drop(from)
      return id
    }
    await this.outbox.add(chart, compartment, header, body, () => this.drafts.drop(from))
    void this.outbox.send().then(() => this.grew(chart))
    return header.entry
  }

  async addFile(chart: ID, compartment: Compartment, file: File, progress: Progress, signal?: AbortSignal): Promise<ID> {
    const lock = await this.lockFor(chart, compartment)
    const more = { filename: file.name, title: file.name }
    const type = file.type || 'application/octet-stream'
    if (this.entries.fitsInline(file.size)) {
      const body = new Uint8Array(await file.arrayBuffer())
      const header = await this.entries.header(lock, 'file', type, { size: body.length, sha256: await hash(body) }, more)
      await this.outbox.add(chart, compartment, header, body)
      await this.outbox.send()
      if (this.charts_.has(chart) && this.net.online) await this.open(chart, () => undefined)
      progress('sending', file.size, file.size)
      return header.entry
    }
    const id = await this.entries.upload(await this.epochsOf(chart, lock), await this.entries.seen(lock), lock, file, 'file', type, more, progress, signal)
    if (this.charts_.has(chart)) await this.open(chart, () => undefined)
    this.tell({ what: 'chart', chart })
    return id
  }

  async importFHIR(chart: ID, compartment: Compartment, file: File, progress: Progress): Promise<{ resources: number }> {
    const resources = fhir.resourcesOf(await file.text())
    if (!resources || resources.length === 0) throw new EngineProblem('not-fhir', 'this file holds no FHIR')
    const lock = await this.lockFor(chart, compartment)
    let epochs = await this.epochsOf(chart, lock)
    const seen = await this.entries.seen(lock)
    const groups: Resource[][] = []
    let size = Number.POSITIVE_INFINITY
    for (const r of resources) {
      const n = JSON.stringify(r).length
      if (size + n > importSize) {
        groups.push([])
        size = 0
      }
      ;(groups.at(-1) as Resource[]).push(r)
      size += n
    }
    let done = 0
    let batch: { header: ContentHeader; body: Bytes }[] = []
    const post = async (): Promise<void> => {
      const entries = await Promise.all(batch.map(({ header, body }) => this.entries.seal(epochs, seen, header, body)))
      await this.net.post(`/api/locks/${lock}/entries`, { entries })
    }
    const flush = async (): Promise<void> => {
      if (batch.length === 0) return
      await post().catch(async (error: unknown) => {
        if (problemOf(error).code !== 'conflict') throw error
        epochs = await this.epochsOf(chart, lock) // someone turned the lock in the meantime
        await post()
      })
      batch = []
    }
    for (const group of groups) {
      const { body, sha256 } = await this.entries.pack(fhir.bundle(group))
      const more = { encoding: 'gzip' as const, filename: file.name }
      if (this.entries.fitsInline(body.length)) {
        batch.push({ header: await this.entries.header(lock, 'record', fhirType, { size: body.length, sha256 }, more), body })
        if (batch.length === batchSize) await flush()
      } else {
        await flush()
        await this.entries.upload(epochs, seen, lock, new Blob([body]), 'record', fhirType, more, () => undefined)
      }
      done += group.length
      progress('sealing', done, resources.length)
    }
    await flush()
    if (this.charts_.has(chart)) await this.open(chart, () => undefined)
    this.tell({ what: 'chart', chart })
    return { resources: resources.length }
  }

  async file(chart: ID, entry: ID, progress: Progress): Promise<Blob> {
    const unsent = this.outbox.of(chart).find((w) => w.header.entry === entry)
    if (unsent) return new Blob([unb64(unsent.body)], { type: safeType(unsent.header.type) })
    const c = this.charts_.get(chart)
    const item = c?.open.items.find((i) => i.entry === entry)
    const lock = item && c?.locks.get(item.compartment)
    if (!item || !lock) throw new EngineProblem('missing', 'there is no such file')
    const read: Read = {
      entry, seq: item.seq, kind: item.kind, author: item.author.person, authorName: item.author.name, time: item.time, type: item.type, size: item.size, large: true, resources: [],
    }
    return this.entries.body(lock, read, progress)
  }

  markSeen(chart: ID): void {
    const c = this.charts_.get(chart)
    const seq = c?.locks.get('general')?.seq ?? c?.locks.values().next().value?.seq
    const most = Math.max(seq ?? 0, ...(c?.open.items.filter((i) => i.compartment === 'general').map((i) => i.seq) ?? []))
    void this.shelf.put('seen', `${this.self.person}/${chart}`, most)
  }

  async members(chart: ID): Promise<readonly Member[]> {
    const c = this.charts_.get(chart) ?? (await this.open(chart, () => undefined), this.charts_.get(chart) as Chart)
    await this.known().catch(() => undefined)
    const all: Member[] = []
    for (const [compartment, lock] of c.locks) {
      const { members } = await this.net.get<{ members: WireMember[] }>(`/api/locks/${lock.lock}/members`)
      for (const m of members) {
        const g = await this.locks.checkGrant(m.text, (await this.freshEpochs(lock)).epochs)
        const team = g.holder
        all.push({
          grant: g.grant, lock: lock.lock, compartment, purpose: g.purpose as Purpose, since: g.time, by: g.granter, byName: await this.nameOf(g.granter), state: m.state,
          name: g.person ? await this.nameOf(g.person) : team === this.clinic.clinicians ? 'clinicians' : team === this.clinic.emergency ? 'emergency' : '',
          ...(g.person && { person: g.person }), ...(team && { team }), ...(g.until && { until: g.until }), ...(m.ended && { ended: m.ended }),
        })
      }
    }
    await this.ledger.takenBack(chart, all)
    return all
  }

  private async freshEpochs(lock: OpenLock): Promise<OpenLock> { return lock.due ? this.locks.open(lock.lock) : lock }

  async share(chart: ID, to: { person: ID } | { team: ID }, compartments: readonly Compartment[], purpose: Purpose, until?: string, introduced?: Introduction): Promise<void> {
    await this.open(chart, () => undefined)
    if (introduced) await this.meet(chart, introduced)
    for (const compartment of compartments) {
      const lock = this.charts_.get(chart)?.locks.get(compartment)
      const key = lock?.keys.get(lock.epochs.length)
      if (!lock || !key) throw new EngineProblem('refused', 'you do not hold this part of the chart')
      const grant = await this.locks.makeGrant(key, 'person' in to ? to : { holder: to.team }, purpose, until)
      await this.net.post(`/api/locks/${lock.lock}/grants`, { grants: [grant] }).catch(async (error: unknown) => {
        const holds = (m: Member): boolean => m.lock === lock.lock && m.state === 'live' && m.purpose === purpose && m.until === until && ('person' in to ? m.person === to.person : m.team === to.team)
        if (problemOf(error).code !== 'conflict' || !(await this.members(chart)).some(holds)) throw error // else it is shared so already
      })
    }
    this.tell({ what: 'chart', chart })
  }

  /** Checks that the keys the server shows of someone are those they introduced themselves with, and writes into the chart who they are. */
  private async meet(chart: ID, i: Introduction): Promise<void> {
    this.people.forget(i.person)
    const known = await this.people.get(i.person)
    if (known.cards.every((c) => c.hash !== i.card)) throw new EngineProblem('tampered', 'the clinic shows other keys than those of the introduction')
    if (this.introduced.get(i.person) !== i.name) await this.write(chart, 'general', { kind: 'person', resource: fhir.relatedPerson(chart, i.person, i.name) })
  }

  /** People whom a patient introduced in their own chart, by name. */
  private readonly introduced = new Map<ID, string>()

  introduction(): string {
    return writeIntroduction(location.origin, { person: this.self.person, card: this.self.card, name: this.self.name })
  }

  async unshare(chart: ID, grants: readonly ID[]): Promise<void> {
    const members = await this.members(chart)
    for (const m of members.filter((m) => grants.includes(m.grant))) {
      await this.net.del(`/api/locks/${m.lock}/grants/${m.grant}`)
      await this.locks.took(m.lock, m.grant, m.person ?? m.team ?? '')
    }
    this.housekeep()
    await this.settled()
    await this.open(chart, () => undefined)
    this.tell({ what: 'chart', chart })
  }

  // Emergencies.

  async breakGlass(chart: ID, code: EmergencyCode, title: string, reason: string): Promise<void> {
    await this.lockFor(chart, 'general') // where the reason goes: what cannot be explained is not opened
    await this.net.post(`/api/charts/${chart}/break-glass`, { code })
    await this.write(chart, 'general', { kind: 'note', title, text: reason })
    await this.open(chart, () => undefined)
    this.tell({ what: 'chart', chart })
    this.tell({ what: 'charts' })
  }

  async endEmergency(chart: ID): Promise<void> {
    await this.net.del(`/api/charts/${chart}/break-glass`)
    await this.emergencyOver(chart)
  }

  /** When an hour is over, who broke the glass forgets the chart, and whoever holds it gives it a new key. */
  private async emergencyOver(chart: ID): Promise<void> {
    if (this.ended) return
    if (this.can(['clinician']) && this.charts_.get(chart)?.open.mine === false) {
      await this.outbox.send()
      await this.forget(chart)
      await this.open(chart, () => undefined).catch(() => undefined) // as far as it is shared with them anyway
    }
    this.tell({ what: 'chart', chart })
    this.tell({ what: 'charts' })
    this.housekeep()
  }

  private readonly emergencyTimers = new Map<ID, number>()

  private async emergenciesOf(all: readonly WireEmergency[] = []): Promise<readonly Emergency[]> {
    return Promise.all(all.map(async (e) => {
      const left = Date.parse(e.until) - Date.now()
      if (left > 0 && !this.emergencyTimers.has(e.chart)) {
        this.emergencyTimers.set(e.chart, window.setTimeout(() => {
          this.emergencyTimers.delete(e.chart)
          void this.emergencyOver(e.chart)
        }, left + 1000))
      }
      const seen = ((await this.shelf.get('seen', `${this.self.person}/${e.chart}/emergency`)) as string | undefined) ?? ''
      return { ...e, name: await this.nameOf(e.person), ownerName: await this.nameOf(e.owner), seen: e.began <= seen }
    }))
  }

  async listEmergencies(): Promise<readonly Emergency[]> {
    const { emergencies } = await this.net.get<{ emergencies: WireEmergency[] }>('/api/emergencies')
    return this.emergenciesOf(emergencies)
  }

  async markEmergenciesSeen(chart: ID): Promise<void> {
    await this.shelf.put('seen', `${this.self.person}/${chart}/emergency`, new Date().toISOString())
    const c = this.charts_.get(chart)
    if (c) c.open = { ...c.open, emergencies: c.open.emergencies.map((e) => ({ ...e, seen: true })) }
    this.tell({ what: 'chart', chart })
    this.tell({ what: 'charts' })
  }

  async looks(chart: ID, before?: ID): Promise<{ looks: readonly Look[]; more: boolean }> {
    const agreed = await this.ledger.agreedSize()
    const { events, more } = await this.net.get<{ events: WireEvent[]; more: boolean }>(`/api/charts/${chart}/looks${before ? `?before=${before}` : ''}`)
    await this.known().catch(() => undefined)
    for (const e of events) this.looked.set(e.event, e)
    const last = events.at(-1)
    const [from, to] = [more && last ? last.seq : 0, before ? Number(before) - 1 : Number.MAX_SAFE_INTEGER]
    this.compareAccesses(chart, before === undefined, agreed, events, from, to)
    await this.ledger.vanished(chart, events, from, to)
    const looks: Look[] = [] // their id is the oldest event in each, so that the next page begins after it
    for (const e of events) {
      const action = lookActions[e.action]
      if (!e.person || action === undefined) continue
      const last = looks.at(-1)
      const allowed = e.decision !== 'deny'
      if (last && last.person === e.person && last.action === action && last.allowed === allowed && last.time.slice(0, 13) === e.time.slice(0, 13)) {
        looks[looks.length - 1] = { ...last, id: String(e.seq), count: last.count + 1, events: [...last.events, e.event] }
        continue
      }
      looks.push({ id: String(e.seq), time: e.time, person: e.person, name: await this.nameOf(e.person), roles: e.roles ?? [], action, allowed, count: 1, events: [e.event] })
    }
    const oldest = events.at(-1)
    // A page of events that are nobody's looks says nothing: what is before it may.
    return looks.length === 0 && more && oldest ? this.looks(chart, String(oldest.seq)) : { looks, more }
  }

  /** What is hidden is an alarm. With the first page of a list all accesses are found, once, and each page is compared with them. */
  private compareAccesses(chart: ID | '', first: boolean, agreed: number, events: readonly WireEvent[], from: number, to: number): void {
    if (first) this.finding.set(chart, this.ledger.accesses(chart))
    void this.finding.get(chart)?.then((found) => (found ? this.ledger.unlisted(chart, agreed, events, from, to, isEvent) : undefined))
      .catch((error: unknown) => console.warn('accesses:', problemOf(error).message))
  }

  private readonly finding = new Map<ID | '', ReturnType<LedgerOf['accesses']>>()

  /** Events that were shown, as the server told them: their proofs must be of just these. */
  private readonly looked = new Map<ID, WireEvent>()

  async lookProofs(chart: ID, events: readonly ID[]): Promise<readonly Proof[]> {
    const shown = events.map((id) => this.looked.get(id)).filter((e): e is WireEvent => e !== undefined)
    return this.ledger.proofs(`/api/charts/${chart}/receipts`, 'event', shown.map((e) => ({ ref: e.event, time: e.time, written: e.time, says: (text) => isEvent(e, text) })))
  }

  async entryProof(chart: ID, entry: ID): Promise<Proof> {
    const item = this.charts_.get(chart)?.open.items.find((i) => i.entry === entry)
    if (!item || item.state !== 'stored') throw new EngineProblem('missing', 'there is no such entry')
    const [proof] = await this.ledger.proofs(`/api/locks/${item.lock}/receipts`, 'entry', [{ ref: entry, time: item.time, says: (text) => this.entries.isStatement(item.lock, item.seq, text) }])
    return proof as Proof
  }

  async record(after: number): Promise<{ events: readonly RecordEvent[]; more: boolean }> {
    const path = after === 0 ? '/api/record?newest=1' : `/api/record?before=${after}`
    const agreed = await this.ledger.agreedSize()
    const { events, more } = await this.net.get<{ events: WireEvent[]; more: boolean }>(path)
    const last = events.at(-1)
    this.compareAccesses('', after === 0, agreed, events, more && last ? last.seq : 0, after === 0 ? Number.MAX_SAFE_INTEGER : after - 1)
    await this.known().catch(() => undefined)
    return {
      more, events: await Promise.all(events.map(async (e) => ({
        seq: e.seq, time: e.time, roles: e.roles ?? [], action: e.action, decision: e.decision, policies: e.policies ?? [],
        ...(e.person && { person: e.person, name: await this.nameOf(e.person) }), ...(e.about && { about: e.about }), ...(e.outcome && { outcome: e.outcome }),
      }))),
    }
  }

  // The keyring.

  private async putKeyring(change: (k: Keyring) => Keyring, send: (sealed: { version: number; keyring: Uint8Array; recoveryKeyring: Uint8Array }) => Promise<void>): Promise<void> {
    const stored = await this.followKeyring()
    const changed = { ...change(this.keyring), version: stored + 1 } // what is stored may be older than this one, after a loss
    await send({ version: changed.version, keyring: await sealKeyring(changed), recoveryKeyring: await sealKeyringForCode(changed) })
    this.keyring = changed
    await this.repark(changed)
  }

  /** Takes up what another device of this person changed in the keyring: its second copy opens with the code that is in the first. */
  private async followKeyring(): Promise<number> {
    const stored = await this.net.get<{ version: number; recoveryKeyring: string }>('/api/keyring')
    if (stored.version <= this.keyring.version) return stored.version
    const code = this.keyring.recovery.code
    const read = await openKeyringByCode(code, unjson64(stored.recoveryKeyring)).catch(() => { throw new EngineProblem('stale-code', 'the keyring has another recovery code now') })
    if (read.person !== this.keyring.person || read.identity !== this.keyring.identity || read.signing !== this.keyring.signing || read.version !== stored.version) throw new Bad('the server keeps the keyring of other keys, or an older one')
    this.keyring = { ...read, version: stored.version, card: this.keyring.card }
    await this.repark(this.keyring)
    return stored.version
  }

  async myPasskeys(): Promise<readonly Passkey[]> {
    await this.followKeyring().catch(() => undefined) // their names may be older than another device's
    const { passkeys } = await this.net.get<{ passkeys: { passkey: string; created: string; used?: string; synced: boolean }[] }>('/api/passkeys')
    return passkeys.map((p) => ({ id: p.passkey, name: this.keyring.passkeys.find((k) => k.id === p.passkey)?.name ?? '', created: p.created, synced: p.synced, ...(p.used && { used: p.used }) }))
  }

  async addPasskey(name: string): Promise<void> {
    const options = await this.net.post<{ ceremony: string; publicKey: never }>('/api/passkeys/options', {})
    const made = await makePasskey(options.publicKey, this.self.name)
    const id = newID()
    const recipient = await recipientOf(made.identity)
    await this.putKeyring((k) => ({ ...k, passkeys: [...k.passkeys, { id, name, recipient }] }), (sealed) =>
      this.net.post('/api/passkeys', { ceremony: options.ceremony, credential: made.credential, passkey: id, ...sealed }))
  }

  renamePasskey(id: ID, name: string): Promise<void> {
    return this.putKeyring((k) => ({ ...k, passkeys: k.passkeys.map((p) => (p.id === id ? { ...p, name } : p)) }), (sealed) => this.net.put('/api/keyring', sealed))
  }

  removePasskey(id: ID): Promise<void> {
    return this.putKeyring((k) => ({ ...k, passkeys: k.passkeys.filter((p) => p.id !== id) }), (sealed) => this.net.del(`/api/passkeys/${id}`, sealed))
  }

  async newCode(): Promise<{ code: string }> {
    const code = newCode()
    const read = readCode(code)
    if (typeof read === 'string') throw new Bad('the recovery code does not read back')
    const proof = await recoveryProof(read.entropy)
    await this.putKeyring((k) => ({ ...k, recovery: { code } }), (sealed) =>
      this.net.put('/api/keyring', { ...sealed, recovery: { lookup: proof.lookup, tokenHash: proof.tokenHash } }))
    return { code }
  }

  /** Takes new keys: a card that the one before signs, and a keyring with a new code. What this person holds they grant to their new card. */
  async changeKeys(): Promise<{ code: string; keyring: Keyring }> {
    await this.outbox.send()
    await this.settled()
    const { net, self, browser } = this
    const held = await this.openAll()
    const seed = random(32)
    const signing = await signingKey(seed)
    const identity = await newLockIdentity()
    const recipient = await recipientOf(identity)
    const code = newCode()
    const read = readCode(code)
    if (typeof read === 'string') throw new Bad('the recovery code does not read back')
    const proof = await recoveryProof(read.entropy)
    const keyring = await again(async () => {
      const version = (await this.followKeyring()) + 1
      const { chain, member } = await this.people.again(self.person)
      if (!member.active || member.card !== self.card) throw new EngineProblem('refused', 'these keys are not the ones that count')
      const card = await write('ward/card/2', {
        ...placeAfter(chain.history, this.membership.roster), person: self.person, serial: member.serial + 1, before: member.card, recipientHash: await hash(recipient),
        signing: signing.public, time: now(),
      }, signing.sign, self.signing.sign)
      const made: Keyring = { ...this.keyring, signing: b64(seed), card: await hashOf(card), identity, recovery: { code }, version }
      const grants = await this.grantsToSelf(held, { ...self, identity, signing, card: made.card }, recipient)
      await net.post('/api/keys', {
        cardText: card.text, recipient, grants, browserText: (await certify(self.org, self.person, made.card, browser, signing)).text, version,
        keyring: await sealKeyring(made), recoveryKeyring: await sealKeyringForCode(made), recovery: { lookup: proof.lookup, tokenHash: proof.tokenHash },
      })
      return made
    })
    this.keyring = keyring
    await this.repark(keyring)
    return { code, keyring }
  }

  /** All locks that open to this person. */
  private async openAll(): Promise<readonly OpenLock[]> {
    const { locks } = await this.net.get<{ locks: WireSummary[] }>('/api/locks')
    const open: OpenLock[] = []
    for (const l of locks) {
      await this.locks.open(l.lock).then((o) => open.push(o), (error: unknown) => {
        if (passing.includes(problemOf(error).code)) throw error
        console.warn('a lock that stays with the keys before:', problemOf(error).message)
      })
    }
    return open
  }

  /** What this person holds, granted to their new card: sent with it, since of some of it nobody else has the keys. */
  private async grantsToSelf(held: readonly OpenLock[], me: Self, recipient: string): Promise<readonly { text: string; sealed: Uint8Array }[]> {
    const grants: { text: string; sealed: Uint8Array }[] = []
    for (const lock of held) {
      const key = lock.keys.get(lock.epochs.length)
      if (!key) continue
      const { members } = await this.net.get<{ members: WireMember[] }>(`/api/locks/${lock.lock}/members`)
      for (const m of members.filter((one) => one.state === 'live')) {
        const g = await this.locks.checkGrant(m.text, lock.epochs)
        if (g.person === me.person && g.card !== me.card && g.epoch === lock.epochs.length) grants.push(await makeGrant(me, key, { person: me.person, card: me.card }, recipient, g.purpose as Purpose, g.until))
      }
    }
    return grants
  }

  /** Ends what goes on by itself. */
  stop(): void {
    this.ended = true
    clearTimeout(this.rechecking)
    this.matters.stop()
  }

  /** For the export: what the keyring of this person is, and the parts of charts that they hold. */
  exportParts(): { self: Self; net: Net; locks: Locks; people: People; unjson: typeof unjson64 } {
    return { self: this.self, net: this.net, locks: this.locks, people: this.people, unjson: unjson64 }
  }

  async checkCardOf(person: ID): Promise<string> { return (await this.people.get(person)).current.hash }

  latestEpoch(chart: ID, compartment: Compartment): number {
    const lock = this.charts_.get(chart)?.locks.get(compartment)
    return lock ? latest(lock.epochs).epoch : 0
  }
}

const lineOf = ({ history, texts }: Chain): Line => ({ label: history.chain, texts })

/**
 * To whom nothing can be sealed now, since the ledger does not answer or their history does not hold, waits, and nobody else: a
 * card that no app could read once kept all who joined after it from being let in, and every lock from being rotated.
 */
const notNow = (person: ID) => (error: unknown): undefined => {
  const { code, message } = problemOf(error)
  if (!['tampered', 'missing', 'refused', 'withheld', 'conflict'].includes(code)) throw error
  console.warn(`left out, ${person}:`, message)
}

const kindOf = (roles: readonly Role[]): 'Patient' | 'Practitioner' | 'Person' => (roles.includes('patient') ? 'Patient' : isStaff(roles) ? 'Practitioner' : 'Person')

/** A name and what commits to it: the current one of who has one, opened if that is known, or a new one. */
async function nameFor(name: string, current: string | undefined, salt: string | undefined): Promise<{ called: Called; name: string }> {
  if (current) {
    const opens = salt !== undefined && (await nameHash(unb64(salt), name)) === current
    return { called: { name, salt: opens ? salt : '' }, name: current }
  }
  const made = b64(random(32))
  return { called: { name, salt: made }, name: await nameHash(unb64(made), name) }
}

/** What commits to a name with a salt that somebody wrote; nothing if it is no salt. */
async function saltedName(salt: string, name: string): Promise<string | undefined> {
  try {
    return await nameHash(unb64(salt), name)
  } catch (error) {
    if (!(error instanceof Bad)) throw error
    return undefined
  }
}

/** Someone whose history was not read: nobody is staff by the server's word. */
function unread({ roles, state }: WirePerson): Pick<Person, 'roles' | 'state'> {
  return isStaff(roles) ? { roles, state: state === 'ended' ? 'ended' : 'pending' } : { roles, state }
}

/** Whether a leaf's text is the event that was shown. */
function isEvent(e: WireEvent, text: string): boolean {
  const said = JSON.parse(text) as WireEvent
  const fields = ['event', 'seq', 'time', 'person', 'action', 'about', 'chart', 'decision', 'outcome', 'count'] as const
  return fields.every((f) => said[f] === e[f]) && JSON.stringify(said.roles ?? []) === JSON.stringify(e.roles ?? []) && JSON.stringify(said.policies ?? []) === JSON.stringify(e.policies ?? [])
}

/** What a person wrote before a reload, as it is shown while it waits. */
async function draftOf(w: Waiting): Promise<readonly Resource[]> {
  if (w.header.type !== fhirType) return []
  const body = unb64(w.body)
  return fhir.resourcesOf(text(w.header.encoding === 'gzip' ? await gunzip(body) : body)) ?? []
}

const passing: readonly string[] = ['offline', 'unavailable', 'too_many']

/** A list of the clinic that nobody shared yet is empty; one that did not arrive is not: whoever was told "nobody is booked" would believe it. */
function notShared(error: unknown): readonly Read[] {
  if (passing.includes(problemOf(error).code)) throw error
  return []
}

/** Actions of the record that a patient is told of, as the words name them. */
const lookActions: Readonly<Record<string, string>> = {
  readLock: 'opened', readEntries: 'opened', writeEntry: 'wrote', grant: 'shared', revoke: 'unshared', turnLock: 'turned', breakGlass: 'broke-glass', endEmergency: 'ended-emergency', 'emergency-over': 'emergency-over', eraseChart: 'erased',
  findChart: 'found', readMembers: 'members', invited: 'invited', joined: 'joined',
}

