// Locks as their holder has them: the line of epochs checked from the id up, and the secret half of each epoch, from
// a grant to oneself or to a team and then back through the histories.

import { Bad, hash, now, newID, recipientOf, unjson64, type SigningKey } from '../seal/bytes.ts'
import { lockFile, lockKey, newLockIdentity, openLockFile, lockSigning, type LockKey } from '../seal/keys.ts'
import { sealRecomputable } from '../seal/recomputable.ts'
import { checkEpochs, checkSignatures, hashOf, lockIDOf, parse, write, type Epoch, type Grant, type Statement } from '../seal/statements.ts'
import type { Net } from './net.ts'
import type { People } from './people.ts'
import { EngineProblem, problemOf } from './problem.ts'
import type { Shelf } from './shelf.ts'
import type { Purpose } from './types.ts'
import type { WireLock, WireMember, WireSummary } from './wire.ts'

/** Who acts: the person whose keyring is open. */
export interface Self { readonly org: string; readonly person: string; readonly identity: string; readonly signing: SigningKey; readonly card: string; readonly name: string }

export interface OpenLock {
  readonly lock: string; readonly kind: string; readonly chart?: string; readonly compartment?: 'general' | 'restricted'
  readonly epochs: readonly Statement<'ward/epoch/1'>[]
  readonly keys: ReadonlyMap<number, LockKey>
  readonly seq: number; readonly chain: string; readonly due: boolean; readonly snapshot: number
}

/** The latest epoch's outside: enough to seal to. */
export const latest = (epochs: readonly Statement<'ward/epoch/1'>[]): Epoch => (epochs.at(-1) as Statement<'ward/epoch/1'>).body

/** A lock that this person may read and has no key to: as after they got new keys, when nobody else held it. */
export class NoKey extends Bad {}

/** Of a lock: grants that were seen to end, and of each member the newest epoch they had then. */
interface Ended { readonly grants: readonly string[]; readonly at: Readonly<Record<string, number>> }

/** How many ends of a lock's grants are remembered: more than it may have members. */
const rememberedEnds = 500

export class Locks {
  private readonly opened = new Map<string, Map<number, LockKey>>()
  /** What to tell the clinic of grants to this person: whether they open. */
  private readonly answers = new Map<string, { readonly lock: string; readonly opens: boolean }>()
  private readonly net: Net
  private readonly people: People
  private readonly self: Self
  /** Where it is remembered who was taken off a lock. */
  private readonly shelf: Pick<Shelf, 'get' | 'put'> | undefined

  constructor(net: Net, people: People, self: Self, shelf?: Pick<Shelf, 'get' | 'put'>) {
    this.shelf = shelf
    this.net = net
    this.people = people
    this.self = self
  }

  /** Remembers keys that came another way: one just made, or a welcome. */
  remember(key: LockKey): void {
    let keys = this.opened.get(key.lock)
    if (!keys) this.opened.set(key.lock, (keys = new Map()))
    keys.set(key.epoch, key)
  }

  /** Drops the keys of a lock that this person no longer holds. */
  forget(lock: string): void { this.opened.delete(lock) }

  /** Reads a lock and opens every epoch that its holder may. */
  async open(lock: string, through: ReadonlySet<string> = new Set()): Promise<OpenLock> {
    const wire = await this.net.get<WireLock>(`/api/locks/${lock}`)
    const epochs = await checkEpochs(wire.epochs, this.self.org, lock)
    const keys = this.opened.get(lock) ?? new Map<number, LockKey>()
    this.opened.set(lock, keys)
    if (!keys.has(epochs.length)) await this.openGrants(wire, epochs, keys, through)
    await openHistories(wire, epochs, keys)
    if (keys.size === 0) throw new NoKey('no grant opens this lock')
    return {
      lock, kind: wire.kind, epochs, keys, seq: wire.seq, chain: wire.chain, due: wire.due, snapshot: wire.snapshot ?? 0,
      ...(wire.chart && { chart: wire.chart }), ...(wire.compartment && { compartment: wire.compartment }),
    }
  }

