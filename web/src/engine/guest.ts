// Guests of a visit (docs/formats.md): the link that someone of the visit makes, what the host reads at the door, and a
// guest's own browser, which has no account, no card and no chart: a key that was made for this visit, and a link.

import { Bad, hash, newIdentity, newID, random, recipientOf, unjson64, type Bytes, type SigningKey } from '../seal/bytes.ts'
import {
  linkKey, openHello, openName, openNamesKey, openWelcome, readGuestLink, sealHello, sealWelcome, writeGuestLink,
  type GuestLink, type GuestRole, type Hello, type MemberName, type Place, type Welcome,
} from '../seal/guests.ts'
import { typedName } from '../seal/names.ts'
import { checkSignatures, hashOf, parse, write } from '../seal/statements.ts'
import type { Circle } from '../visit/credential.ts'
import type { Caller, Door, Visit } from '../visit/door.ts'
import type { Me as Leaf } from '../visit/group.ts'
import type { Self } from './locks.ts'
import { browserKey, Net } from './net.ts'
import { KnownOut } from './out.ts'
import type { People } from './people.ts'
import { EngineProblem, problemOf } from './problem.ts'
import { kept, openShelf, type Shelf } from './shelf.ts'
import type { ID } from './types.ts'
import { admissionBy, VisitCalls } from './visitcalls.ts'
import type { WireCards, WireGuestHost, WireGuestOpened, WireGuestSession, WireMembership, WireVisit, WireVisitGuest, WireVisitMember } from './wire.ts'

export type { GuestRole } from '../seal/guests.ts'

// Making a link, and reading who came with it.

interface Maker { readonly net: Net; readonly people: People; readonly self: Self; readonly browser: SigningKey; nameOf(person: ID): Promise<string> }

/** Makes a link for a guest of a visit. It is shown once: its secret is kept nowhere. */
export async function makeGuestLink(maker: Maker, visit: ID, as: GuestRole): Promise<{ readonly link: string; readonly guest: ID }> {
  const { host } = await maker.net.get<WireVisit>(`/api/visits/${visit}`)
  const link: GuestLink = { guest: newID(), secret: random(16) }
  const { org, person } = maker.self
  maker.people.forget(host)
  const welcome = await sealWelcome(link.secret, {
    org, visit, member: link.guest, host, card: (await maker.people.get(host)).current.hash, hostName: await maker.nameOf(host), inviter: person, from: maker.self.name, as,
  })
  const statement = await write('ward/guest/1', { org, visit, guest: link.guest, link: (await linkKey(link.secret)).public, inviter: person, time: new Date().toISOString() }, maker.browser.sign)
  await maker.net.post(`/api/visits/${visit}/guests`, { guestText: statement.text, welcome })
  return { link: writeGuestLink(location.origin, link), guest: link.guest }
}

/** A guest at the door, as the host reads them: with a link that someone of the visit made, and nobody else could have used. */
export interface GuestAtDoor extends Hello { readonly key: string; readonly inviter: ID }

/** Reads who came with a link. What is not signed by who made the link and by who used it is refused. */
export async function readGuest(host: Pick<Maker, 'people' | 'self'>, visit: ID, w: WireVisitGuest): Promise<GuestAtDoor> {
  const link = await parse('ward/guest/1', w.guestText)
  const arrival = await parse('ward/arrival/1', w.arrivalText ?? '')
  const { org } = host.self
  const [l, a] = [link.body, arrival.body]
  if (l.org !== org || l.visit !== visit || a.org !== org || a.visit !== visit || a.guest !== l.guest) throw new Bad('the arrival is with a link of another visit')
  if (!(await signedByBrowserOf(host.people, l.inviter, link))) throw new Bad('nobody of this visit made the link')
  await checkSignatures(arrival, l.link, a.key)
  const hello = unjson64(w.hello ?? '')
  if ((await hash(hello)) !== a.sha256) throw new Bad('the name is not the one that the guest signed')
  return { ...(await openHello(host.self.identity, hello, { org, visit, member: l.guest })), key: a.key, inviter: l.inviter }
}

