// What the ledger shows this person, checked here: that the clinic's history is the one that was agreed, that nobody
// put other keys in their name, and that each thing they see was recorded. The trust it starts from is in the keyring;
// how a proof is checked is in ledger/verify.ts. Nothing of a clinic's work waits for any of this.

import { unb64, utf8 } from '../seal/bytes.ts'
import {
  b64, Broken, checkBlock, checkState, commitment, extend, follow, leads, lineKey, lineValue,
  type Agreed, type Change, type Receipt, type StateProof, type Trust, type Validator,
} from '../ledger/verify.ts'
import { checkNames, hasSalt, type Names } from '../ledger/names.ts'
import type { Net } from './net.ts'
import { EngineProblem, problemOf } from './problem.ts'
import { releasedKey, releasedNumber } from './release.ts'
import type { Shelf } from './shelf.ts'
import type { ID, LedgerAlarm, LedgerState, Proof } from './types.ts'
import type { WireCardProof, WireCards, WireConsistency, WireFinal, WireLedger, WireReceipt } from './wire.ts'

/** What is not agreed after this long, in ms, is said to be late: a chain takes less than a second. */
const late = 60 * 60 * 1000
/** How many proofs are asked for at a time (docs/api.md). */
const batch = 50
/** The state may be proven by a block this much older than the newest checkpoint: a block after it says what it changed. */
const behind = 2

/**
 * Whose word counts is followed by what they signed themselves for so long, in seconds, after it was last found to hold. Those who left since
 * may have lost their keys, and whoever has them could sign a false past. CometBFT's own light clients have two weeks or three; people come
 * back less often.
 */
const trusting = 30 * 24 * 60 * 60
/** How old what the keyring has of that may be, in seconds, for other devices to begin from. */
const repin = 7 * 24 * 60 * 60

/** A set of validators of before, and the height from which it counts no more. */
interface Past { readonly trust: Trust; readonly until: number }
interface Kept {
  readonly trust: Trust; readonly past: readonly Past[]; readonly height: number
  /** What is agreed of names: of validators by their keys, and of the clinic. */
  readonly names?: Readonly<Record<string, string>>; readonly clinic?: string
  /** When the log was begun again, as this browser was told before it pinned it. */
  readonly begun?: string
}

/** What a leaf's text must say for its proof to be of what is shown. */
export interface Wanted { readonly ref: ID; readonly time: string; readonly says: (text: string) => boolean | Promise<boolean> }

export class LedgerOf {
  private kept: Kept | undefined
  private wrong: LedgerAlarm[] = []
  private checked = false
  private running: Promise<void> | undefined
  private readonly lines = new Map<ID, string>()
  private readonly blocks = new Map<string, Promise<Agreed>>() // that were checked: many receipts are of one

  constructor(
    private readonly net: Pick<Net, 'get'>, private readonly shelf: Shelf, private readonly person: ID,
    private readonly pinned: () => Trust | undefined, private readonly pin: (trust: Trust) => Promise<void>, private readonly changed: () => void,
  ) {}

  get state(): LedgerState {
    const { kept } = this
    return {
      checked: this.checked, alarms: this.wrong,
      ...(kept && { chain: kept.trust.chain, organisations: kept.trust.validators.map((v) => kept.names?.[v.key] ?? v.name), size: kept.trust.seen.size }),
      ...(kept?.begun && { begun: kept.begun }),
    }
  }

  /** Checks the clinic's history and one's own cards; what is wrong is in state, and told. */
  refresh(cards: () => Promise<readonly string[]>): Promise<void> {
    this.running ??= this.follow(cards).catch((error: unknown) => console.warn('ledger:', problemOf(error).message)).finally(() => { this.running = undefined })
    return this.running
  }

  private async follow(cards: () => Promise<readonly string[]>): Promise<void> {
    const was = JSON.stringify(this.state)
    const alarms: LedgerAlarm[] = []
    try {
      await this.history(await this.net.get<WireLedger>('/api/ledger').catch(async (error: unknown) => {
        // Who has a ledger shows it; that the network fails is another matter.
        if (problemOf(error).code === 'missing' && (this.kept ?? (await this.load()))) throw new Alarm('silent')
        throw error
      }))
      if (this.kept) {
        // Asked twice: a card may be made between the two answers.
        const other = async (): Promise<boolean> => (await this.line(this.person, await cards())) === 'other'
        if ((await other()) && (await other())) alarms.push({ kind: 'own-keys' })
      }
    } catch (error) {
      if (!(error instanceof Alarm)) throw error
      alarms.push(error.alarm)
    }
    // What was found out about others and about what vanished stays until the page is loaded again.
    this.wrong = [...alarms, ...this.wrong.filter((a) => a.kind === 'other-keys' || a.kind === 'gone' || a.kind === 'stands-again')]
    this.checked = true
    if (JSON.stringify(this.state) !== was) this.changed()
  }

