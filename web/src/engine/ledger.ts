// What the ledger shows this person, checked here: that the clinic's history is the one that was agreed, that the signed
// history of who is who is, and that each thing they see was recorded. The trust it starts from is in the keyring;
// how a proof is checked is in ledger/verify.ts. Nothing of a clinic's work waits for any of this.

import { unb64, utf8 } from '../seal/bytes.ts'
import {
  b64, Broken, checkBlock, checkState, commitment, extend, follow, leads, lineAfter, lineKey,
  type Agreed, type Change, type Receipt, type StateProof, type Trust, type Validator,
} from '../ledger/verify.ts'
import { entrySize, Scan, type Gap, type Opened, type Scanned } from '../ledger/accesses.ts'
import { checkNames, hasSalt, type Names } from '../ledger/names.ts'
import type { Net } from './net.ts'
import { EngineProblem, problemOf } from './problem.ts'
import { releasedKey, releasedNumber } from './release.ts'
import type { Shelf } from './shelf.ts'
import { Silence } from './silence.ts'
import type { ID, LedgerAlarm, LedgerState, Proof } from './types.ts'
import type { WireAccesses, WireCardProof, WireConsistency, WireFinal, WireLedger, WireReceipt } from './wire.ts'

/** What is not agreed after this long, in ms, is said to be late: a chain takes less than a second. */
const late = 60 * 60 * 1000
/** How long an answer of the ledger is waited for, in ms: it is read from a few rows. One that hangs says as little as none. */
const patience = 20_000
/**
 * How much later than something a head may be agreed without it, in ms. What is written is in the next head, within seconds; but the time of the
 * one is the server's clock, that of the other the median of its members', and an officer is told when they differ.
 */
const settled = 10 * 60 * 1000
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
  /** When the newest head that was seen was agreed, in Unix ms. */
  readonly at?: number
}

/** What a leaf's text must say for its proof to be of what is shown. */
export interface Wanted { readonly ref: ID; readonly time: string; readonly says: (text: string) => boolean | Promise<boolean>
  /** When the server wrote it down, if its text says so. What people write has their time, and may arrive later. */
  readonly written?: string
}

/** A chain of statements on members, as it is shown: the roster by the clinic's id, a thread by its person's. */
export interface Line { readonly label: ID; readonly texts: readonly string[] }

export class LedgerOf {
  private kept: Kept | undefined
  private readonly silence: Silence
  private checked = false
  private told = '' // the state, as it was after the last check
  private running: Promise<void> | undefined
  private readonly lines = new Map<ID, string>()
  private readonly blocks = new Map<string, Promise<Agreed>>() // that were checked: many receipts are of one

  constructor(
    private readonly net: Pick<Net, 'get'>, private readonly shelf: Shelf, private readonly org: ID, private readonly person: ID,
    private readonly pinned: () => Trust | undefined, private readonly pin: (trust: Trust) => Promise<void>, private readonly changed: () => void,
  ) { this.silence = new Silence(shelf, person) }

  get state(): LedgerState {
    const { kept } = this
    const unchecked = this.silence.alarm()
    return {
      checked: this.checked, alarms: unchecked ? [...this.silence.wrong, unchecked] : this.silence.wrong,
      ...(this.silence.since('history') !== undefined && { unchecked: this.since('history') ?? '' }),
      ...(kept && { chain: kept.trust.chain, organisations: kept.trust.validators.map((v) => kept.names?.[v.key] ?? v.name), size: kept.trust.seen.size }),
      ...(kept?.begun && { begun: kept.begun }),
    }
  }

  /** Checks the clinic's history and the chain that one's own cards are in; what is wrong is in state, and told. */
  refresh(own: () => Promise<Line>): Promise<void> {
    this.running ??= this.check(own).finally(() => { this.running = undefined })
    return this.running
  }

  private async check(own: () => Promise<Line>): Promise<void> {
    const was = this.told
    await this.silence.load()
    try {
      await this.follow(() => within(own()))
      await this.silence.checked('history')
    } catch (error) {
      // Why it cannot be checked makes no difference: silence is told.
      console.warn('ledger:', problemOf(error).message)
      if (await this.knows()) await this.silence.withheld('history')
    }
    if ((this.told = JSON.stringify(this.state)) !== was) this.changed() // the hour also ends while nothing changes
  }

