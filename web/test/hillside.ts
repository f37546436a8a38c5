// A clinic with a ledger, whose blocks are signed here as validators would, and a person's browser that asks it.

import { LedgerOf, type Line } from '../src/engine/ledger.ts'
import { EngineProblem } from '../src/engine/problem.ts'
import type { NamedLog, NamedMember, Names } from '../src/ledger/names.ts'
import type { Net } from '../src/engine/net.ts'
import type { WireReceipt } from '../src/engine/wire.ts'
import { releasedKey } from '../src/engine/release.ts'
import { MemoryShelf } from '../src/engine/shelf.ts'
import { b64, concat, random, sha256, signingKey, utf8, type SigningKey } from '../src/seal/bytes.ts'
import { commitment, lineKey, lineValue, type Block, type Change, type Signed, type StateProof, type Trust, type Validator } from '../src/ledger/verify.ts'

type Bytes = Uint8Array<ArrayBuffer>
export const leaf = (data: Uint8Array): Promise<Bytes> => sha256(new Uint8Array([0]), data)
const node = (l: Uint8Array, r: Uint8Array): Promise<Bytes> => sha256(new Uint8Array([1]), l, r)
export const be8 = (n: number): Bytes => { const b = new Uint8Array(8); new DataView(b.buffer).setBigUint64(0, BigInt(n)); return b }
const le8 = (n: number): Bytes => be8(n).reverse()
const varint = (n: number): Bytes => new Uint8Array(n < 128 ? [n] : [(n & 127) | 128, ...varint(Math.floor(n / 128))])
const sized = (value: Uint8Array): Bytes => concat(new Uint8Array(value.length < 128 ? [value.length] : [(value.length & 127) | 128, value.length >> 7]), value)
const field = (tag: number, value: Uint8Array): Bytes => concat(new Uint8Array([tag]), sized(value))

async function rootOf(leaves: readonly Uint8Array[]): Promise<Uint8Array> {
  if (leaves.length <= 1) return leaves[0] ?? new Uint8Array(32)
  let k = 1
  while (k * 2 < leaves.length) k *= 2
  return node(await rootOf(leaves.slice(0, k)), await rootOf(leaves.slice(k)))
}

/** RFC 6962, section 2.1.2. */
async function extension(leaves: readonly Uint8Array[], from: number, whole = true): Promise<Uint8Array[]> {
  if (from === leaves.length) return whole ? [] : [await rootOf(leaves)]
  let k = 1
  while (k * 2 < leaves.length) k *= 2
  return from <= k
    ? [...await extension(leaves.slice(0, k), from, whole), await rootOf(leaves.slice(k))]
    : [...await extension(leaves.slice(k), from - k, false), await rootOf(leaves.slice(0, k))]
}

/** RFC 6962, section 2.1.1. */
async function inclusion(leaves: readonly Uint8Array[], index: number): Promise<Uint8Array[]> {
  if (leaves.length <= 1) return []
  let k = 1
  while (k * 2 < leaves.length) k *= 2
  return index < k
    ? [...await inclusion(leaves.slice(0, k), index), await rootOf(leaves.slice(k))]
    : [...await inclusion(leaves.slice(k), index - k), await rootOf(leaves.slice(0, k))]
}

/** What a server does with its answers instead of giving them. */
export type Withholding = 'refused' | 'hanging' | 'empty' | 'stripped'

/** A clinic with its log and its validators. */
export class Hillside {
  chain = 'ward-hillside'
  keys: SigningKey[] = []
  leaves: Uint8Array[] = []
  cards: string[] = ['card one\n']
  /** The chain that Amina's own cards are in: her thread, unless a test has it otherwise. */
  get own(): Line { return { label: 'amina', texts: this.cards } }
  shown: string[] = this.cards
  agreed: string[] | undefined = this.cards
  changes: Change[] = []
  released = 0
  named = true
  isAway = false
  seconds = 100 // the time of its blocks
  withheld: { readonly how: Withholding; readonly routes: RegExp } | undefined
  accesses: { key: string; entries: Bytes; shown: readonly { salt: string; text: string }[] } | undefined
  hung = (): void => undefined
  events: { ref: string; text: string; salt: string; index: number }[] = []
  registered = '' // another salt than the one that is told
  before: { origin: string; size: number; root: string; time: string; lost: number }[] = []
  height = 1
  final: { size: number; root: string; block: Block } | undefined
  origin = b64(random(32))
  salt = b64(random(32))

  static async of(validators: number): Promise<Hillside> {
    const h = new Hillside()
    for (let i = 0; i < validators; i++) h.keys.push(await signingKey(random(32)))
    await h.sort()
    return h
  }

  async sort(): Promise<void> {
    const at = await Promise.all(this.keys.map(async (key) => ({ key, address: String.fromCharCode(...(await sha256(Uint8Array.from(atob(key.public.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0)))).subarray(0, 20)) })))
    this.keys = at.sort((a, b) => (a.address < b.address ? -1 : 1)).map((x) => x.key)
  }

