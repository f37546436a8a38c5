// A visit's door: what the call asks of the server and of what is known of people. Who is signed in comes by their
// session (engine/visit.ts); a guest comes with the key that their link let them make (engine/guest.ts). The call itself
// (call.ts) is the same for both.

import type { ID, Role } from '../engine/types.ts'
import type { GuestRole } from '../seal/guests.ts'
import type { Circle } from './credential.ts'
import type { Me as Leaf } from './group.ts'

export type VisitState = 'booked' | 'open' | 'ended' | 'cancelled'

/** How a guest came: as an interpreter, family, …; and who invited them. */
export interface GuestOf {
  readonly as: GuestRole
  readonly by: ID
  readonly byName: string
  readonly like?: string           // somebody else here, for whose name theirs would be taken
  readonly odd?: true              // the name breaks the rule of names
}

/** Someone who came to the door. */
export interface Caller {
  readonly member: ID
  readonly state: 'waiting' | 'admitted' | 'left' | 'removed'
  readonly since: string
  readonly name: string            // '' if it is not known here
  readonly role: Role | 'guest'
  readonly guest?: GuestOf
}

/** A visit as its people see it. */
export interface Visit {
  readonly visit: ID
  readonly chart: ID
  readonly host: ID
  readonly hostName: string
  readonly patient: ID
  readonly patientName: string
  readonly starts: string
  readonly ends: string
  readonly state: VisitState
  readonly late: number            // minutes, as the host says
  readonly me: '' | Caller['state']
  readonly epoch: number           // of the group, -1 before there is one
  readonly seq: number             // of the group's last message
  readonly callers: readonly Caller[] // for its host all who came; for who was admitted those who were
  readonly links?: readonly Link[] // for guests: for its host all, for others those that they made
  readonly group?: Uint8Array      // its state, for who was let in and asked for it
}

/** A link for a guest. */
export interface Link { readonly guest: ID; readonly by: ID; readonly state: 'open' | 'used' | 'withdrawn' }

/** What the group said, in order. */
export interface Posted { readonly seq: number; readonly epoch: number; readonly kind: 'commit' | 'application' | 'group'; readonly sender: ID; readonly body: Uint8Array }

export interface Page { readonly messages: readonly Posted[]; readonly more: boolean }

/** How to send media: the media server's address, a token for a short time, and Ward's own relays; undefined if an outside
 * media server names its own. */
export interface RoomPass { readonly url: string; readonly token: string; readonly relays: readonly RTCIceServer[] | undefined }

/** What someone who was let in needs to be in the visit, all of one moment; the group's state if there is a group. What
 * the visit says of people takes a moment to check, and the way of the media need not wait for it. */
export interface Entry { readonly visit: Promise<Visit>; readonly pass: RoomPass; readonly group: Uint8Array | undefined }

/** All that rejects does so with a Problem. */
export interface Door {
  readonly visit: ID
  readonly me: ID                  // as a member of the visit
  readonly isHost: boolean
  readonly isGuest: boolean        // came by a link, with no part in the chart; this browser may still be somebody's
  readonly isLetIn: boolean        // to a visit that is open, as the server last said
  readonly circle: Circle
  /** Whether watch calls back now, as soon as something changes. */
  readonly isTold: boolean
  /** What my leaf of the group says of me, with the admission if there is one. */
  leaf(): Promise<Leaf>
  look(withGroup?: boolean): Promise<Visit>
  /** Comes to the door, or comes back. The host opens the visit by it. */
  arrive(): Promise<Visit>
  /** The way in, for who was let in. */
  enter(): Promise<Entry>
  leave(): Promise<void>
  /** Makes a link for a guest, to pass on; only for the host, the patient and their proxies. It is shown once. */
  inviteGuest(as: GuestRole): Promise<{ readonly link: string; readonly guest: ID }>
  /** Closes a link that nobody used yet. */
  withdrawGuest(guest: ID): Promise<void>
  /** Only for the host. */
  admit(who: Caller): Promise<void>
  remove(member: ID): Promise<void>
  late(minutes: number): Promise<void>
  end(): Promise<void>
  messages(after: number): Promise<Page>
  /** Again: the host's new group in the place of a spoiled one. */
  post(body: Uint8Array, groupInfo?: Uint8Array, again?: boolean): Promise<{ readonly seq: number; readonly epoch: number }>
  /** The way of the media again, after it was lost. */
  room(): Promise<RoomPass>
  /** Asks ahead, in the background, for what checking these members will need: it need not wait for what they said. */
  expect(members: readonly Caller[]): void
  /** Calls back when something about this visit changed, with the last message if it is known, until the returned function
   * is called. */
  watch(on: (seq?: number) => void): () => void
}