  /** Whether this device knows that the clinic has a ledger. */
  private async knows(): Promise<boolean> { return (this.kept ?? this.pinned() ?? (await this.load())) !== undefined }

  /** When something was checked last, of what cannot be now. */
  private since(what: 'history' | 'proofs'): string | undefined {
    const last = this.silence.last(what) ?? (this.kept?.trust.checked ?? this.pinned()?.checked ?? 0) * 1000
    return last > 0 ? new Date(last).toISOString() : undefined
  }

  /** Asks the ledger. What hangs, or says nothing that can be read, fails. */
  private ask<T>(path: string): Promise<T> {
    const stop = new AbortController()
    return within(this.net.get<T>(path, stop.signal)).finally(() => stop.abort())
  }

  private async follow(own: () => Promise<Line>): Promise<void> {
    const alarms: LedgerAlarm[] = []
    try {
      await this.history(await this.ask<WireLedger>('/api/ledger').catch(async (error: unknown) => {
        // Who has a ledger shows it; that the network fails is another matter.
        if (problemOf(error).code === 'missing' && (this.kept ?? (await this.load()))) throw new Alarm('silent')
        throw error
      }))
      if (this.kept) {
        // Asked twice: something may be stated between the two answers.
        const other = async (): Promise<ID | undefined> => {
          const { label, texts } = await own()
          return (await this.line(label, texts)) === 'other' ? label : undefined
        }
        const label = (await other()) && (await other())
        if (label) alarms.push({ kind: label === this.org ? 'other-people' : 'own-keys' })
      }
    } catch (error) {
      if (!(error instanceof Alarm)) throw error
      alarms.push(error.alarm)
    }
    // What was found out about others, and of what vanished, stays until the person goes on.
    await this.silence.found([...alarms, ...this.silence.wrong.filter((a) => stays.includes(a.kind))])
    this.checked = true
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
    const names = await this.ask<Names>('/api/ledger/names')
    const { logs } = await orAlarm('strangers', withSets(moved, names.signed.height, (trust) => checkNames(trust, names)))
    const old = logs.get(before.origin)
    if (!old || old.size < kept.trust.seen.size) return new Alarm('other-log') // the chain keeps the last head of what was lost
    return new Alarm('begun-again', { time: before.time, size: old.size, lost: before.lost })
  }