  get set(): Validator[] { return this.keys.map((k, i) => ({ name: `Clinic ${i + 1}`, key: k.public, power: 10, kind: 'ed25519' })) }
  private raw(b: string): Bytes { return Uint8Array.from(atob(b.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0)) }
  async setHash(): Promise<Bytes> { return (await rootOf(await Promise.all(this.keys.map((k) => leaf(concat(field(0x0a, field(0x0a, this.raw(k.public))), new Uint8Array([0x10, 10]))))))) as Bytes }

  /** A block with fields known, signed by those who are validators now. */
  async signed(known: Map<number, Uint8Array>): Promise<Signed> {
    const height = ++this.height
    known.set(7, await this.setHash())
    const fields = await Promise.all(Array.from({ length: 14 }, async (_, i) => leaf(field(0x0a, known.get(i) ?? (await sha256(utf8(`${i}`)))))))
    const rest: string[] = []
    const walk = async (from: number, to: number): Promise<void> => {
      if (![...known.keys()].some((k) => k >= from && k < to)) { rest.push(b64(await rootOf(fields.slice(from, to)))); return }
      if (to - from === 1) return
      let k = 1
      while (k * 2 < to - from) k *= 2
      await walk(from, from + k)
      await walk(from + k, to)
    }
    await walk(0, 14)
    const header = await rootOf(fields)
    const parts = await sha256(utf8('parts'))
    const block = concat(field(0x0a, header), field(0x12, concat(new Uint8Array([8, 1]), field(0x12, parts))))
    const message = concat(new Uint8Array([8, 2, 0x11]), le8(height), field(0x22, block), field(0x2a, concat(new Uint8Array([8]), varint(this.seconds))), field(0x32, utf8(this.chain)))
    const votes = await Promise.all(this.keys.map(async (k, i) => [i, this.seconds, 0, b64(await k.sign(sized(message)))] as const))
    return { chain: this.chain, height, round: 0, header: rest, parts: 1, partsHash: b64(parts), votes }
  }

  /** The log grows, and that is agreed. */
  async grow(n: number): Promise<void> {
    for (let i = 0; i < n; i++) this.leaves.push(await leaf(random(32)))
    await this.agree()
  }

  /** Something happens, and leaves its leaf in the log; that is not agreed yet. */
  async happens(ref: string, time = new Date().toISOString()): Promise<void> {
    const salt = b64(random(32))
    const text = JSON.stringify({ event: ref, time })
    this.events.push({ ref, text, salt, index: this.leaves.length })
    this.leaves.push(await leaf(await commitment('event', salt, utf8(text))))
  }

  private async receipts(path: string): Promise<WireReceipt[]> {
    const wanted = new URLSearchParams(path.split('?')[1]).getAll('event')
    return Promise.all(this.events.filter((e) => wanted.includes(e.ref)).map(async ({ ref, text, salt, index }) => {
      const final = this.final && index >= 0 && index < this.final.size ? this.final : undefined
      const shown = { ref, leaf: index, kind: 'event', salt, text }
      if (!final || this.withheld?.how === 'stripped') return { ...shown, pending: true }
      return { ...shown, receipt: { ...final.block, index, size: final.size, path: (await inclusion(this.leaves.slice(0, final.size), index)).map(b64) } }
    }))
  }

  async agree(): Promise<void> {
    const root = await rootOf(this.leaves)
    const tx = concat(new Uint8Array([1]), this.raw(this.origin), be8(0), be8(this.leaves.length), root, new Uint8Array([0, 0, 0]), new Uint8Array(64))
    const data = await leaf(await sha256(tx))
    this.final = { size: this.leaves.length, root: b64(root), block: { ...(await this.signed(new Map([[6, data]]))), tx: b64(tx), txIndex: 0, txTotal: 1, txPath: [] } }
  }

  /** Others take over, as those who were validators say. */
  async change(keys: SigningKey[]): Promise<void> {
    const next = new Hillside()
    next.keys = keys
    await next.sort()
    this.changes.push({ ...(await this.signed(new Map([[8, await next.setHash()]]))), next: next.set })
    this.keys = next.keys
  }

  async proof(): Promise<StateProof> {
    const key = await lineKey({ origin: this.origin, salt: this.salt } as Trust, 'amina')
    const value = await lineValue(this.agreed ?? [])
    return { ...(await this.signed(new Map([[10, await sha256(new Uint8Array([0]), key, this.raw(value))]]))), path: [], value }
  }

