// What waits for a second person or for time, in the histories of who is who (membership.ts), and what this person may state of it.

import { now } from '../seal/bytes.ts'
import type { Pending } from '../seal/membership.ts'
import { roles as allRoles, rolesOf, type Place } from '../seal/statements.ts'
import type { Self } from './locks.ts'
import type { Authored, Chain, Own } from './membership.ts'
import type { Net } from './net.ts'
import type { People } from './people.ts'
import { EngineProblem, problemOf } from './problem.ts'
import type { HistoryAlarm, How, ID, MembershipState, NewKeysAlarm, PendingMatter, Person, Role } from './types.ts'

const types: Readonly<Record<Pending['type'], PendingMatter['type']>> = {
  'ward/card/2': 'card', 'ward/roles/1': 'roles', 'ward/deactivate/1': 'deactivate', 'ward/reinstate/1': 'reinstate', 'ward/rules/1': 'rules',
}

/** The longest time that a timer takes, in ms. */
const longest = 2 ** 31 - 1

export class Matters {
  private timer: ReturnType<typeof setTimeout> | undefined

  /** due is called when the time of a veto is over. */
  constructor(
    private readonly net: Pick<Net, 'post'>, private readonly people: People, private readonly self: Self, private readonly changed: () => void, private readonly due: () => void,
  ) {}

  private get membership(): People['membership'] { return this.people.membership }

  /** Reads the threads in which something may wait, and one's own. Whose thread does not read keeps nobody else's from it. */
  async read(others: Iterable<ID>): Promise<void> {
    await this.membership.sync()
    for (const person of new Set([this.self.person, ...others])) {
      if (this.membership.roster.person(person)) continue
      await this.people.reread(person).catch((error: unknown) => {
        if (!['missing', 'tampered', 'conflict'].includes(problemOf(error).code)) throw error
      })
    }
  }

  /** What waits, as far as it was read. */
  state(): MembershipState {
    const { membership } = this
    const { roster } = membership
    const chains = [membership.chain, ...membership.read]
    const mine = this.mine()
    const time = now()
    return {
      pending: membership.waiting().map(({ chain, matter }) => this.matter(chain, matter)),
      alone: chains.flatMap((c) => c.history.at().filter((p) => p.active && p.alone).map((p) => p.person)),
      vetoHours: roster.vetoAt(roster.head.seq),
      undoable: chains.flatMap((chain) => chain.history.undoable.filter((u) => u.until > time).map((u) => ({
        what: u.what, person: u.person, by: u.by, at: u.time, until: u.until, roles: rolesOf(u.roles) ?? [], ended: chain.history.person(u.person)?.active === false,
        can: membership.may(chain, 'ward/reinstate/1', { what: u.what }, this.self),
      }))),
      ...(mine && { mine }),
      wrong: chains.flatMap((c): HistoryAlarm[] => (c.wrong ? [{ ...c.wrong, ...(c !== membership.chain && { person: c.history.chain }) }] : [])),
    }
  }

  private matter(chain: Chain, m: Pending): PendingMatter {
    const { what } = m
    const may = <T extends Authored>(type: T, own: Own<T>): boolean => this.membership.may(chain, type, own, this.self)
    return {
      what, type: m.lost ? 'card-after-loss' : types[m.type], person: m.person ?? m.author, author: m.author, at: m.at, needs: m.needs.map((list) => list.split(' ') as Role[]),
      ...(m.from && { from: m.from }), ...(m.roles !== undefined && { roles: rolesOf(m.roles) ?? [] }), ...(m.veto !== undefined && { vetoHours: m.veto }),
      can: {
        confirm: may('ward/confirm/1', { what, how: 'met' }), veto: m.lost && may('ward/veto/1', { what }), complete: m.lost && may('ward/complete/1', { what }),
      },
    }
  }

