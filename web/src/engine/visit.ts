// The door of a visit for who is signed in: their browser's key signs for them, and what they know of others is their
// cards (visit/door.ts says what the call asks for).

import { hash, unjson64, type Bytes, type SigningKey } from '../seal/bytes.ts'
import { namesKey, openNamesKey, sealName, sealNamesKey } from '../seal/guests.ts'
import { maxName } from '../seal/names.ts'
import { parse, write } from '../seal/statements.ts'
import type { Circle } from '../visit/credential.ts'
import type { Caller, Door, Entry, Link, Visit } from '../visit/door.ts'
import type { Me as Leaf } from '../visit/group.ts'
import { listOut } from '../visit/out.ts'
import { makeGuestLink, nameOfMember, readGuest, type GuestAtDoor, type GuestRole } from './guest.ts'
import type { Self } from './locks.ts'
import type { Net } from './net.ts'
import { KnownOut } from './out.ts'
import type { People } from './people.ts'
import { EngineProblem, problemOf } from './problem.ts'
import type { Shelf } from './shelf.ts'
import type { ID, Role } from './types.ts'
import { admissionBy, VisitCalls } from './visitcalls.ts'
import type { WireVisit, WireVisitGuest, WireVisitMember } from './wire.ts'

/** How long an admission is good for after it was given, in milliseconds: the server ends a visit before. */
const admissionLife = 24 * 3_600_000
/** For how long a card counts as the latest without asking again, in milliseconds: one change of the group is checked in
 * several steps, and each would wait for the server. */
const latestFor = 1000

/** What a session lends to the door. */
export interface Lent {
  readonly net: Net
  readonly people: People
  readonly self: Self
  readonly browser: SigningKey
  readonly shelf: Shelf
  nameOf(person: ID): Promise<string>
  watch(visit: ID, on: (seq?: number) => void): () => void
}

export class SessionDoor extends VisitCalls implements Door {
  readonly isGuest = false
  readonly me: ID
  readonly circle: Circle
  private readonly lent: Lent
  private admission: WireVisitMember | undefined
  private arrived = new Map<ID, GuestAtDoor>() // guests who came, as the host reads them

  private readonly latest = new Map<ID, { readonly at: number; readonly hash: Promise<string> }>()

  private constructor(lent: Lent, wire: WireVisit, out: KnownOut) {
    super(lent.net, wire.visit)
    this.lent = lent
    this.me = lent.self.person
    this.isLetIn = wire.state === 'open' && wire.me === 'admitted'
    const { people } = lent
    this.circle = {
      org: lent.self.org, visit: wire.visit, host: wire.host, out,
      hasBrowser: (person, key) => people.hasBrowser(person, key),
      card: (person) => this.latestCard(person),
      now: () => Date.now(),
    }
  }

  /** The hash of a person's latest card: not of one that was known an hour ago. What my own leaf says of me others check. */
  private latestCard(person: ID): Promise<string> {
    if (person === this.me) return Promise.resolve(this.lent.self.card)
    const known = this.latest.get(person)
    if (known && Date.now() - known.at < latestFor) return known.hash
    const hash = this.lent.people.again(person).then((p) => p.current.hash)
    this.latest.set(person, { at: Date.now(), hash })
    hash.catch(() => this.latest.delete(person))
    return hash
  }

  static async at(lent: Lent, visit: ID): Promise<SessionDoor> {
    const [wire, out] = await Promise.all([lent.net.get<WireVisit>(`/api/visits/${visit}`), KnownOut.of(lent.shelf, visit)])
    return new SessionDoor(lent, wire, out)
  }

  get isHost(): boolean { return this.circle.host === this.me }

  look(withGroup?: boolean): Promise<Visit> { return this.ask(withGroup) }
  override enter(): Promise<Entry> {
    const entry = super.enter()
    if (!this.isHost) this.latestCard(this.circle.host).catch(() => undefined) // asked for meanwhile: who comes in checks the host
    return entry
  }
  expect(members: readonly Caller[]): void {
    for (const m of members) if (m.role !== 'guest') this.latestCard(m.member).catch(() => undefined) // whoever checks them asks again
  }
  end(): Promise<void> { return this.net.post(`${this.path}/end`, {}) }
  late(minutes: number): Promise<void> { return this.net.put(this.path, { late: minutes }) }
  remove(member: ID): Promise<void> { return this.net.del(`${this.path}/members/${member}`) }

  async admit(who: Caller): Promise<void> {
    const { people, self, browser, net } = this.lent
    const time = new Date()
    const { out } = this.circle
    const guest = this.arrived.get(who.member)
    if (who.role === 'guest' && !guest) throw new EngineProblem('missing', 'this guest is not at the door')
    const card = guest ? undefined : (await people.toSealTo(who.member)).current
    const place = { org: this.circle.org, visit: this.visit, member: who.member }
    const key = await namesKey(self.identity, this.visit)
    const called = guest ? { name: guest.name, as: guest.as, inviter: guest.inviter, by: await this.lent.nameOf(guest.inviter) } : who.name === '' ? undefined : { name: who.name.slice(0, maxName) }
    const name = called && (await sealName(key, place, called))
    const s = await write('ward/admission/1', {
      ...place, ...(guest ? { guest: guest.key } : { card: card?.hash }), ...(name && { called: await hash(name) }), ...(out.members.size > 0 && { out: listOut(out.members) }), role: who.role, admitter: this.me,
      time: time.toISOString(), until: new Date(time.getTime() + admissionLife).toISOString(),
    }, browser.sign)
    const names = await sealNamesKey(guest?.recipient ?? card?.recipient ?? '', place, key)
    await net.post(`${this.path}/admit`, { admissionText: s.text, ...(name && { name }), names })
  }