  /** What is agreed of names; if it cannot be had they are only told, and said to be. */
  private names(): Promise<Names | undefined> {
    return this.ask<Names>('/api/ledger/names').catch((error: unknown) => {
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
    const { changes } = await this.ask<{ changes: Change[] }>(`/api/ledger/changes?after=${kept.trust.height - 1}`)
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
      const longer = await this.ask<WireConsistency>(`/api/ledger/consistency?from=${seen.size}`)
      final = longer.final
      proof = longer.proof
    }
    const agreed = await orAlarm('strangers', withSets(kept, final.block.height, (trust) => checkBlock(trust, final.block)))
    if (agreed.size < seen.size) throw new Alarm('shorter')
    const trust = await orAlarm('forked', extend(kept.trust, agreed, proof))
    return { ...kept, trust: { ...trust, seen: { size: agreed.size, root: agreed.root } }, height: Math.max(kept.height, agreed.height), at: Math.max(kept.at ?? 0, agreed.time) }
  }

  /** Goes on from the history as it is shown now, after the person was told that it is not the one of before. */
  async accept(own: () => Promise<Line>): Promise<void> {
    const wire = await this.ask<WireLedger>('/api/ledger')
    if (!wire.chain || !wire.validators || !wire.height) throw new EngineProblem('unavailable', 'the clinic shows no ledger')
    const trust = { chain: wire.chain, validators: wire.validators, height: wire.height, origin: wire.origin, salt: wire.salt, seen: { size: 0, root: b64(new Uint8Array(32)) } }
    await this.shelf.remove('pins', `ledger/${this.person}`)
    const seen = [`looks/${this.person}/`, `ended/${this.person}/`, `promised/${this.person}/`, `accesses/${this.person}/`]
    for (const list of await this.shelf.keys('seen')) if (seen.some((begin) => list.startsWith(begin))) await this.shelf.remove('seen', list)
    this.kept = undefined
    await this.silence.forget()
    await this.pin(trust)
    await this.refresh(own)
  }

  /** What the ledger says of a chain of statements: these, these without the newest, which are on their way, or others. */
  async line(label: ID, texts: readonly string[]): Promise<'same' | 'pending' | 'other' | 'unknown'> {
    const { kept } = this
    if (!kept) return 'unknown'
    const values = await this.valuesOf(label, texts)
    const value = values.at(-1) as string
    if (label !== this.person && this.lines.get(label) === value) return 'same'
    const wire = await this.ask<WireCardProof>(this.proofPath(label))
    if (!wire.proof) return wire.pending ? 'pending' : 'unknown'
    const key = await lineKey(kept.trust, label)
    const proof = wire.proof
    const found = await withSets(kept, proof.height, (trust) => checkState(trust, key, proof)).catch(() => undefined)
    if (!found || found.agreed.height + behind < kept.height) return 'unknown' // an old answer, which says nothing of now
    if (found.value === value) {
      this.lines.set(label, value)
      return 'same'
    }
    if (found.value === undefined || values.includes(found.value)) return wire.pending ? 'pending' : 'unknown'
    return 'other'
  }

  private proofPath(label: ID): string { return label === this.org ? '/api/membership/proof' : `/api/people/${label}/card-proof` }

  /** The values of a line after each of its statements. A roster has thousands, of which few are new. */
  private async valuesOf(label: ID, texts: readonly string[]): Promise<readonly string[]> {
    const before = this.values.get(label)
    const goes = before !== undefined && before.texts.length <= texts.length && before.texts.every((text, i) => texts[i] === text)
    const values = goes ? [...before.values] : []
    for (const text of texts.slice(values.length)) values.push(await lineAfter(values.at(-1), text))
    this.values.set(label, { texts: [...texts], values })
    return values
  }

  private readonly values = new Map<ID, { readonly texts: readonly string[]; readonly values: readonly string[] }>()

  /** Refuses another's chain if the ledger has another; that it cannot say is no reason to. now gives it as it is shown now. */
  async checkLine(label: ID, texts: readonly string[], now: () => Promise<readonly string[]>): Promise<void> {
    const line = await this.line(label, texts).catch(() => 'unknown' as const)
    if (line !== 'other') return
    const shown = await now()
    if (shown.length !== texts.length || shown.some((text, i) => text !== texts[i])) {
      throw new EngineProblem('conflict', 'something was just stated of this person') // the next to ask sees it
    }
    if ((await this.line(label, texts).catch(() => 'unknown' as const)) !== 'other') return
    await this.alarm(label === this.org ? { kind: 'other-people' } : { kind: 'other-keys', person: label })
    throw new EngineProblem('tampered', 'the server shows another history of who is who than the organisations agreed on')
  }

  /** Whether the ledger's newest state has just these statements of a chain, or the clinic has no ledger. An answer that does not come is no yes. */
  async agrees(label: ID, texts: readonly string[]): Promise<boolean> {
    let timer: ReturnType<typeof setTimeout> | undefined
    let over = false
    const hung = new Promise<boolean>((done) => { timer = setTimeout(() => { over = true; done(false) }, agreementWait) })
    const asked = (async () => {
      await this.running
      if (!this.kept) return !(await this.load()) && (await this.hasNone())
      for (;;) {
        this.lines.delete(label) // what it said before is not its newest state
        const line = await this.line(label, texts)
        if (line !== 'pending' || over) return line === 'same'
        await new Promise((resolve) => setTimeout(resolve, agreementStep)) // the newest statements are on their way
      }
    })().catch(() => false)
    return Promise.race([asked, hung]).finally(() => clearTimeout(timer))
  }

  private hasNone(): Promise<boolean> {
    return this.net.get<WireLedger>('/api/ledger').then((wire) => !wire.chain, (error: unknown) => problemOf(error).code === 'missing')
  }

  async alarm(a: LedgerAlarm): Promise<void> {
    await this.silence.load()
    if (this.silence.wrong.some((b) => JSON.stringify(a) === JSON.stringify(b))) return
    // It is told even if the device cannot keep it.
    await this.silence.found([...this.silence.wrong, a]).catch((error: unknown) => console.warn('ledger:', problemOf(error).message))
    this.changed()
  }

  /** What proofs begin from; nothing if the clinic has no ledger. That it could not be checked is another matter. */
  private async base(): Promise<Kept | undefined | 'unchecked'> {
    await this.running
    if (!this.kept && (!this.checked || (await this.knows()))) return 'unchecked'
    return this.kept
  }

  /** What stands where a proof belongs that cannot be had. What a screen says is kept, though the page be closed before the check has failed. */
  private async unchecked(what: 'history' | 'proofs'): Promise<Proof> {
    await this.silence.load()
    if (await this.knows()) await this.silence.withheld(what)
    const since = this.since(what)
    return { state: 'unchecked', ...(since !== undefined && { since }) }
  }

  /** The proof of the chain that a person is in, for who wants to see it. */
  async lineProof({ label, texts }: Line): Promise<Proof> {
    const kept = await this.base()
    if (!kept) return { state: 'none' }
    if (kept === 'unchecked') return this.unchecked('history')
    const wire = await this.ask<WireCardProof>(this.proofPath(label)).catch(() => undefined)
    if (!wire) return this.unchecked('proofs')
    if (!wire.proof) return wire.pending ? { state: 'pending', late: false } : { state: 'missing' }
    const proof = wire.proof
    const line = await this.line(label, texts).catch(() => undefined)
    if (line === undefined) return this.unchecked('proofs')
    if (line === 'pending') return { state: 'pending', late: false }
    if (line === 'other') return { state: 'broken', fault: 'content' }
    try {
      const { agreed } = await withSets(kept, proof.height, async (trust) => checkState(trust, await lineKey(trust, label), proof))
      return line === 'same' ? this.proofOf(kept, agreed, {}) : { state: 'missing' }
    } catch (error) {
      return brokenBy(error)
    }
  }

  /** Proofs of leaves, in the order they are wanted. path is what answers, name how it is asked for one. */
  async proofs(path: string, name: string, wanted: readonly Wanted[]): Promise<readonly Proof[]> {
    const kept = await this.base()
    if (!kept) return wanted.map(() => ({ state: 'none' }))
    if (kept === 'unchecked') return Promise.all(wanted.map(() => this.unchecked('history')))
    if (wanted.length === 0) return []
    await this.silence.load()
    const was = JSON.stringify(this.state)
    const found = new Map<ID, WireReceipt>()
    try {
      for (let at = 0; at < wanted.length; at += batch) {
        const query = wanted.slice(at, at + batch).map((x) => `&${name}=${x.ref}`).join('')
        for (const r of (await this.ask<{ receipts: WireReceipt[] }>(`${path}?from=${firstOf(kept)}${query}`)).receipts) found.set(r.ref, r)
      }
      await this.silence.checked('proofs')
    } catch (error) {
      console.warn('proofs:', problemOf(error).message)
      await this.silence.withheld('proofs')
      if (JSON.stringify(this.state) !== was) this.changed()
      return Promise.all(wanted.map(() => this.unchecked('proofs')))
    }
    if (JSON.stringify(this.state) !== was) this.changed()
    const promised = await this.promised(path, found.values())
    return Promise.all(wanted.map((x) => this.proof(kept, x, found.get(x.ref), promised)))
  }

  /**
   * The places that the server first named of what is not agreed yet, which this device holds it to: one that is moved on and on would
   * be agreed never, and look as if it soon were.
   */
  private async promised(path: string, receipts: Iterable<WireReceipt>): Promise<Readonly<Record<ID, number>>> {
    const key = `promised/${this.person}/${path}`
    const before = ((await this.shelf.get('seen', key)) as Record<ID, number> | undefined) ?? {}
    const all = { ...before }
    for (const { ref, leaf, receipt } of receipts) {
      if (receipt) delete all[ref]
      else all[ref] ??= leaf
    }
    if (JSON.stringify(all) !== JSON.stringify(before)) await this.shelf.put('seen', key, Object.fromEntries(Object.entries(all).slice(-remembered)))
    return all
  }

  /** Whether something must be agreed by now: its place is below a head that this device saw, or it was written well before that was agreed. */
  private isDue(kept: Kept, wanted: Wanted, place: number): boolean {
    return place < kept.trust.seen.size || (kept.at !== undefined && wanted.written !== undefined && kept.at - Date.parse(wanted.written) > settled)
  }

  private async proof(kept: Kept, wanted: Wanted, r: WireReceipt | undefined, promised: Readonly<Record<ID, number>>): Promise<Proof> {
    if (!r) return { state: 'missing' }
    const { receipt } = r
    try {
      if (!(await wanted.says(r.text))) throw new Broken('content')
      if (!receipt) return this.isDue(kept, wanted, Math.min(r.leaf, promised[r.ref] ?? r.leaf)) ? { state: 'missing' } : { state: 'pending', late: Date.now() - Date.parse(wanted.time) > late }
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
      this.ask<{ changes: Change[] }>(`/api/ledger/changes?after=${trust.height - 1}`), this.ask<WireLedger>('/api/ledger'), this.names(),
    ])
    return { trust, changes, ...(final && { final }), ...(names && { names }) }
  }