  /** Keys in one's own name that this device does not hold. */
  private mine(): NewKeysAlarm | undefined {
    const { person, card } = this.self
    const chain = this.membership.chainOf(person)
    const member = chain?.history.person(person)
    if (!chain || !member) return undefined
    const waits = chain.history.pending.find((m) => m.lost && m.person === person)
    if (waits?.what === card) return undefined // these are the new ones
    if (waits) return { kind: 'waiting', by: waits.author, at: waits.at, what: waits.what, ...(waits.from && { from: waits.from }) }
    if (member.card !== card) {
      const made = chain.told.cards.get(member.card)
      return { kind: 'replaced', by: (made?.invitation !== undefined && chain.history.inviterBy(made.invitation)) || person, at: made?.time ?? '', what: member.card }
    }
    const invite = chain.history.invitations.find((i) => i.recover && i.person === person && i.until > now())
    return invite && { kind: 'invited', by: invite.by, at: invite.time, what: invite.what }
  }

  /** What the history says of someone, for a list; nothing if it was not read. */
  about(person: ID): Pick<Person, 'roles' | 'state' | 'alone' | 'keysSince' | 'keysBy'> | undefined {
    const chain = this.membership.chainOf(person)
    const member = chain?.history.person(person)
    if (!chain || !member) return undefined
    const { card } = member
    return {
      roles: rolesOf(member.roles) ?? [], state: member.active ? 'active' : 'ended',
      ...(member.active && member.alone && { alone: { what: card, can: this.membership.may(chain, 'ward/confirm/1', { what: card, how: 'met' }, this.self) } }),
      ...(member.serial > 1 && { keysSince: timeOf(chain.texts[member.since - 1]), keysBy: (chain.told.confirmed.get(card) ?? []).map((c) => c.by) }),
    }
  }

  // What this person states.

  confirm(person: ID, what: string, how: How): Promise<void> { return this.say(person, 'ward/confirm/1', { what, how }) }
  veto(person: ID, what: string): Promise<void> { return this.say(person, 'ward/veto/1', { what }) }
  complete(person: ID, what: string): Promise<void> { return this.say(person, 'ward/complete/1', { what }) }
  reinstate(person: ID, what: string): Promise<void> { return this.say(person, 'ward/reinstate/1', { what }) }
  rename(person: ID, name: string): Promise<void> { return this.say(person, 'ward/rename/1', { person, name }) }
  end(person: ID): Promise<void> { return this.say(person, 'ward/deactivate/1', { person }) }
  setRoles(person: ID, roles: readonly Role[]): Promise<void> { return this.say(person, 'ward/roles/1', { person, roles: rolesText(roles) }) }
  setVetoHours(veto: number): Promise<void> { return this.say(this.self.person, 'ward/rules/1', { veto }) }

  private async say<T extends Authored>(person: ID, type: T, own: Own<T>): Promise<void> {
    await this.membership.state(() => this.people.chainOf(person), type, own, this.self, (text) => this.net.post(`/api/people/${person}/membership`, { text }))
    await this.people.chainOf(person).catch((error: unknown) => console.warn('after a statement:', problemOf(error).message)) // it was made
    this.people.forget(person)
    this.changed()
  }

  /** Lets new keys count whose time of a veto is over, for all whom this person's device knows of; and comes again when the next is. */
  async completeDue(): Promise<void> {
    clearTimeout(this.timer)
    let next = Infinity
    for (const { chain, matter } of this.membership.waiting()) {
      if (!matter.lost || matter.from === undefined) continue
      const left = Date.parse(matter.from) - Date.now()
      if (left > 0) next = Math.min(next, left)
      else if (this.membership.may(chain, 'ward/complete/1', { what: matter.what }, this.self)) {
        await this.complete(matter.person as ID, matter.what).catch((error: unknown) => {
          if (!(error instanceof EngineProblem) || !['refused', 'conflict', 'missing'].includes(error.code)) throw error // somebody else was first
        })
      }
    }
    if (next < longest) this.timer = setTimeout(() => this.due(), next + 1000)
  }

  stop(): void { clearTimeout(this.timer) }
}

/** Roles as statements write them. */
export const rolesText = (roles: readonly Role[]): string => allRoles.filter((r) => roles.includes(r)).join(' ')

function timeOf(text: string | undefined): string {
  return (JSON.parse(text?.split('\n')[1] ?? '{}') as Place & { time?: string }).time ?? ''
}
