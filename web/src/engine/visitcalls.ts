// What the call asks of the server at a visit's door: the same for who is signed in (visit.ts) and for a guest (guest.ts).

import { unjson64 } from '../seal/bytes.ts'
import { checkSignatures, parse, type Admission, type Statement } from '../seal/statements.ts'
import type { Circle } from '../visit/credential.ts'
import { shownVisit } from '../visit/called.ts'
import type { Entry, Page, RoomPass, Visit } from '../visit/door.ts'
import type { Net } from './net.ts'
import type { ID } from './types.ts'
import type { WireVisit, WireVisitEntry, WireVisitMember, WireVisitMessages, WireVisitRoom } from './wire.ts'

export abstract class VisitCalls {
  readonly visit: ID
  protected readonly net: Net
  protected readonly path: string
  isLetIn = false

  constructor(net: Net, visit: ID) {
    this.net = net
    this.visit = visit
    this.path = `/api/visits/${visit}`
  }

  get isTold(): boolean { return this.net.hearing }

  leave(): Promise<void> { return this.net.post(`${this.path}/leave`, {}) }

  async messages(after: number): Promise<Page> {
    const page = await this.net.get<WireVisitMessages>(`${this.path}/messages?after=${after}`)
    return { messages: page.messages.map((m) => ({ ...m, body: unjson64(m.body) })), more: page.more }
  }

  async post(body: Uint8Array, groupInfo?: Uint8Array, again = false): Promise<{ seq: number; epoch: number }> {
    const page = await this.net.post<WireVisitMessages>(`${this.path}/messages`, { body, ...(groupInfo && { groupInfo }), ...(again && { again }) })
    return { seq: page.messages[0]?.seq ?? 0, epoch: page.epoch }
  }

  async room(): Promise<RoomPass> { return passOf(await this.net.post<WireVisitRoom>(`${this.path}/room`, {})) }

  async enter(): Promise<Entry> {
    const { visit: wire, room } = await this.net.post<WireVisitEntry>(`${this.path}/enter`, {})
    const visit = this.note(wire)
    visit.catch(() => undefined) // whoever waits for it hears
    return { visit, pass: passOf(room), group: groupOf(wire) }
  }

  async arrive(): Promise<Visit> { return this.note(await this.net.post<WireVisit>(`${this.path}/arrive`, {})) }

  /** What the server says of the visit now. */
  protected async ask(withGroup = false): Promise<Visit> { return this.note(await this.net.get<WireVisit>(`${this.path}${withGroup ? '?group=1' : ''}`)) }

  protected async note(wire: WireVisit): Promise<Visit> {
    this.isLetIn = wire.state === 'open' && wire.me === 'admitted'
    const group = groupOf(wire)
    return { ...shownVisit(await this.read(wire)), ...(group && { group }) }
  }

  protected abstract read(wire: WireVisit): Promise<Visit>
}

const groupOf = (wire: WireVisit): Uint8Array | undefined => (wire.groupInfo ? unjson64(wire.groupInfo) : undefined)

function passOf(room: WireVisitRoom): RoomPass {
  const url = new URL(room.url, location.origin)
  url.protocol = url.protocol.replace('http', 'ws')
  return { url: url.href, token: room.token, relays: room.outside ? undefined : room.relays ?? [] }
}

/** An admission by the host to this visit, and the browser that signed it; undefined if it is none. */
export async function admissionBy(
  circle: Circle, hostBrowsers: Iterable<string>, m: Pick<WireVisitMember, 'member' | 'admissionText'>,
): Promise<{ readonly statement: Statement<'ward/admission/1'>; readonly body: Admission; readonly browser: string } | undefined> {
  const statement = await parse('ward/admission/1', m.admissionText ?? '').catch(() => undefined)
  if (!statement) return undefined
  const { body } = statement
  if (body.org !== circle.org || body.visit !== circle.visit || body.member !== m.member || body.admitter !== circle.host) return undefined
  for (const browser of hostBrowsers) if (await checkSignatures(statement, browser).then(() => true, () => false)) return { statement, body, browser }
  return undefined
}