  /** With which number the organisations recorded a release of the app; 0 if they did not. */
  async released(sum: string): Promise<number | 'unknown'> {
    await this.running
    const { kept } = this
    if (!kept) return 'unknown'
    const { proof } = await this.ask<{ proof?: StateProof }>(`/api/ledger/app?sum=${sum}`)
    if (!proof) return 'unknown'
    const key = await releasedKey(Uint8Array.from(sum.match(/../g) ?? [], (x) => parseInt(x, 16)))
    const { value } = await withSets(kept, proof.height, (trust) => checkState(trust, key, proof))
    return value === undefined ? 0 : releasedNumber(unb64(value))
  }

  /**
   * Finds all accesses to a chart that were agreed, or, of no chart, all events of the record, and compares them with what is shown: what is
   * not is an alarm. Each entry of the log is read once. Nothing if the clinic has no ledger, or it cannot be checked now, which is told.
   */
  async accesses(chart: ID | ''): Promise<{ readonly found: number; readonly gaps: readonly Gap[] } | undefined> {
    const kept = await this.base()
    if (!kept || kept === 'unchecked') return undefined
    await this.silence.load()
    try {
      const { scan, shown } = await this.scanned(kept, chart)
      const gaps = await scan.gaps(shown)
      this.agreed.set(chart, eventsOf(chart, shown, scan.found.map((f) => f.index)))
      if (gaps.length > 0) await this.alarm({ kind: 'hidden', size: scan.found.length, lost: gaps.length })
      await this.silence.checked('accesses')
      return { found: scan.found.length, gaps }
    } catch (error) {
      console.warn('accesses:', problemOf(error).message)
      await this.silence.withheld('accesses')
      return undefined
    } finally {
      if (JSON.stringify(this.state) !== this.told) this.changed()
    }
  }