  /** What members are called and the logs are registered as, in a state of nothing else. */
  async names(): Promise<Names> {
    const state = (tag: string, ...parts: Uint8Array[]): Promise<Bytes> => sha256(utf8(`ward/state/${tag}\0`), ...parts)
    const all: { key: Bytes; hash: Bytes; as: (path: string[]) => void }[] = []
    const logs: NamedLog[] = []
    const members: NamedMember[] = []
    const put = async (tag: string, id: Uint8Array, value: Bytes, as: (path: string[]) => void): Promise<void> => {
      const key = await sha256(utf8(`${tag}\0`), id)
      all.push({ key, hash: await sha256(new Uint8Array([0]), key, value), as })
    }
    const operator = await sha256(utf8('operator'))
    for (const l of [{ origin: this.origin, size: this.leaves.length }, ...this.before]) {
      const saltHash = await sha256(this.raw(this.registered || this.salt))
      const root = await sha256(utf8(`${l.size}`))
      await put('log', this.raw(l.origin), await state('log', operator, saltHash, be8(l.size), root, utf8('Hillside Clinic')), (path) => {
        logs.push({ origin: l.origin, operator: b64(operator), saltHash: b64(saltHash), size: l.size, root: b64(root), name: 'Hillside Clinic', path })
      })
    }
    for (const [i, k] of this.keys.entries()) {
      const id = await sha256(utf8(`member ${i}`))
      const name = utf8(`Agreed ${i + 1}`)
      const member = concat(id, be8(10), new Uint8Array(20), new Uint8Array([1]), this.raw(k.public), new Uint8Array([0, 0, 0, name.length]), name)
      const counts = new Uint8Array(24)
      await put('member', id, await state('member', member, counts), (path) => members.push({ member: b64(member), counts: b64(counts), path }))
    }
    const bit = (key: Uint8Array, depth: number): number => ((key[depth >> 3] as number) >> (7 - (depth & 7))) & 1
    const trie = async (some: typeof all, depth: number): Promise<Uint8Array> => {
      if (some.length <= 1) return some[0]?.hash ?? new Uint8Array(32)
      return node(await trie(some.filter((x) => bit(x.key, depth) === 0), depth + 1), await trie(some.filter((x) => bit(x.key, depth) === 1), depth + 1))
    }
    for (const one of all) {
      const path: string[] = []
      for (let some = all, depth = 0; some.length > 1; depth++) {
        const side = bit(one.key, depth)
        path.push(b64(await trie(some.filter((x) => bit(x.key, depth) !== side), depth + 1)))
        some = some.filter((x) => bit(x.key, depth) === side)
      }
      one.as(path)
    }
    return { signed: await this.signed(new Map([[10, await trie(all, 0)]])), logs, members }
  }

  get net(): Pick<Net, 'get'> {
    const get = async (path: string): Promise<unknown> => {
      if (this.withheld?.routes.test(path)) {
        if (this.withheld.how === 'refused') throw new EngineProblem('unavailable', 'the server answered 503')
        if (this.withheld.how === 'hanging') {
          queueMicrotask(this.hung)
          return new Promise(() => undefined)
        }
        if (this.withheld.how === 'empty') return {}
      }
      if (path.includes('/accesses')) return { key: this.accesses?.key, accesses: this.accesses?.shown }
      if (path.startsWith('/api/ledger/entries')) return { from: 0, entries: b64((this.accesses?.entries ?? new Uint8Array()).subarray(48 * Number(path.split('=')[1]))) }
      if (path.startsWith('/api/charts/c/receipts')) return { receipts: await this.receipts(path) }
      if (this.isAway) throw new EngineProblem('unavailable', 'the server answered 503')
      if (path === '/api/ledger') return { chain: this.chain, validators: this.set, height: 1, origin: this.origin, salt: this.salt, final: this.final, before: this.before }
      if (path.startsWith('/api/ledger/changes')) return { changes: this.changes.filter((c) => c.height > Number(path.split('=')[1])) }
      if (path.startsWith('/api/ledger/consistency')) return { from: 0, final: this.final, proof: (await extension(this.leaves, Number(path.split('=')[1]))).map(b64) }
      if (path === '/api/ledger/names') {
        if (!this.named) throw new EngineProblem('unavailable', 'the newest state is not signed yet')
        return this.names()
      }
      if (path.startsWith('/api/ledger/app')) {
        const key = await releasedKey(Uint8Array.from(path.slice(-64).match(/../g) as string[], (x) => parseInt(x, 16)))
        const value = new Uint8Array([...new Uint8Array(24), ...be8(this.released)])
        const here = await sha256(new Uint8Array([0]), key, value)
        return { proof: this.released > 0 ? { ...(await this.signed(new Map([[10, here]]))), path: [], value: b64(value) } : { ...(await this.signed(new Map([[10, new Uint8Array(32)]]))), path: [] } }
      }
      if (path.endsWith('/card-proof')) return this.agreed ? { label: '', proof: await this.proof() } : { label: '', pending: true }
      throw new Error(`nobody asked for ${path}`)
    }
    return { get: get as Net['get'] }
  }
}

/** A person's browser, which forgets nothing. */
export function browser(clinic: () => Hillside): { look(): Promise<readonly string[]>; ledger: () => LedgerOf; pinned(): Trust | undefined } {
  const shelf = new MemoryShelf()
  let pinned: Trust | undefined
  let ledger!: LedgerOf
  return {
    ledger: () => ledger, pinned: () => pinned,
    async look() {
      // A new one each time, as after a reload: what it knows is on the shelf and in the keyring.
      ledger = new LedgerOf({ get: (path: string) => clinic().net.get(path) } as Net, shelf, 'hillside', 'amina', () => pinned, async (t) => { pinned = t }, () => undefined)
      await ledger.refresh(async () => clinic().own)
      return ledger.state.alarms.map((a) => a.kind)
    },
  }
}
