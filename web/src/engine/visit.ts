// The door of a visit for who is signed in: their browser's key signs for them, and what they know of others is their
// cards (visit/door.ts says what the call asks for).

import { unjson64, type SigningKey } from '../seal/bytes.ts'
import { checkSignatures, parse, write } from '../seal/statements.ts'
import type { Circle } from '../visit/credential.ts'
import type { Caller, Door, Page, RoomPass, Visit } from '../visit/door.ts'
import type { Me as Leaf } from '../visit/group.ts'
import type { Self } from './locks.ts'
import type { Net } from './net.ts'
import type { People } from './people.ts'
import { EngineProblem } from './problem.ts'
import type { ID, Role } from './types.ts'
import type { WireVisit, WireVisitMessages, WireVisitRoom } from './wire.ts'

/** How long an admission is good for after it was given, in milliseconds: the server ends a visit before. */
const admissionLife = 24 * 3_600_000

/** What a session lends to the door. */
export interface Lent {
  readonly net: Net
  readonly people: People
  readonly self: Self
  readonly browser: SigningKey
  nameOf(person: ID): Promise<string>
  watch(visit: ID, on: () => void): () => void
}

export class SessionDoor implements Door {
  readonly visit: ID
  readonly me: ID
  readonly circle: Circle
  private readonly lent: Lent
  private admission = ''

  private constructor(lent: Lent, wire: WireVisit) {
    this.lent = lent
    this.visit = wire.visit
    this.me = lent.self.person
    const { people } = lent
    this.circle = {
      org: lent.self.org, visit: wire.visit, host: wire.host,
      hasBrowser: (person, key) => people.hasBrowser(person, key),
      card: async (person) => {
        people.forget(person) // the latest, not the one that was known an hour ago
        return (await people.get(person)).current.hash
      },
      now: () => Date.now(),
    }
  }

  static async at(lent: Lent, visit: ID): Promise<SessionDoor> {
    return new SessionDoor(lent, await lent.net.get<WireVisit>(`/api/visits/${visit}`))
  }

  get isHost(): boolean { return this.circle.host === this.me }

  private get path(): string { return `/api/visits/${this.visit}` }

  async look(): Promise<Visit> { return this.read(await this.lent.net.get<WireVisit>(this.path)) }
  async arrive(): Promise<Visit> {
    await this.lent.net.post<WireVisit>(`${this.path}/arrive`, {})
    return this.look() // which tells who else is there
  }
  leave(): Promise<void> { return this.lent.net.post(`${this.path}/leave`, {}) }
  end(): Promise<void> { return this.lent.net.post(`${this.path}/end`, {}) }
  late(minutes: number): Promise<void> { return this.lent.net.put(this.path, { late: minutes }) }
  remove(member: ID): Promise<void> { return this.lent.net.del(`${this.path}/members/${member}`) }

  async admit(who: Caller): Promise<void> {
    const time = new Date()
    const s = await write('ward/admission/1', {
      org: this.circle.org, visit: this.visit, member: who.member, role: who.role, admitter: this.me, time: time.toISOString(),
      until: new Date(time.getTime() + admissionLife).toISOString(),
    }, this.lent.browser.sign)
    await this.lent.net.post(`${this.path}/admit`, { admissionText: s.text })
  }

  async messages(after: number, withGroup: boolean): Promise<Page> {
    const page = await this.lent.net.get<WireVisitMessages>(`${this.path}/messages?after=${after}${withGroup ? '&group=1' : ''}`)
    return {
      messages: page.messages.map((m) => ({ ...m, body: unjson64(m.body) })), more: page.more, epoch: page.epoch,
      groupInfo: page.groupInfo ? unjson64(page.groupInfo) : undefined,
    }
  }

  async post(body: Uint8Array, groupInfo?: Uint8Array, again = false): Promise<{ seq: number; epoch: number }> {
    const page = await this.lent.net.post<WireVisitMessages>(`${this.path}/messages`, { body, ...(groupInfo && { groupInfo }), ...(again && { again }) })
    return { seq: page.messages[0]?.seq ?? 0, epoch: page.epoch }
  }

  async room(): Promise<RoomPass> {
    const room = await this.lent.net.post<WireVisitRoom>(`${this.path}/room`, {})
    const url = new URL(room.url, location.origin)
    url.protocol = url.protocol.replace('http', 'ws')
    return { url: url.href, token: room.token, relays: room.relays ?? [] }
  }

  watch(on: () => void): () => void { return this.lent.watch(this.visit, on) }

  async leaf(): Promise<Leaf> {
    const { self, browser } = this.lent
    const admission = this.isHost ? undefined : await this.admitted()
    return { person: self.person, card: self.card, browser: browser.public, sign: browser.sign, ...(admission && { admission }) }
  }

  /** My admission, and the browser of the host's that signed it. */
  private async admitted(): Promise<{ text: string; browser: string }> {
    if (this.admission === '') throw new EngineProblem('refused', 'nobody let me in yet')
    const s = await parse('ward/admission/1', this.admission)
    for (const turn of [0, 1]) {
      if (turn === 1) this.lent.people.forget(this.circle.host) // a browser that is new
      for (const key of (await this.lent.people.get(this.circle.host)).browsers.keys()) {
        if (await checkSignatures(s, key).then(() => true, () => false)) return { text: s.text, browser: key }
      }
    }
    throw new EngineProblem('tampered', "my admission is not signed by the clinician's browser")
  }

  private async read(wire: WireVisit): Promise<Visit> {
    this.admission = wire.members?.find((m) => m.member === this.me)?.admissionText ?? this.admission
    const { nameOf } = this.lent
    const callers = await Promise.all((wire.members ?? []).map(async (m): Promise<Caller> => ({
      member: m.member, state: m.state, since: m.since, name: await nameOf(m.member), role: await this.roleOf(m.member, wire),
    })))
    return {
      visit: wire.visit, chart: wire.chart, host: wire.host, hostName: await nameOf(wire.host), patient: wire.patient, patientName: await nameOf(wire.patient),
      starts: wire.starts, ends: wire.ends, state: wire.state, late: wire.late ?? 0, me: wire.me ?? '', epoch: wire.epoch, seq: wire.seq, callers,
    }
  }

  private async roleOf(member: ID, wire: WireVisit): Promise<Role> {
    if (member === wire.host) return 'clinician'
    if (member === wire.patient) return 'patient'
    return (await this.lent.people.get(member)).roles.includes('proxy') ? 'proxy' : 'clinician'
  }
}