  private readonly agreed = new Map<ID | '', readonly AgreedEvent[]>()

  /** How much of the log is agreed, as far as this device has seen: what is asked for after this must have all of it. */
  async agreedSize(): Promise<number> {
    const kept = await this.base()
    return kept && kept !== 'unchecked' ? kept.trust.seen.size : 0
  }

  /**
   * Compares a page of a list, newest first, of events from one number in the record to another, with the accesses that were found last, as far
   * as they were agreed before the page was asked for. A server that shows all of them to who checks, and fewer or others to who reads, is found
   * out here. It gives what is not listed as it was written; a page that is not in order lists nothing.
   */
  async unlisted<E extends Listed>(chart: ID | '', size: number, listed: readonly E[], from: number, to: number, isIt: (e: E, text: string) => boolean): Promise<readonly ID[]> {
    const inOrder = listed.every((e, i) => e.seq >= from && e.seq <= to && (i === 0 || e.seq < (listed[i - 1] as E).seq))
    const there = new Map(inOrder ? listed.map((e) => [e.event, e]) : [])
    const missing = (this.agreed.get(chart) ?? []).filter((e) => {
      const row = there.get(e.event)
      return e.index < size && e.seq >= from && e.seq <= to && !(row && isIt(row, e.text))
    }).map((e) => e.event)
    if (missing.length > 0 || !inOrder) {
      await this.alarm({ kind: 'hidden', size, lost: Math.max(missing.length, 1) })
      if (JSON.stringify(this.state) !== this.told) this.changed()
    }
    return missing
  }