  private async openGrants(wire: WireLock, epochs: readonly Statement<'ward/epoch/1'>[], keys: Map<number, LockKey>, through: ReadonlySet<string>): Promise<void> {
    let problem: unknown
    const shut = new Map<string, boolean>() // grants to this person that do not open, and whether to their card of now
    const open = new Set<string>()
    for (const held of [...wire.grants].reverse()) {
      try {
        const grant = await this.checkGrant(held.text, epochs)
        if (grant.person === this.self.person) {
          const now = grant.card === this.self.card
          if (!now || !keys.has(grant.epoch)) shut.set(grant.grant, now)
        }
        if (keys.has(grant.epoch)) continue
        const sealed = unjson64(held.sealed)
        if ((await hash(sealed)) !== grant.sha256) throw new Bad('a sealed grant is not the one its statement names')
        const identity = await this.identityFor(grant, through)
        if (identity === undefined) continue
        const e = (epochs[grant.epoch - 1] as Statement<'ward/epoch/1'>).body
        keys.set(grant.epoch, await openLockFile(identity, sealed, e))
        if (shut.delete(grant.grant)) open.add(grant.grant)
      } catch (error) {
        problem = error // another grant may do
      }
    }
    for (const [grant, now] of shut) if (now) this.answers.set(grant, { lock: wire.lock, opens: false })
    // What is sealed to the cards before may go.
    if ([...shut.values()].includes(false)) for (const grant of open) this.answers.set(grant, { lock: wire.lock, opens: true })
    if (keys.size === 0 && problem !== undefined) throw problem
  }

  /** Tells the clinic which grants to this person open, and which do not: somebody else makes those again. */
  async sendAnswers(): Promise<void> {
    for (const [grant, { lock, opens }] of [...this.answers]) {
      this.answers.delete(grant)
      await this.net.post(`/api/locks/${lock}/opened`, { grant, opens }).catch((error: unknown) => {
        if (!['gone', 'missing'].includes(problemOf(error).code)) throw error
      })
    }
  }

  private async identityFor(grant: Grant, through: ReadonlySet<string>): Promise<string | undefined> {
    if (grant.person !== undefined) return grant.person === this.self.person ? this.self.identity : undefined
    const holder = grant.holder as string
    const known = this.opened.get(holder)?.get(grant.holderEpoch as number)
    if (known) return known.identity
    if (through.has(holder)) return undefined
    const opened = await this.open(holder, new Set([...through, holder]))
    return opened.keys.get(grant.holderEpoch as number)?.identity
  }

  /** Checks a grant's form and both its signatures. */
  async checkGrant(text: string, epochs: readonly Statement<'ward/epoch/1'>[]): Promise<Grant> {
    const s = await parse('ward/grant/1', text)
    const e = epochs[s.body.epoch - 1]
    if (!e || s.body.lock !== e.body.lock || s.body.org !== this.self.org) throw new Bad('a grant is of another lock')
    for (const key of await this.people.signingKeys(s.body.granter)) {
      if (await checkSignatures(s, key, e.body.verify).then(() => true, () => false)) return s.body
    }
    throw new Bad('a grant is not signed by its granter and the lock')
  }

  /** The outside of a lock that one may seal to, checked. */
  async outside(lock: string): Promise<readonly Statement<'ward/epoch/1'>[]> {
    const wire = await this.net.get<WireSummary>(`/api/locks/${lock}/keys`)
    return checkEpochs(wire.epochs, this.self.org, lock)
  }

  /** A grant of an open epoch to a person's card, as their history says it now, or to a team's latest epoch. standing: by which they hold the lock already. */
  async makeGrant(key: LockKey, to: { person: string; standing?: string } | { holder: string }, purpose: Purpose, until?: string): Promise<{ text: string; sealed: Uint8Array }> {
    let member: Pick<Grant, 'person' | 'card' | 'holder' | 'holderEpoch'>
    let recipient: string
    if ('person' in to) {
      const p = await this.people.toSealTo(to.person)
      if (to.standing !== undefined && !p.cards.some((c) => c.hash === to.standing)) throw new EngineProblem('tampered', 'the card by which a person holds the lock is not among theirs')
      member = { person: to.person, card: p.current.hash }
      recipient = p.current.recipient
    } else {
      const e = latest(await this.outside(to.holder))
      member = { holder: to.holder, holderEpoch: e.epoch }
      recipient = e.recipient
    }
    return makeGrant(this.self, key, member, recipient, purpose, until)
  }

  /** Refuses a lock of which somebody is shown as holding it whom this browser saw taken off; remembers whom it sees so now. */
  private async checkEnds(lock: string, members: readonly { readonly grant: Grant; readonly state: string }[]): Promise<void> {
    const key = `ends/${this.self.person}/${lock}`
    const before = ((await this.shelf?.get('pins', key)) as Ended | undefined) ?? { grants: [], at: {} }
    const of = (g: Grant): string => g.person ?? (g.holder as string)
    for (const { grant: g } of members.filter((m) => m.state === 'live')) {
      const own = g.granter === g.person && g.epoch <= (before.at[of(g)] ?? 0) // made with the key that they had
      if (before.grants.includes(g.grant) || own) throw new EngineProblem('tampered', 'the server shows somebody as holding a lock who was taken off it')
    }
    const ended = members.filter((m) => m.state === 'removed' && !before.grants.includes(m.grant.grant)).map((m) => m.grant)
    if (ended.length === 0) return
    const at = { ...before.at }
    for (const g of ended) at[of(g)] = Math.max(at[of(g)] ?? 0, g.epoch)
    await this.shelf?.put('pins', key, { grants: [...before.grants, ...ended.map((g) => g.grant)].slice(-rememberedEnds), at } satisfies Ended)
  }