async function signedByBrowserOf(people: People, person: ID, s: Parameters<typeof checkSignatures>[0]): Promise<boolean> {
  for (const turn of [0, 1]) {
    if (turn === 1) people.forget(person) // a browser that is new
    for (const key of (await people.get(person)).browsers.keys()) if (await checkSignatures(s, key).then(() => true, () => false)) return true
  }
  return false
}

/** What the host said that a member is called; undefined if it is not known. */
export async function nameOfMember(circle: Circle, hostBrowsers: Iterable<string>, key: Bytes | undefined, m: WireVisitMember): Promise<(MemberName & { readonly role: string }) | undefined> {
  if (!key || m.name === undefined) return undefined
  const admission = await admissionBy(circle, hostBrowsers, m)
  const sealed = unjson64(m.name)
  if (!admission || (await hash(sealed)) !== admission.body.called) return undefined
  const place: Place = { org: circle.org, visit: circle.visit, member: m.member }
  return openName(key, place, sealed).then((n) => ({ ...n, role: admission.body.role }), () => undefined)
}

// A guest's own browser.

/** What a link says, once it is opened. */
export interface GuestInvitation {
  readonly visit: ID
  readonly clinic: string
  readonly from: string            // who invites
  readonly hostName: string        // the clinician whose visit it is
  readonly as: GuestRole
  readonly starts: string
  readonly ends: string
  readonly late: number
  readonly used: boolean           // by this browser, who may come back, or by somebody else, who alone may
  readonly mine: boolean
  readonly name: string            // under which this browser came before
  readonly removed: boolean        // taken out: the link opens nothing any more
  /** Comes to the door under a name, which only the clinician can read until they let the guest in. */
  arrive(name: string): Promise<Door>
}

/** Opens a guest's link. Rejects with a Problem: missing, gone (used up, withdrawn, over), or tampered. */
export async function openGuestLink(link: string): Promise<GuestInvitation> {
  try {
    return await open(link)
  } catch (error) {
    throw problemOf(error)
  }
}

/** What this browser keeps of having come, beside its key. */
interface Seat { readonly name: string; readonly identity: string }

/** Forgets the name and the keys that this browser came with: they were for one visit, and others may use the browser. */
async function forgetSeat(shelf: Shelf, guest: ID): Promise<void> {
  for (const name of [`guest/${guest}`, `guest-seat/${guest}`]) await shelf.remove('keys', name)
}

async function open(text: string): Promise<GuestInvitation> {
  let link: GuestLink
  try {
    link = readGuestLink(text)
  } catch {
    throw new EngineProblem('bad-link', 'this is not a whole link')
  }
  const shelf = await openShelf()
  const seat = (await shelf.get('keys', `guest-seat/${link.guest}`)) as Seat | undefined
  const plain = new Net({ public: '', sign: () => Promise.reject(new Bad('nobody signs here')) }, () => undefined, () => undefined)
  const opened = await lookAt(plain, link.guest).catch(async (error: unknown) => {
    if (['gone', 'missing'].includes(problemOf(error).code)) await forgetSeat(shelf, link.guest) // it is of no use any more
    throw error
  })
  const welcome = await openWelcome(link, unjson64(opened.welcome))
  if (welcome.org !== opened.org.org || welcome.visit !== opened.visit.visit || welcome.host !== opened.visit.host) throw new Bad('the server shows another visit than the link')
  const host = await HostKeys.of(welcome, opened.host)
  return {
    visit: welcome.visit, clinic: opened.org.name, from: welcome.from, hostName: welcome.hostName, as: welcome.as, starts: opened.visit.starts, ends: opened.visit.ends,
    late: opened.visit.late ?? 0, used: opened.used, mine: seat !== undefined, name: seat?.name ?? '',
    removed: opened.visit.me === 'removed',
    arrive: (name) => arrive(shelf, link, welcome, host, typedName(name)).catch((error: unknown) => { throw problemOf(error) }),
  }
}

const lookAt = (net: Net, guest: ID): Promise<WireGuestOpened> => net.post<WireGuestOpened>(`/api/guests/${guest}/open`, {}, 'none')

/** The host's card, which the link names, and the browsers that it certifies. */
class HostKeys {
  browsers: ReadonlySet<string>