  /** A link for a guest; as: what they come as. */
  inviteGuest(as: GuestRole): Promise<{ readonly link: string; readonly guest: ID }> { return makeGuestLink(this.lent, this.visit, as) }
  /** Closes a link that nobody used yet. */
  withdrawGuest(guest: ID): Promise<void> { return this.net.del(`${this.path}/guests/${guest}`) }

  watch(on: (seq?: number) => void): () => void { return this.lent.watch(this.visit, on) }

  async leaf(): Promise<Leaf> {
    const { self, browser } = this.lent
    const admission = this.isHost ? undefined : await this.admitted()
    return { person: self.person, card: self.card, browser: browser.public, sign: browser.sign, ...(admission && { admission }) }
  }

  /** My admission, and the browser of the host's that signed it. */
  private async admitted(): Promise<{ text: string; browser: string }> {
    if (!this.admission) throw new EngineProblem('refused', 'nobody let me in yet')
    for (const turn of [0, 1]) {
      if (turn === 1) this.lent.people.forget(this.circle.host) // a browser that is new
      const found = await admissionBy(this.circle, await this.hostBrowsers(), this.admission)
      if (found) return { text: found.statement.text, browser: found.browser }
    }
    throw new EngineProblem('tampered', "my admission is not signed by the clinician's browser")
  }

  private async hostBrowsers(): Promise<Iterable<string>> { return (await this.lent.people.get(this.circle.host)).browsers.keys() }

  protected async read(wire: WireVisit): Promise<Visit> {
    this.admission = wire.members?.find((m) => m.member === this.me && m.admissionText) ?? this.admission
    const links = await Promise.all((wire.guests ?? []).map((g) => this.readLink(wire, g)))
    const key = await this.namesKey(wire)
    const { nameOf } = this.lent
    const callers = await Promise.all((wire.members ?? []).map((m) => this.callerOf(wire, m, key)))
    return {
      visit: wire.visit, chart: wire.chart, host: wire.host, hostName: await nameOf(wire.host), patient: wire.patient, patientName: await nameOf(wire.patient),
      starts: wire.starts, ends: wire.ends, state: wire.state, late: wire.late ?? 0, me: wire.me ?? '', epoch: wire.epoch, seq: wire.seq, callers,
      ...((await this.mayInvite(wire)) && { links: links.filter((l) => l !== undefined) }),
    }
  }

  private async mayInvite(wire: WireVisit): Promise<boolean> {
    return wire.host === this.me || wire.patient === this.me || (await this.lent.people.get(this.me)).roles.includes('proxy')
  }

  private async callerOf(wire: WireVisit, m: WireVisitMember, key: Bytes | undefined): Promise<Caller> {
    const { nameOf } = this.lent
    const seen = { member: m.member, state: m.state, since: m.since }
    const guest = this.arrived.get(m.member)
    if (guest) return { ...seen, name: guest.name, role: 'guest', guest: { as: guest.as, by: guest.inviter, byName: await nameOf(guest.inviter) } }
    const named = m.member === wire.host ? undefined : await nameOfMember(this.circle, await this.hostBrowsers(), key, m)
    if (named?.role === 'guest') return { ...seen, name: named.name, role: 'guest', guest: { as: named.as ?? 'other', by: named.inviter ?? '', byName: named.by ?? '' } }
    const isGuest = m.admissionText !== undefined && (await parse('ward/admission/1', m.admissionText).then((s) => s.body.role === 'guest', () => false))
    if (isGuest || this.links.has(m.member)) return { ...seen, name: '', role: 'guest' }
    return { ...seen, name: (await nameOf(m.member)) || (named?.name ?? ''), role: await this.roleOf(m.member, wire) }
  }

  /** What came with a link, for the host; whoever made it sees how it stands. */
  private async readLink(wire: WireVisit, g: WireVisitGuest): Promise<Link | undefined> {
    const link = await parse('ward/guest/1', g.guestText).catch(() => undefined)
    if (!link || link.body.visit !== this.visit) return undefined
    const { guest, inviter } = link.body
    this.links.add(guest)
    if (wire.host === this.me && g.state === 'used') {
      const mayInvite = inviter === wire.host || inviter === wire.patient || (await this.roleOf(inviter, wire)) === 'proxy'
      const found = mayInvite && await readGuest(this.lent, this.visit, g).catch((error: unknown) => { console.warn('a guest who is not shown by name:', problemOf(error).message) })
      if (found) this.arrived.set(guest, found)
      else this.arrived.delete(guest)
    }
    return { guest, by: inviter, state: g.state }
  }

  private readonly links = new Set<ID>()

  private opened: { readonly names: string; readonly key: Promise<Bytes | undefined> } | undefined // takes a while to open

  private async namesKey(wire: WireVisit): Promise<Bytes | undefined> {
    const { self } = this.lent
    if (wire.host === this.me) return namesKey(self.identity, this.visit)
    if (wire.names === undefined) return undefined
    if (wire.names === this.opened?.names) return this.opened.key
    const key = openNamesKey(self.identity, unjson64(wire.names), { org: self.org, visit: this.visit, member: this.me }).catch(() => undefined)
    this.opened = { names: wire.names, key }
    return key
  }

  private async roleOf(member: ID, wire: WireVisit): Promise<Role> {
    if (member === wire.host) return 'clinician'
    if (member === wire.patient) return 'patient'
    const known = await this.lent.people.get(member).catch(() => undefined) // someone who the server made up is no reason to see nobody
    return known?.roles.includes('clinician') ? 'clinician' : 'proxy'
  }
}