  /** Remembers that this person took somebody off. */
  async took(lock: string, grant: string, member: string): Promise<void> {
    const key = `ends/${this.self.person}/${lock}`
    const before = ((await this.shelf?.get('pins', key)) as Ended | undefined) ?? { grants: [], at: {} }
    await this.shelf?.put('pins', key, { grants: [...before.grants, grant].slice(-rememberedEnds), at: { ...before.at, [member]: Math.max(...(this.opened.get(lock)?.keys() ?? [0]), before.at[member] ?? 0) } } satisfies Ended)
  }

  /** Starts the next epoch, for those who remain. */
  async turn(lock: OpenLock): Promise<void> {
    const before = lock.epochs.at(-1) as Statement<'ward/epoch/1'>
    const old = lock.keys.get(before.body.epoch)
    if (!old) throw new Bad('the current epoch is not open')
    const { members } = await this.net.get<{ members: WireMember[] }>(`/api/locks/${lock.lock}/members`)
    const identity = await newLockIdentity()
    const key = await lockKey(this.self.org, lock.lock, before.body.epoch + 1, identity)
    const history = sealRecomputable(key, key.recipient, lockFile(old))
    const epoch = await write('ward/epoch/1', {
      org: this.self.org, lock: lock.lock, kind: lock.kind, chart: lock.chart, compartment: lock.compartment, epoch: key.epoch,
      recipient: key.recipient, verify: key.signing.public, previous: await hashOf(before), history: await hash(history), author: this.self.person, time: now(),
    }, this.self.signing.sign, old.signing.sign)
    const grants: { text: string; sealed: Uint8Array }[] = []
    const checked = await Promise.all(members.map(async (m) => ({ grant: await this.checkGrant(m.text, lock.epochs), state: m.state })))
    await this.checkEnds(lock.lock, checked)
    for (const { grant: g } of checked.filter((m) => m.state === 'live')) {
      if (g.epoch !== before.body.epoch) continue // not a member since the lock turned last
      grants.push(await this.makeGrant(key, g.person !== undefined ? { person: g.person, standing: g.card as string } : { holder: g.holder as string }, g.purpose as Purpose, g.until))
    }
    await this.net.post(`/api/locks/${lock.lock}/epochs`, { epoch: epoch.text, history, grants })
    this.remember(key)
  }
}

async function openHistories(wire: WireLock, epochs: readonly Statement<'ward/epoch/1'>[], keys: Map<number, LockKey>): Promise<void> {
  for (let n = epochs.length; n > 1; n--) {
    const key = keys.get(n)
    if (!key || keys.has(n - 1)) continue
    const sealed = unjson64(wire.histories[n - 2] ?? '')
    if ((await hash(sealed)) !== epochs[n - 1]?.body.history) throw new Bad('a history is not the one its epoch names')
    keys.set(n - 1, await openLockFile(key.identity, sealed, (epochs[n - 2] as Statement<'ward/epoch/1'>).body))
  }
}

export async function makeGrant(
  self: Self, key: LockKey, member: Pick<Grant, 'person' | 'card' | 'holder' | 'holderEpoch'>, recipient: string, purpose: Purpose, until?: string,
): Promise<{ text: string; sealed: Uint8Array }> {
  const sealed = sealRecomputable(key, recipient, lockFile(key))
  const grant = await write('ward/grant/1', {
    org: self.org, lock: key.lock, epoch: key.epoch, grant: newID(), ...member, purpose, until, granter: self.person, time: now(), sha256: await hash(sealed),
  }, self.signing.sign, key.signing.sign)
  return { text: grant.text, sealed }
}

/** A new lock in its first epoch; grants are added by the caller. */
export async function newLock(self: Self, kind: string, about: { chart?: string; compartment?: string } = {}): Promise<{ key: LockKey; epoch: Statement<'ward/epoch/1'> }> {
  const identity = await newLockIdentity()
  const recipient = await recipientOf(identity)
  const signing = await lockSigning(identity)
  const lock = await lockIDOf(recipient, signing.public)
  const key: LockKey = { org: self.org, lock, epoch: 1, identity, recipient, signing }
  const epoch = await write('ward/epoch/1', {
    org: self.org, lock, kind, chart: about.chart, compartment: about.compartment, epoch: 1, recipient, verify: signing.public, author: self.person, time: now(),
  }, self.signing.sign, signing.sign)
  return { key, epoch }
}