  private async load(): Promise<Kept | undefined> {
    const here = (await this.shelf.get('pins', `ledger/${this.person}`)) as Kept | undefined
    const pinned = this.pinned()
    if (here && pinned?.chain === here.trust.chain && pinned.height === here.trust.height && pinned.origin === here.trust.origin) {
      return { ...here, trust: { ...here.trust, checked: Math.max(here.trust.checked ?? 0, pinned.checked ?? 0) } }
    }
    if (!here || (pinned && (pinned.chain !== here.trust.chain || pinned.origin !== here.trust.origin || pinned.height > here.trust.height))) {
      const seen = here && pinned && here.trust.origin === pinned.origin && here.trust.seen.size > pinned.seen.size ? here.trust.seen : pinned?.seen
      return pinned && seen && { trust: { ...pinned, seen }, past: here?.past ?? [], height: here?.height ?? 0 }
    }
    return here
  }

  private async history(wire: WireLedger): Promise<void> {
    const known = this.kept ?? (await this.load())
    if (!wire.chain || !wire.validators?.length || !wire.height) {
      if (known) throw new Alarm('silent')
      return
    }
    const told = { chain: wire.chain, validators: wire.validators, height: wire.height, origin: wire.origin, salt: wire.salt }
    let kept: Kept = known ?? { trust: { ...told, seen: { size: 0, root: b64(new Uint8Array(32)) } }, past: [], height: 0 }
    if (kept.trust.origin !== wire.origin || kept.trust.salt !== wire.salt) {
      // What the organisations should say and nobody shows is the server's word alone, which it can give of any log.
      throw await this.otherLog(kept, wire).catch((error: unknown) => (error instanceof Alarm ? error : new Alarm('other-log')))
    }
    if (kept.trust.chain !== wire.chain) {
      // A clinic that was alone may join others. Its own log goes on, and that is checked below.
      if (kept.trust.validators.length > 1) throw new Alarm('other-chain')
      kept = { trust: { ...told, seen: kept.trust.seen }, past: [], height: 0 }
    }
    kept = await this.members(kept, wire.validators)
    kept = await this.extended(kept, wire)
    kept = await this.named(kept, wire)
    const begun = wire.before?.at(-1)?.time
    this.kept = { ...kept, trust: { ...kept.trust, checked: now() }, ...(begun && { begun }) }
    await this.shelf.put('pins', `ledger/${this.person}`, this.kept)
    const pinned = this.pinned()
    if (!pinned || pinned.chain !== kept.trust.chain || pinned.height !== kept.trust.height || now() - (pinned.checked ?? 0) > repin) await this.pin(this.kept.trust)
  }

  /** Another log than was pinned: one that was begun again after a loss, as the organisations can tell, or nobody knows what. */
  private async otherLog(kept: Kept, wire: WireLedger): Promise<Alarm> {
    const before = wire.before?.find((b) => b.origin === kept.trust.origin)
    if (!before || wire.chain !== kept.trust.chain || wire.salt !== kept.trust.salt || !wire.validators) return new Alarm('other-log')
    const moved = await this.members(kept, wire.validators)
    const names = await this.net.get<Names>('/api/ledger/names')
    const { logs } = await orAlarm('strangers', withSets(moved, names.signed.height, (trust) => checkNames(trust, names)))
    const old = logs.get(before.origin)
    if (!old || old.size < kept.trust.seen.size) return new Alarm('other-log') // the chain keeps the last head of what was lost
    return new Alarm('begun-again', { time: before.time, size: old.size, lost: before.lost })
  }

  /** What is agreed of names; if it cannot be had they are only told, and said to be. */
  private names(): Promise<Names | undefined> {
    return this.net.get<Names>('/api/ledger/names').catch((error: unknown) => {
      if (['offline', 'unavailable', 'missing'].includes(problemOf(error).code)) return undefined
      throw error
    })
  }

  /** Learns what is agreed of names, and whether the salt that was told is the clinic's. */
  private async named(kept: Kept, wire: WireLedger): Promise<Kept> {
    const set = wire.validators ?? []
    if (kept.clinic !== undefined && set.every((v) => kept.names?.[v.key] === v.name)) return kept
    const names = await this.names()
    if (!names) return kept
    const called = await orAlarm('strangers', withSets(kept, names.signed.height, (trust) => checkNames(trust, names)))
    const log = called.logs.get(kept.trust.origin)
    if (log && !(await hasSalt(log, kept.trust.salt))) throw new Alarm('salt')
    return { ...kept, names: Object.fromEntries(called.validators), ...(log && { clinic: log.name }) }
  }