  private constructor(private readonly card: NamedCard, readonly recipient: string, browsers: ReadonlySet<string>) {
    this.browsers = browsers
  }

  static async of(welcome: Welcome, host: WireGuestHost): Promise<HostKeys> {
    const card = await cardOf(welcome.org, welcome.host, host.cardText)
    if (host.person !== welcome.host || card.hash !== welcome.card) throw new Bad("the clinician's keys are not those that the link names")
    if ((await hash(host.recipient)) !== card.recipientHash) throw new Bad('what is sealed to the clinician would go to somebody else')
    return new HostKeys(card, host.recipient, await certified(card, host.browsers))
  }

  async refresh(wire: WireCards): Promise<void> { this.browsers = await certified(this.card, wire.browsers) }
}

/** A card whose place in the clinic's history nobody looked at: it counts if the link or the host's admission names it. */
interface NamedCard { readonly org: string; readonly person: string; readonly hash: string; readonly serial: number; readonly signing: string; readonly recipientHash: string }

async function cardOf(org: string, person: string, text: string): Promise<NamedCard> {
  const s = await parse('ward/card/2', text)
  if (s.body.org !== org || s.body.person !== person) throw new Bad('the card is of someone else')
  return { org, person, hash: await hashOf(s), serial: s.body.serial, signing: s.body.signing, recipientHash: s.body.recipientHash }
}

/** The browsers that a card certifies. */
async function certified(card: NamedCard, certificates: readonly string[]): Promise<ReadonlySet<string>> {
  const browsers = new Set<string>()
  for (const text of certificates) {
    const b = await parse('ward/browser/1', text)
    if (b.body.org === card.org && b.body.person === card.person && b.body.card === card.hash && (await checkSignatures(b, card.signing).then(() => true, () => false))) browsers.add(b.body.key)
  }
  return browsers
}

/** The newest card of a person among statements, of those whose recipients the server shows: others wait, or were refused. */
async function newestCard(org: string, wire: WireCards, statements: readonly string[]): Promise<NamedCard | undefined> {
  const shown = new Set(await Promise.all(wire.recipients.map((r) => hash(r))))
  let newest: NamedCard | undefined
  for (const text of statements) {
    if (!text.startsWith('ward/card/2\n') || !text.includes(wire.person)) continue
    const card = await cardOf(org, wire.person, text).catch(() => undefined)
    if (card && shown.has(card.recipientHash) && card.serial > (newest?.serial ?? 0)) newest = card
  }
  return newest
}

