// Who holds a lock's key and which of its next keys counts, from what people signed: the rules of package locks, held to
// the same answers by testdata/vectors/locks. No key, no clock, no network.

import type { Role } from '../engine/types.ts'

/** A person by their card, or a lock by its epoch, with the terms on which they hold a lock. */
export interface Member {
  readonly person?: string; readonly card?: string
  readonly holder?: string; readonly holderEpoch?: number
  readonly purpose: string; readonly until?: string
}

/** Where an author stood: the seq of the membership history they had read, and the time of the newest agreed block. */
export interface Place { readonly roll: number; readonly time: string }

/** What others signed, at a place. Roles stay known of who is not active any more. */
export interface Facts {
  person(id: string, at: Place): { readonly card: string; readonly roles: readonly Role[]; readonly active: boolean }
  /** The newest epoch of a lock. */
  epoch(lock: string, at: Place): number
  /** Whether a lock, such as a team, names the person. */
  holds(lock: string, person: string, at: Place): boolean
}

/** A try at a lock's next epoch, as it states itself. */
export interface Try { readonly number: number; readonly author: string; readonly at: Place; readonly members: readonly Member[] }

/** Where a lock stands: its newest epoch that counts, and what was signed since. */
export interface Standing {
  readonly kind: string
  readonly epoch: Try
  /** By grants of this epoch. */
  readonly added: readonly Member[]
  /** Ids of persons and locks that left or were taken off. */
  readonly left: readonly string[]
}

/** What is wrong with a try in plain view, for whoever holds no key, too. */
export type Fault = 'other number' | 'no member' | 'not due' | 'other list' | 'tried before'

const nameOf = (m: Member): string => m.person ?? m.holder ?? ''

/** Those of the epoch and those added since; who was added again has the newer terms. */
const members = (l: Standing): readonly Member[] =>
  l.added.reduce<readonly Member[]>((all, m) => [...all.filter((o) => nameOf(o) !== nameOf(m)), m], l.epoch.members)

const isOne = (roles: readonly Role[], ...of: readonly Role[]): boolean => of.some((r) => roles.includes(r))
const isStaffRole = (r: Role): boolean => r !== 'patient' && r !== 'proxy'

function mayHold(kind: string, roles: readonly Role[]): boolean {
  switch (kind) {
    case 'team': case 'emergency': return roles.includes('clinician')
    case 'directory': return isOne(roles, 'clinician', 'frontdesk', 'security', 'privacy')
    case 'chart': return isOne(roles, 'patient', 'proxy', 'clinician')
  }
  return roles.length > 0
}

/** The list of staff and the directory have many members, whom one request each would cost dear. */
const mayTurn = (kind: string, roles: readonly Role[]): boolean => (kind !== 'staff' && kind !== 'directory') || isOne(roles, 'clinician', 'admin')

function remains(l: Standing, m: Member, at: Place, facts: Facts): boolean {
  if (l.left.includes(nameOf(m)) || (m.until !== undefined && m.until <= at.time)) return false
  if (m.holder !== undefined) return true
  const p = facts.person(m.person as string, at)
  return p.active && mayHold(l.kind, p.roles)
}

/** Whether the lock needs its next epoch. */
export function isDue(l: Standing, at: Place, facts: Facts): boolean {
  return members(l).some((m) => {
    if (m.holder !== undefined) return !remains(l, m, at, facts) || facts.epoch(m.holder, at) > (m.holderEpoch as number)
    const p = facts.person(m.person as string, at)
    // Names of staff are no secret from who was a patient yesterday, and patients are many.
    if (l.kind === 'staff' && !p.roles.some(isStaffRole)) return false
    return !remains(l, m, at, facts) || p.card !== m.card
  })
}

/** Whom the next epoch names: those who remain, by the card and epoch that are theirs now. */
export function nextMembers(l: Standing, at: Place, facts: Facts): readonly Member[] {
  return members(l).filter((m) => remains(l, m, at, facts))
    .map((m) => (m.holder !== undefined ? { ...m, holderEpoch: facts.epoch(m.holder, at) } : { ...m, card: facts.person(m.person as string, at).card }))
    .sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)) // by bytes: they are ids
}

const same = (a: Member, b: Member): boolean =>
  a.person === b.person && a.card === b.card && a.holder === b.holder && a.holderEpoch === b.holderEpoch && a.purpose === b.purpose && a.until === b.until

/** Judges a try at the next epoch after the earlier ones, at the place that it names. */
export function faultsOf(l: Standing, e: Try, earlier: readonly Try[], facts: Facts): readonly Fault[] {
  const list = nextMembers(l, e.at, facts)
  const { roles } = facts.person(e.author, e.at)
  const isMember = list.some((m) => m.person === e.author || (m.holder !== undefined && facts.holds(m.holder, e.author, e.at)))
  const faults: Fault[] = []
  if (e.number !== l.epoch.number + 1 || e.at.roll < l.epoch.at.roll || e.at.time < l.epoch.at.time) faults.push('other number')
  if (!isMember || !mayTurn(l.kind, roles)) faults.push('no member')
  if (!isDue(l, e.at, facts)) faults.push('not due')
  if (e.members.length !== list.length || !list.every((m, i) => same(m, e.members[i] as Member))) faults.push('other list')
  if (earlier.some((o) => o.number === e.number && o.author === e.author)) faults.push('tried before')
  return faults
}

/** Finds, of the tries at the next epoch in the order of the chain, the one that counts: the first without faults that is sound, which who holds its key finds out by recomputing it. -1 if there is none. */
export function follow(l: Standing, tries: readonly Try[], facts: Facts, sound: (i: number) => boolean): number {
  return tries.findIndex((e, i) => faultsOf(l, e, tries.slice(0, i), facts).length === 0 && sound(i))
}