  /** Moves trust on, change by change, to those who sign now. */
  private async members(kept: Kept, set: readonly Validator[]): Promise<Kept> {
    const keys = (set: readonly Validator[]): string => JSON.stringify(set.map((v) => [v.key, v.power, v.kind]))
    if (keys(kept.trust.validators) === keys(set)) return kept
    if (kept.trust.checked && now() - kept.trust.checked > trusting) throw new Alarm('long-away', { organisations: set.map((v) => v.name) })
    const { changes } = await this.net.get<{ changes: Change[] }>(`/api/ledger/changes?after=${kept.trust.height - 1}`)
    for (const c of changes) {
      if (keys(c.next) === keys(kept.trust.validators)) continue
      const trust = await orAlarm('strangers', follow(kept.trust, c))
      kept = { ...kept, trust, past: [...kept.past, { trust: kept.trust, until: trust.height }] }
    }
    if (keys(kept.trust.validators) !== keys(set)) throw new Alarm('strangers')
    return kept
  }

  /** Checks that the newest agreed head continues the one that was seen before. */
  private async extended(kept: Kept, wire: WireLedger): Promise<Kept> {
    const { seen } = kept.trust
    if (!wire.final) {
      if (seen.size > 0) throw new Alarm('shorter')
      return kept
    }
    let final = wire.final
    let proof: readonly string[] = []
    if (seen.size > 0 && final.size > seen.size) {
      const longer = await this.net.get<WireConsistency>(`/api/ledger/consistency?from=${seen.size}`)
      final = longer.final
      proof = longer.proof
    }
    const agreed = await orAlarm('strangers', withSets(kept, final.block.height, (trust) => checkBlock(trust, final.block)))
    if (agreed.size < seen.size) throw new Alarm('shorter')
    const trust = await orAlarm('forked', extend(kept.trust, agreed, proof))
    return { ...kept, trust: { ...trust, seen: { size: agreed.size, root: agreed.root } }, height: Math.max(kept.height, agreed.height) }
  }

  /** Goes on from the history as it is shown now, after the person was told that it is not the one of before. */
  async accept(cards: () => Promise<readonly string[]>): Promise<void> {
    const wire = await this.net.get<WireLedger>('/api/ledger')
    if (!wire.chain || !wire.validators || !wire.height) throw new EngineProblem('unavailable', 'the clinic shows no ledger')
    const trust = { chain: wire.chain, validators: wire.validators, height: wire.height, origin: wire.origin, salt: wire.salt, seen: { size: 0, root: b64(new Uint8Array(32)) } }
    await this.shelf.remove('pins', `ledger/${this.person}`)
    const seen = [`looks/${this.person}/`, `ended/${this.person}/`]
    for (const list of await this.shelf.keys('seen')) if (seen.some((begin) => list.startsWith(begin))) await this.shelf.remove('seen', list)
    this.kept = undefined
    this.wrong = []
    await this.pin(trust)
    await this.refresh(cards)
  }

  /** What the chain says of a person's line of cards: these, these without the newest, which is on its way, or others. */
  async line(person: ID, cards: readonly string[]): Promise<'same' | 'pending' | 'other' | 'unknown'> {
    const { kept } = this
    if (!kept) return 'unknown'
    const value = await lineValue(cards)
    if (person !== this.person && this.lines.get(person) === value) return 'same'
    const wire = await this.net.get<WireCardProof>(`/api/people/${person}/card-proof`)
    if (!wire.proof) return wire.pending ? 'pending' : 'unknown'
    const key = await lineKey(kept.trust, person)
    const proof = wire.proof
    const found = await withSets(kept, proof.height, (trust) => checkState(trust, key, proof)).catch(() => undefined)
    if (!found || found.agreed.height + behind < kept.height) return 'unknown' // an old answer, which says nothing of now
    if (found.value === value) {
      this.lines.set(person, value)
      return 'same'
    }
    if (found.value === undefined) return wire.pending ? 'pending' : 'unknown'
    for (let n = cards.length - 1; n > 0; n--) if (found.value === (await lineValue(cards.slice(0, n)))) return wire.pending ? 'pending' : 'unknown'
    return 'other'
  }