async function arrive(shelf: Shelf, link: GuestLink, welcome: Welcome, host: HostKeys, name: string): Promise<GuestDoor> {
  const pair = await kept(shelf, `guest/${link.guest}`, () => crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify']) as Promise<CryptoKeyPair>)
  const key = await browserKey(pair)
  const seat = (await shelf.get('keys', `guest-seat/${link.guest}`)) as Seat | undefined
  const identity = seat?.identity ?? (await newIdentity())
  const place: Place = { org: welcome.org, visit: welcome.visit, member: link.guest }
  const hello = await sealHello(host.recipient, { ...place, name, as: welcome.as, recipient: await recipientOf(identity) })
  const statement = await write('ward/arrival/1', {
    org: place.org, visit: place.visit, guest: link.guest, key: key.public, time: new Date().toISOString(), sha256: await hash(hello),
  }, (await linkKey(link.secret)).sign, key.sign)
  const door = new GuestDoor(shelf, key, welcome, host, name, identity, { arrivalText: statement.text, hello }, await KnownOut.of(shelf, place.visit))
  await door.begin()
  await shelf.put('keys', `guest-seat/${link.guest}`, { name, identity } satisfies Seat)
  return door
}

/** How long to wait before listening again, in milliseconds. */
const listenPause = 2000

/** A guest at a visit's door. */
export class GuestDoor extends VisitCalls implements Door {
  readonly me: ID
  readonly isHost = false
  readonly isGuest = true
  readonly circle: Circle
  private readonly shelf: Shelf
  private readonly key: SigningKey
  private readonly welcome: Welcome
  private readonly host: HostKeys
  private readonly name: string
  private readonly identity: string
  private readonly watchers = new Set<(seq?: number) => void>()
  private known = new Map<ID, { hash: string; browsers: ReadonlySet<string> }>()
  private admission: { readonly text: string; readonly browser: string } | undefined
  private stopped = new AbortController()
  private readonly arrival: { readonly arrivalText: string; readonly hello: Bytes }
  private last: Visit | undefined

  constructor(shelf: Shelf, key: SigningKey, welcome: Welcome, host: HostKeys, name: string, identity: string, arrival: { readonly arrivalText: string; readonly hello: Bytes }, out: KnownOut) {
    super(new Net(key, () => this.tell(), () => this.tell()), welcome.visit)
    this.shelf = shelf
    this.key = key
    this.welcome = welcome
    this.host = host
    this.name = name
    this.identity = identity
    this.arrival = arrival
    this.me = welcome.member
    // Nobody is known here beforehand: people count by the card that the host's admission names, which checkMember compares.
    this.circle = {
      org: welcome.org, visit: welcome.visit, host: welcome.host, out,
      hasBrowser: async (person, browser) => (await this.personOf(person, (p) => p.browsers.has(browser)))?.browsers.has(browser) ?? false,
      card: async (person) => person === welcome.host ? welcome.card : (await this.personOf(person, () => true))?.hash ?? '',
      now: () => Date.now(),
    }
  }

  /** Begins the guest's session, or begins it again. */
  async begin(): Promise<void> {
    const session = await this.net.post<WireGuestSession>(`/api/guests/${this.me}/arrive`, this.arrival, 'browser')
    if (session.visit !== this.visit || session.guest !== this.me) throw new Bad('the server began another visit')
    this.net.token = session.token
  }

  async look(withGroup?: boolean): Promise<Visit> {
    try {
      this.last = await this.ask(withGroup)
    } catch (error) {
      if (problemOf(error).code !== 'unauthenticated' || !this.last) throw error
      this.last = await this.ended(this.last)
    }
    if (this.last.me === 'removed' || this.last.state === 'ended' || this.last.state === 'cancelled') await this.forget()
    return this.last
  }

  /** My session ended: because I was taken out, because the visit is over, or by itself. */
  private async ended(last: Visit): Promise<Visit> {
    try {
      const { visit } = await lookAt(this.net, this.me)
      if (visit.me === 'removed') return { ...last, me: 'removed' }
      await this.begin()
      return await this.ask()
    } catch (error) {
      const { code } = problemOf(error)
      if (code === 'gone' || code === 'missing') return { ...last, state: 'ended' }
      throw error
    }
  }

  override async leave(): Promise<void> {
    await super.leave()
    this.stopped.abort()
  }

  /** Forgets this visit's keys: the link opens nothing any more in this browser. */
  async forget(): Promise<void> {
    this.stopped.abort()
    await forgetSeat(this.shelf, this.me)
  }

  inviteGuest(): Promise<never> { return Promise.reject(new EngineProblem('refused', 'guests invite nobody')) }
  withdrawGuest(): Promise<void> { return Promise.reject(new EngineProblem('refused', 'guests invite nobody')) }
  admit(): Promise<void> { return Promise.reject(new EngineProblem('refused', 'only the clinician lets people in')) }
  remove(): Promise<void> { return Promise.reject(new EngineProblem('refused', 'only the clinician takes people out')) }
  late(): Promise<void> { return Promise.reject(new EngineProblem('refused', 'only the clinician says that they are late')) }
  end(): Promise<void> { return Promise.reject(new EngineProblem('refused', 'only the clinician ends a visit')) }

  async leaf(): Promise<Leaf> {
    if (!this.admission) throw new EngineProblem('refused', 'nobody let me in yet')
    return { person: this.me, browser: this.key.public, sign: this.key.sign as Leaf['sign'], admission: this.admission }
  }

  /** A guest knows people by what the host's admissions name, and asks only for whom they never saw. */
  expect(): void { /* nothing to ask for */ }

  watch(on: (seq?: number) => void): () => void {
    this.watchers.add(on)
    if (this.watchers.size === 1) void this.listen()
    return () => {
      this.watchers.delete(on)
      if (this.watchers.size === 0) this.stopped.abort()
    }
  }

  private tell(seq?: number): void { for (const on of [...this.watchers]) on(seq) }

  private async listen(): Promise<void> {
    const stop = (this.stopped = new AbortController())
    while (!stop.signal.aborted) {
      try {
        for await (const n of this.net.notices(stop.signal, () => this.tell())) this.tell(n.seq)
      } catch (error) {
        if (stop.signal.aborted) return
        if (problemOf(error).code === 'unauthenticated') { // taken out, or over
          this.tell()
          return
        }
      }
      await new Promise((resolve) => setTimeout(resolve, listenPause))
    }
  }

  /** A person of the visit, from the server; again if they are not as they should be, since they may be new. */
  private async personOf(person: ID, isRight: (p: { browsers: ReadonlySet<string> }) => boolean): Promise<{ hash: string; browsers: ReadonlySet<string> } | undefined> {
    const find = (): { hash: string; browsers: ReadonlySet<string> } | undefined =>
      person === this.welcome.host ? { hash: this.welcome.card, browsers: this.host.browsers } : this.known.get(person)
    const found = find()
    if (found && isRight(found)) return found
    const { people } = await this.net.get<{ people: WireCards[] }>(`${this.path}/people`)
    for (const wire of people) {
      if (wire.person === this.welcome.host) {
        await this.host.refresh(wire)
        continue
      }
      const card = await newestCard(this.welcome.org, wire, wire.thread ?? (await this.readRoster()))
      if (card) this.known.set(wire.person, { hash: card.hash, browsers: await certified(card, wire.browsers) })
    }
    return find()
  }

  private roster: Promise<readonly string[]> = Promise.resolve([])

  /** What was stated of those who work for the clinic, read on: their cards are among it. */
  private readRoster(): Promise<readonly string[]> {
    const before = this.roster
    this.roster = before.then(async (known) => {
      const all = [...known]
      for (let more = true; more;) {
        const page = await this.net.get<WireMembership>(`/api/membership?after=${all.length}`)
        all.push(...page.statements)
        more = page.more && page.statements.length > 0
      }
      return all
    })
    this.roster.catch(() => { this.roster = before })
    return this.roster
  }

  protected async read(wire: WireVisit): Promise<Visit> {
    const w = this.welcome
    if (wire.host !== w.host) throw new Bad('the visit has another clinician than the link names')
    const mine = wire.members?.find((m) => m.member === this.me && m.state === 'admitted')
    if (mine) await this.admitted(mine)
    const key = wire.names ? await openNamesKey(this.identity, unjson64(wire.names), { org: w.org, visit: w.visit, member: this.me }).catch(() => undefined) : undefined
    const callers = await Promise.all((wire.members ?? []).map(async (m): Promise<Caller> => {
      const isHost = m.member === w.host
      const named = isHost ? undefined : await nameOfMember(this.circle, this.host.browsers, key, m)
      const role = isHost ? 'clinician' : (named?.role ?? (m.member === wire.patient ? 'patient' : 'guest')) as Caller['role']
      return {
        member: m.member, state: m.state, since: m.since, name: isHost ? w.hostName : m.member === this.me ? this.name : named?.name ?? '', role,
        ...(role === 'guest' && { guest: m.member === this.me ? { as: w.as, by: w.inviter, byName: w.from } : { as: named?.as ?? 'other', by: named?.inviter ?? '', byName: named?.by ?? '' } }),
      }
    }))
    return {
      visit: wire.visit, chart: '', host: w.host, hostName: w.hostName, patient: wire.patient, patientName: callers.find((c) => c.member === wire.patient)?.name ?? '',
      starts: wire.starts, ends: wire.ends, state: wire.state, late: wire.late ?? 0, me: wire.me ?? '', epoch: wire.epoch, seq: wire.seq, callers,
    }
  }

  private async admitted(mine: WireVisitMember): Promise<void> {
    let found = await admissionBy(this.circle, this.host.browsers, mine)
    if (!found) {
      await this.personOf(this.welcome.host, () => false)
      found = await admissionBy(this.circle, this.host.browsers, mine)
    }
    if (!found || found.body.guest !== this.key.public) throw new Bad("my admission is not signed by the clinician's browser")
    this.admission = { text: found.statement.text, browser: found.browser }
  }
}

