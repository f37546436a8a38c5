// What the call asks of the server at a visit's door: the same for who is signed in (visit.ts) and for a guest (guest.ts).

import { unjson64 } from '../seal/bytes.ts'
import { checkSignatures, parse, type Admission, type Statement } from '../seal/statements.ts'
import type { Circle } from '../visit/credential.ts'
import type { Page, RoomPass } from '../visit/door.ts'
import type { Net } from './net.ts'
import type { ID } from './types.ts'
import type { WireVisitMember, WireVisitMessages, WireVisitRoom } from './wire.ts'

export class VisitCalls {
  readonly visit: ID
  protected readonly net: Net
  protected readonly path: string

  constructor(net: Net, visit: ID) {
    this.net = net
    this.visit = visit
    this.path = `/api/visits/${visit}`
  }

  leave(): Promise<void> { return this.net.post(`${this.path}/leave`, {}) }

  async messages(after: number, withGroup: boolean): Promise<Page> {
    const page = await this.net.get<WireVisitMessages>(`${this.path}/messages?after=${after}${withGroup ? '&group=1' : ''}`)
    return {
      messages: page.messages.map((m) => ({ ...m, body: unjson64(m.body) })), more: page.more, epoch: page.epoch,
      groupInfo: page.groupInfo ? unjson64(page.groupInfo) : undefined,
    }
  }

  async post(body: Uint8Array, groupInfo?: Uint8Array, again = false): Promise<{ seq: number; epoch: number }> {
    const page = await this.net.post<WireVisitMessages>(`${this.path}/messages`, { body, ...(groupInfo && { groupInfo }), ...(again && { again }) })
    return { seq: page.messages[0]?.seq ?? 0, epoch: page.epoch }
  }

  async room(): Promise<RoomPass> {
    const room = await this.net.post<WireVisitRoom>(`${this.path}/room`, {})
    const url = new URL(room.url, location.origin)
    url.protocol = url.protocol.replace('http', 'ws')
    return { url: url.href, token: room.token, relays: room.outside ? undefined : room.relays ?? [] }
  }
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