  /** Refuses another's cards if the chain has others; that it cannot say is no reason to. */
  async checkCards(person: ID, cards: readonly string[]): Promise<void> {
    const line = await this.line(person, cards).catch(() => 'unknown' as const)
    if (line !== 'other') return
    const now = await this.net.get<WireCards>(`/api/people/${person}/cards`)
    if (JSON.stringify(now.cards.slice(0, cards.length)) !== JSON.stringify(cards) || now.cards.length > cards.length + 1) {
      throw new EngineProblem('conflict', 'this person has just changed their keys') // the next to ask sees the new ones
    }
    if ((await this.line(person, cards).catch(() => 'unknown' as const)) !== 'other') return
    this.alarm({ kind: 'other-keys', person })
    throw new EngineProblem('tampered', 'the server shows other keys for this person than the organisations agreed on')
  }

  alarm(a: LedgerAlarm): void {
    if (this.wrong.some((b) => JSON.stringify(a) === JSON.stringify(b))) return
    this.wrong = [...this.wrong, a]
    this.changed()
  }

  /** What proofs begin from; nothing if the clinic has no ledger. That it could not be checked is another matter. */
  private async base(): Promise<Kept | undefined> {
    await this.running
    if (!this.kept && (!this.checked || (await this.load()))) throw new EngineProblem('unavailable', 'the history was not found to hold, so no proof can be checked')
    return this.kept
  }

  /** The proof of a person's line of cards, for who wants to see it. */
  async cardProof(person: ID, cards: readonly string[]): Promise<Proof> {
    const kept = await this.base()
    if (!kept) return { state: 'none' }
    const wire = await this.net.get<WireCardProof>(`/api/people/${person}/card-proof`)
    if (!wire.proof) return wire.pending ? { state: 'pending', late: false } : { state: 'missing' }
    const proof = wire.proof
    const line = await this.line(person, cards)
    if (line === 'pending') return { state: 'pending', late: false }
    if (line === 'other') return { state: 'broken', fault: 'content' }
    try {
      const { agreed } = await withSets(kept, proof.height, async (trust) => checkState(trust, await lineKey(trust, person), proof))
      return line === 'same' ? this.proofOf(kept, agreed, {}) : { state: 'missing' }
    } catch (error) {
      return brokenBy(error)
    }
  }

  /** Proofs of leaves, in the order they are wanted. path is what answers, name how it is asked for one. */
  async proofs(path: string, name: string, wanted: readonly Wanted[]): Promise<readonly Proof[]> {
    const kept = await this.base()
    if (!kept) return wanted.map(() => ({ state: 'none' }))
    const found = new Map<ID, WireReceipt>()
    for (let at = 0; at < wanted.length; at += batch) {
      const query = wanted.slice(at, at + batch).map((x) => `&${name}=${x.ref}`).join('')
      for (const r of (await this.net.get<{ receipts: WireReceipt[] }>(`${path}?from=${firstOf(kept)}${query}`)).receipts) found.set(r.ref, r)
    }
    return Promise.all(wanted.map((x) => this.proof(kept, x, found.get(x.ref))))
  }

  private async proof(kept: Kept, wanted: Wanted, r: WireReceipt | undefined): Promise<Proof> {
    if (!r) return { state: 'missing' }
    const { receipt } = r
    try {
      if (!(await wanted.says(r.text))) throw new Broken('content')
      if (!receipt) return { state: 'pending', late: Date.now() - Date.parse(wanted.time) > late }
      const leaf = await commitment(r.kind, b64(unb64(r.salt)), utf8(r.text))
      const agreed = await leads(await withSets(kept, receipt.height, (trust) => this.block(trust, receipt)), leaf, receipt)
      return this.proofOf(kept, agreed, { leaf: receipt.index, commitment: b64(leaf), size: agreed.size, root: agreed.root })
    } catch (error) {
      return brokenBy(error)
    }
  }

  private block(trust: Trust, { index: _, size: __, path: ___, ...block }: Receipt): Promise<Agreed> {
    const key = JSON.stringify([block, trust.height, trust.origin])
    let agreed = this.blocks.get(key)
    if (!agreed) {
      if (this.blocks.size >= mostBlocks) this.blocks.clear()
      this.blocks.set(key, (agreed = checkBlock(trust, block)))
    }
    return agreed
  }

  private proofOf(kept: Kept, agreed: Omit<Agreed, 'size' | 'root'>, more: { leaf?: number; commitment?: string; size?: number; root?: string }): Proof {
    const signers = agreed.votes.flatMap((i) => setOf(kept, agreed.height).validators[i] ?? [])
    return {
      state: 'agreed', time: new Date(agreed.time).toISOString(), by: signers.map((v) => kept.names?.[v.key] ?? v.name), of: agreed.of,
      named: signers.every((v) => kept.names?.[v.key] !== undefined), ...(kept.clinic !== undefined && { clinic: kept.clinic }),
      detail: { chain: kept.trust.chain, height: agreed.height, ...more },
    }
  }