  /** What is shown of a line, and the log, read up to the head that was seen. The head is from before what is shown, so all below it must be in that. */
  private async scanned(kept: Kept, chart: ID | ''): Promise<{ scan: Scan; shown: readonly Opened[] }> {
    const { seen, salt } = kept.trust
    const shown: Opened[] = []
    let key = ''
    for (let after = 0, more = true; more;) {
      const page = await this.ask<WireAccesses>(`${chart === '' ? '/api/record' : `/api/charts/${chart}`}/accesses?after=${after}`)
      key = page.key
      shown.push(...page.accesses)
      const last = (JSON.parse(page.accesses.at(-1)?.text ?? '{}') as { seq?: number }).seq ?? 0
      more = page.more === true && last > after
      after = last
    }
    const place = `accesses/${this.person}/${chart}`
    const before = (await this.shelf.get('seen', place)) as Scanned | undefined
    const scan = await Scan.begin(salt, chart, key, before && before.size <= seen.size ? before : undefined)
    while (scan.size < seen.size) {
      const page = unb64((await this.ask<{ entries: string }>(`/api/ledger/entries?from=${scan.size}`)).entries).subarray(0, (seen.size - scan.size) * entrySize)
      if (page.length === 0 || page.length % entrySize !== 0) throw new EngineProblem('unavailable', 'the log is not shown')
      await scan.read(page)
    }
    if (seen.size > 0 && (await scan.root()) !== seen.root) {
      await this.shelf.remove('seen', place)
      throw new EngineProblem('tampered', 'the log that is shown is not the one that was agreed')
    }
    await this.shelf.put('seen', place, scan.kept)
    return { scan, shown }
  }

  /** Remembers what was seen of a list that only grows, and gives what is not in it any more. */
  async vanished(list: string, shown: readonly { readonly seq: number; readonly event: ID; readonly time: string }[], from: number, to: number): Promise<readonly { readonly time: string }[]> {
    const key = `looks/${this.person}/${list}`
    const before = ((await this.shelf.get('seen', key)) as { seq: number; event: ID; time: string }[] | undefined) ?? []
    const now = new Set(shown.map((e) => e.event))
    const gone = before.filter((e) => e.seq >= from && e.seq <= to && !now.has(e.event))
    const all = new Map([...before, ...shown].map((e) => [e.event, { seq: e.seq, event: e.event, time: e.time }]))
    await this.shelf.put('seen', key, [...all.values()].sort((a, b) => b.seq - a.seq).slice(0, remembered))
    for (const e of gone) await this.alarm({ kind: 'gone', time: e.time })
    return gone
  }

  /** Remembers whose access to a chart was taken back. What was never stands again: who should have it anew gets another grant. */
  async takenBack(chart: ID, shown: readonly { readonly grant: ID; readonly state: string }[]): Promise<void> {
    const key = `ended/${this.person}/${chart}`
    const before = ((await this.shelf.get('seen', key)) as ID[] | undefined) ?? []
    if (shown.some((m) => m.state === 'live' && before.includes(m.grant))) await this.alarm({ kind: 'stands-again' })
    const ended = shown.filter((m) => m.state === 'removed' && !before.includes(m.grant)).map((m) => m.grant)
    if (ended.length > 0) await this.shelf.put('seen', key, [...before, ...ended].slice(-rememberedEnds))
  }
}

/** What only the person ends, who was told. What else is wrong ends with an answer that checks. */
const stays: readonly LedgerAlarm['kind'][] = ['other-keys', 'other-people', 'gone', 'stands-again', 'hidden']

/** An access that was agreed: which event, as it was written, its number in the record, and its place in the log. */
interface AgreedEvent { readonly event: ID; readonly text: string; readonly seq: number; readonly index: number }

/** A row of a list of events. */
interface Listed { readonly event: ID; readonly seq: number }

/** The events in what is shown that were found in the log. What is no event is a gap already, and of one that was erased nothing is left to compare. */
function eventsOf(chart: ID | '', shown: readonly Opened[], places: readonly number[]): readonly AgreedEvent[] {
  return shown.flatMap(({ text }) => {
    let e: { readonly event?: ID; readonly seq?: number; readonly number?: number }
    try {
      e = JSON.parse(text) as typeof e
    } catch {
      return []
    }
    const index = places[((chart === '' ? e.seq : e.number) ?? 0) - 1]
    return e.event !== undefined && e.seq !== undefined && index !== undefined ? [{ event: e.event, text, seq: e.seq, index }] : []
  })
}

/** What takes longer than anyone waits fails. */
async function within<T>(work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const over = new Promise<never>((_, fail) => { timer = setTimeout(() => fail(new EngineProblem('unavailable', 'the ledger does not answer')), patience) })
  return Promise.race([work, over]).finally(() => clearTimeout(timer))
}

/** How long the chain may take to answer before nothing is sealed, in ms: it takes less than a second. */
const agreementWait = 20 * 1000
/** After what time it is asked again, in ms: about what a block takes. */
const agreementStep = 300
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