  /** What an export needs to be checked without a server: the trust that the keyring pinned, what moved it on, the newest head. */
  async forExport(): Promise<{ trust: Trust; changes: readonly Change[]; final?: WireFinal; names?: Names } | undefined> {
    await this.running
    const trust = this.pinned() ?? this.kept?.trust
    if (!trust) return undefined
    const [{ changes }, { final }, names] = await Promise.all([
      this.net.get<{ changes: Change[] }>(`/api/ledger/changes?after=${trust.height - 1}`), this.net.get<WireLedger>('/api/ledger'), this.names(),
    ])
    return { trust, changes, ...(final && { final }), ...(names && { names }) }
  }

  /** With which number the organisations recorded a release of the app; 0 if they did not. */
  async released(sum: string): Promise<number | 'unknown'> {
    await this.running
    const { kept } = this
    if (!kept) return 'unknown'
    const { proof } = await this.net.get<{ proof?: StateProof }>(`/api/ledger/app?sum=${sum}`)
    if (!proof) return 'unknown'
    const key = await releasedKey(Uint8Array.from(sum.match(/../g) ?? [], (x) => parseInt(x, 16)))
    const { value } = await withSets(kept, proof.height, (trust) => checkState(trust, key, proof))
    return value === undefined ? 0 : releasedNumber(unb64(value))
  }

  /** Remembers what was seen of a list that only grows, and gives what is not in it any more. */
  async vanished(list: string, shown: readonly { readonly seq: number; readonly event: ID; readonly time: string }[], from: number, to: number): Promise<readonly { readonly time: string }[]> {
    const key = `looks/${this.person}/${list}`
    const before = ((await this.shelf.get('seen', key)) as { seq: number; event: ID; time: string }[] | undefined) ?? []
    const now = new Set(shown.map((e) => e.event))
    const gone = before.filter((e) => e.seq >= from && e.seq <= to && !now.has(e.event))
    const all = new Map([...before, ...shown].map((e) => [e.event, { seq: e.seq, event: e.event, time: e.time }]))
    await this.shelf.put('seen', key, [...all.values()].sort((a, b) => b.seq - a.seq).slice(0, remembered))
    for (const e of gone) this.alarm({ kind: 'gone', time: e.time })
    return gone
  }

  /** Remembers whose access to a chart was taken back. What was never stands again: who should have it anew gets another grant. */
  async takenBack(chart: ID, shown: readonly { readonly grant: ID; readonly state: string }[]): Promise<void> {
    const key = `ended/${this.person}/${chart}`
    const before = ((await this.shelf.get('seen', key)) as ID[] | undefined) ?? []
    if (shown.some((m) => m.state === 'live' && before.includes(m.grant))) this.alarm({ kind: 'stands-again' })
    const ended = shown.filter((m) => m.state === 'removed' && !before.includes(m.grant)).map((m) => m.grant)
    if (ended.length > 0) await this.shelf.put('seen', key, [...before, ...ended].slice(-rememberedEnds))
  }
}

/** How many ends of grants of a chart this browser remembers. */
const rememberedEnds = 500
/** How many blocks are remembered to have been checked. */
const mostBlocks = 100
/** How many events of a chart this browser remembers to have shown. */
const remembered = 500

class Alarm extends Error {
  readonly alarm: LedgerAlarm
  constructor(kind: LedgerAlarm['kind'], more: Omit<LedgerAlarm, 'kind'> = {}) {
    super(`the ledger: ${kind}`)
    this.alarm = { kind, ...more }
  }
}

/** In Unix seconds. */
const now = (): number => Math.floor(Date.now() / 1000)

/** What fails because it does not check is an alarm; what fails for another reason is not. */
async function orAlarm<T>(kind: LedgerAlarm['kind'], work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => { throw error instanceof Broken ? new Alarm(kind) : error })
}

/** The set that signed at a height. One that was replaced counts for what was before. */
const setOf = (kept: Kept, height: number): Trust => kept.past.find((p) => height < p.until)?.trust ?? kept.trust

/** The height from which it is known who signs. What was agreed before is asked for with a newer head. */
const firstOf = (kept: Kept): number => (kept.past[0]?.trust ?? kept.trust).height

const withSets = <T>(kept: Kept, height: number, work: (trust: Trust) => Promise<T>): Promise<T> => work(setOf(kept, height))

function brokenBy(error: unknown): Proof {
  if (error instanceof EngineProblem) throw error
  return { state: 'broken', fault: error instanceof Broken ? error.fault : 'form' }
}
