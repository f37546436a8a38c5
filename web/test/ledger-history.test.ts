// What a person's browser makes of what a clinic shows of its ledger: blocks are signed here as validators would.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LedgerOf } from '../src/engine/ledger.ts'
import { EngineProblem } from '../src/engine/problem.ts'
import type { NamedLog, NamedMember, Names } from '../src/ledger/names.ts'
import type { Net } from '../src/engine/net.ts'
import { ownRelease, parseList, releasedKey } from '../src/engine/release.ts'
import { MemoryShelf } from '../src/engine/shelf.ts'
import { b64, concat, random, sha256, signingKey, utf8, type SigningKey } from '../src/seal/bytes.ts'
import { lineKey, lineValue, type Block, type Change, type Signed, type StateProof, type Trust, type Validator } from '../src/ledger/verify.ts'

type Bytes = Uint8Array<ArrayBuffer>
const leaf = (data: Uint8Array): Promise<Bytes> => sha256(new Uint8Array([0]), data)
const node = (l: Uint8Array, r: Uint8Array): Promise<Bytes> => sha256(new Uint8Array([1]), l, r)
const be8 = (n: number): Bytes => { const b = new Uint8Array(8); new DataView(b.buffer).setBigUint64(0, BigInt(n)); return b }
const le8 = (n: number): Bytes => be8(n).reverse()
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

/** A clinic with its log and its validators. */
class Hillside {
  chain = 'ward-hillside'
  keys: SigningKey[] = []
  leaves: Uint8Array[] = []
  cards: string[] = ['card one\n']
  shown: string[] = this.cards
  agreed: string[] | undefined = this.cards
  changes: Change[] = []
  released = 0
  named = true
  isAway = false
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
    const message = concat(new Uint8Array([8, 2, 0x11]), le8(height), field(0x22, block), field(0x2a, new Uint8Array([8, 100])), field(0x32, utf8(this.chain)))
    const votes = await Promise.all(this.keys.map(async (k, i) => [i, 100, 0, b64(await k.sign(sized(message)))] as const))
    return { chain: this.chain, height, round: 0, header: rest, parts: 1, partsHash: b64(parts), votes }
  }

  /** The log grows, and that is agreed. */
  async grow(n: number): Promise<void> {
    for (let i = 0; i < n; i++) this.leaves.push(await leaf(random(32)))
    await this.agree()
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
      if (path.endsWith('/cards')) return { cards: this.shown }
      if (path.endsWith('/card-proof')) return this.agreed ? { label: '', proof: await this.proof() } : { label: '', pending: true }
      throw new Error(`nobody asked for ${path}`)
    }
    return { get: get as Net['get'] }
  }
}

/** A person's browser, which forgets nothing. */
function browser(clinic: () => Hillside): { look(): Promise<readonly string[]>; ledger: () => LedgerOf; pinned(): Trust | undefined } {
  const shelf = new MemoryShelf()
  let pinned: Trust | undefined
  let ledger!: LedgerOf
  return {
    ledger: () => ledger, pinned: () => pinned,
    async look() {
      // A new one each time, as after a reload: what it knows is on the shelf and in the keyring.
      ledger = new LedgerOf({ get: (path: string) => clinic().net.get(path) } as Net, shelf, 'amina', () => pinned, async (t) => { pinned = t }, () => undefined)
      await ledger.refresh(async () => clinic().cards)
      return ledger.state.alarms.map((a) => a.kind)
    },
  }
}

test('a history that grows is followed, and trust is pinned the first time', async () => {
  const h = await Hillside.of(4)
  const b = browser(() => h)
  assert.deepEqual(await b.look(), [])
  assert.equal(b.pinned()?.chain, 'ward-hillside')
  for (const n of [1, 1, 5, 12, 1]) {
    await h.grow(n)
    assert.deepEqual(await b.look(), [])
    assert.equal(b.ledger().state.size, h.leaves.length)
  }
  assert.equal(b.ledger().state.organisations?.length, 4)
})

test('a history that was changed, or cut short, is said to be', async () => {
  const h = await Hillside.of(1)
  const b = browser(() => h)
  await h.grow(20)
  assert.deepEqual(await b.look(), [])
  const before = [...h.leaves]
  h.leaves[7] = await leaf(random(32))
  await h.grow(3)
  assert.deepEqual(await b.look(), ['forked'])
  h.leaves = before.slice(0, 15)
  await h.agree()
  assert.deepEqual(await b.look(), ['shorter'])
  h.final = undefined
  assert.deepEqual(await b.look(), ['shorter'])
  h.leaves = before
  await h.grow(1)
  assert.deepEqual(await b.look(), [])
})

test('two people who are shown two histories: whoever saw the other one is told', async () => {
  const h = await Hillside.of(1)
  await h.grow(9)
  const fork = Object.assign(await Hillside.of(0), h, { leaves: [...h.leaves] })
  let shown = h
  const amina = browser(() => shown)
  await h.grow(2)
  await fork.grow(2)
  assert.deepEqual(await amina.look(), [])
  shown = fork
  assert.deepEqual(await amina.look(), ['forked'])
})

test('trust follows those who were named by the trusted, and nobody else', async () => {
  const h = await Hillside.of(4)
  const b = browser(() => h)
  await h.grow(3)
  assert.deepEqual(await b.look(), [])
  await h.change([...h.keys.slice(1), await signingKey(random(32)), await signingKey(random(32))])
  await h.grow(3)
  assert.deepEqual(await b.look(), [])
  assert.equal(b.pinned()?.validators.length, 5)
  h.keys = [await signingKey(random(32))]
  await h.grow(1)
  assert.deepEqual(await b.look(), ['strangers'])
})

test('a clinic that was alone may join others with the same log; one of several may not change its ledger unsaid', async () => {
  const alone = await Hillside.of(1)
  const b = browser(() => alone)
  await alone.grow(5)
  assert.deepEqual(await b.look(), [])
  alone.chain = 'ward-region'
  alone.keys = (await Hillside.of(4)).keys
  await alone.grow(2)
  assert.deepEqual(await b.look(), [])
  assert.equal(b.ledger().state.organisations?.length, 4)
  alone.chain = 'ward-elsewhere'
  await alone.grow(1)
  assert.deepEqual(await b.look(), ['other-chain'])
  const lost = await Hillside.of(1)
  const c = browser(() => lost)
  await lost.grow(5)
  await c.look()
  lost.origin = b64(random(32))
  await lost.grow(1)
  assert.deepEqual(await c.look(), ['other-log'])
})

test('keys that someone published in one’s name are said to be; another’s wrong keys are refused', async () => {
  const h = await Hillside.of(4)
  const b = browser(() => h)
  await h.grow(3)
  assert.deepEqual(await b.look(), [])
  h.agreed = [...h.cards, 'a card that she never made\n']
  assert.deepEqual(await b.look(), ['own-keys'])
  h.agreed = h.cards
  assert.deepEqual(await b.look(), [])
  await b.ledger().checkCards('amina', h.cards)
  await assert.rejects(b.ledger().checkCards('amina', ['a card of before\n']), { code: 'conflict' })
  assert.deepEqual(b.ledger().state.alarms, [])
  h.shown = ['a substituted card\n']
  await assert.rejects(b.ledger().checkCards('amina', ['a substituted card\n']), { code: 'tampered' })
  assert.deepEqual(b.ledger().state.alarms, [{ kind: 'other-keys', person: 'amina' }])
  // What is on its way is no alarm, and that the server cannot say is none either.
  h.agreed = undefined
  await b.ledger().checkCards('amina', ['another card\n'])
})

test('what was seen and is gone is said to be', async () => {
  const h = await Hillside.of(1)
  const b = browser(() => h)
  await b.look()
  const events = [3, 2, 1].map((seq) => ({ seq, event: `e${seq}`, time: `t${seq}` }))
  assert.deepEqual(await b.ledger().vanished('chart', events, 0, 99), [])
  assert.deepEqual((await b.ledger().vanished('chart', events.filter((e) => e.seq !== 2), 0, 99)).map((e) => e.time), ['t2'])
  assert.deepEqual(await b.ledger().vanished('chart', events.slice(0, 1), 3, 99), []) // a page that does not reach so far
  assert.deepEqual(b.ledger().state.alarms, [{ kind: 'gone', time: 't2' }])
})

test('an app says which release it is, by what the organisations signed', async () => {
  const h = await Hillside.of(4)
  const b = browser(() => h)
  await h.grow(1)
  await b.look()
  const hex = async (text: string): Promise<string> => [...(await sha256(utf8(text)))].map((x) => x.toString(16).padStart(2, '0')).join('')
  const app = new Map([['/index.html', 'page'], ['/sw.js', 'worker'], ['/assets/main.js', 'code'], ['/assets/later.js', 'later']])
  const list = (await Promise.all([...app].map(async ([path, text]) => `${await hex(text)}  ${path.slice(1)}\n`))).join('')
  app.set('/files.txt', list)
  const loaded = ['assets/main.js']
  const own = (): ReturnType<typeof ownRelease> => ownRelease(async (path) => (app.has(path) ? new Response(app.get(path)) : new Response('', { status: 404 })), loaded, (sum) => b.ledger().released(sum))
  const sum = await hex(list)
  assert.deepEqual(await own(), { state: 'unrecorded', sum })
  h.released = 7
  assert.deepEqual(await own(), { state: 'recorded', sum, number: 7 })

  // A number that nobody signed is none.
  const honest = h.net.get
  Object.defineProperty(h, 'net', { configurable: true, get: () => ({ get: async (path: string) => {
    const answer = await honest(path) as { proof?: StateProof }
    return answer.proof ? { proof: { ...answer.proof, value: b64(new Uint8Array([...new Uint8Array(24), ...be8(8)])) } } : answer
  } }) })
  await assert.rejects(own(), { fault: 'signers' })
  Reflect.deleteProperty(h, 'net')

  // What is loaded must be in the list, as it is there.
  app.set('/assets/later.js', 'other')
  assert.equal((await own()).state, 'recorded')
  loaded.push('assets/later.js')
  assert.deepEqual(await own(), { state: 'changed', sum, file: 'assets/later.js' })
  loaded[1] = 'assets/unlisted.js'
  assert.deepEqual(await own(), { state: 'changed', sum, file: 'assets/unlisted.js' })
  app.delete('/files.txt')
  assert.deepEqual(await own(), { state: 'unknown' })
})

test('a list of files that is none is not read as one', () => {
  const sum = 'a'.repeat(64)
  assert.equal(parseList(`${sum}  index.html\n`)?.get('index.html'), sum)
  for (const text of ['', '\n', '<!doctype html>\n', `${sum} index.html\n`, `${sum}  index.html`, `${sum}  index.html\n\n`, `${sum.toUpperCase()}  index.html\n`]) assert.equal(parseList(text), undefined, text)
})

test('who goes on from the history as it is now is not told again of what they saw before', async () => {
  const h = await Hillside.of(1)
  const b = browser(() => h)
  await h.grow(1)
  await b.look()
  const line = { seq: 3, event: 'a', time: '2026-11-25T10:00:00.000Z' }
  await b.ledger().vanished('chart', [line], 0, 9)
  assert.equal((await b.ledger().vanished('chart', [], 0, 9)).length, 1)
  assert.deepEqual(b.ledger().state.alarms, [{ kind: 'gone', time: line.time }])
  await b.ledger().accept(async () => h.cards)
  assert.deepEqual(b.ledger().state.alarms, [])
  assert.equal((await b.ledger().vanished('chart', [], 0, 9)).length, 0)
})

test('who has a ledger is not told that there is none, when it cannot be checked or does not hold', async () => {
  const h = await Hillside.of(4)
  const b = browser(() => h)
  await h.grow(2)
  assert.deepEqual(await b.look(), [])
  h.isAway = true
  assert.deepEqual(await b.look(), [])
  await assert.rejects(b.ledger().proofs('/api/charts/c/receipts', 'event', [{ ref: 'e', time: '', says: () => true }]), { code: 'unavailable' })
  await assert.rejects(b.ledger().cardProof('amina', h.cards), { code: 'unavailable' })
  h.isAway = false
  h.leaves = [await leaf(random(32)), await leaf(random(32))]
  await h.agree()
  assert.deepEqual(await b.look(), ['forked'])
  await assert.rejects(b.ledger().cardProof('amina', h.cards), { code: 'unavailable' })
})

test('names are those that are agreed, and only told ones are said to be', async () => {
  const h = await Hillside.of(4)
  const b = browser(() => h)
  h.named = false
  await h.grow(1)
  assert.deepEqual(await b.look(), [])
  assert.deepEqual(b.ledger().state.organisations, ['Clinic 1', 'Clinic 2', 'Clinic 3', 'Clinic 4'])
  const told = await b.ledger().cardProof('amina', h.cards)
  assert.ok(told.state === 'agreed' && !told.named && told.clinic === undefined && told.by[0] === 'Clinic 1')
  h.named = true
  assert.deepEqual(await b.look(), [])
  assert.deepEqual(b.ledger().state.organisations, ['Agreed 1', 'Agreed 2', 'Agreed 3', 'Agreed 4'])
  const agreed = await b.ledger().cardProof('amina', h.cards)
  assert.ok(agreed.state === 'agreed' && agreed.named && agreed.clinic === 'Hillside Clinic' && agreed.by[3] === 'Agreed 4')
  // Names that somebody made up are nobody's.
  const honest = h.names.bind(h)
  h.names = async () => { const n = await honest(); return { ...n, logs: n.logs.map((l) => ({ ...l, name: 'Riverside Clinic' })) } }
  const c = browser(() => h)
  assert.deepEqual(await c.look(), ['strangers'])
})

test('a salt that hides what is agreed of keys is found out', async () => {
  const h = await Hillside.of(4)
  const b = browser(() => h)
  h.registered = b64(random(32))
  await h.grow(1)
  assert.deepEqual(await b.look(), ['salt'])
})

test('who was away for longer than a month is asked before others are trusted', async () => {
  const h = await Hillside.of(4)
  const b = browser(() => h)
  await h.grow(2)
  assert.deepEqual(await b.look(), [])
  const start = Date.now()
  const real = Date.now
  try {
    const days = (n: number): void => { Date.now = () => start + n * 24 * 60 * 60 * 1000 }
    days(400)
    await h.grow(1)
    assert.deepEqual(await b.look(), [], 'the same still sign')
    const joined = await signingKey(random(32))
    await h.change([...h.keys, joined])
    await h.grow(1)
    days(425)
    assert.deepEqual(await b.look(), [], 'others do, and it is not long ago')
    assert.equal(b.pinned()?.validators.length, 5)
    await h.change(h.keys.slice(1))
    await h.grow(1)
    days(460)
    assert.deepEqual(await b.look(), ['long-away'])
    assert.equal(b.ledger().state.alarms[0]?.organisations?.length, 4)
    assert.deepEqual(await b.look(), ['long-away'], 'it does not go by itself')
    await b.ledger().accept(async () => h.cards)
    assert.deepEqual(b.ledger().state.alarms, [])
    assert.deepEqual(await b.look(), [])
    // What another device found out counts here too.
    assert.ok((b.pinned()?.checked ?? 0) >= Math.floor(Date.now() / 1000) - 1)
  } finally { Date.now = real }
})

test('a log that was begun again after a loss is told with how much is lost, and only if the chain knows the one of before', async () => {
  const h = await Hillside.of(4)
  const b = browser(() => h)
  await h.grow(9)
  assert.deepEqual(await b.look(), [])
  const origin = h.origin
  h.leaves = h.leaves.slice(0, 5)
  h.origin = b64(random(32))
  await h.grow(2)
  assert.deepEqual(await b.look(), ['other-log'], 'nothing is said of the one of before')
  h.before = [{ origin, size: 8, root: '', time: '2026-11-25T10:00:00.000Z', lost: 3 }]
  assert.deepEqual(await b.look(), ['other-log'], 'less is admitted than was seen')
  h.before = [{ origin, size: 9, root: '', time: '2026-11-25T10:00:00.000Z', lost: 4 }]
  assert.deepEqual(await b.look(), ['begun-again'])
  h.named = false
  assert.deepEqual(await b.look(), ['other-log'], 'the server alone says so')
  h.named = true
  assert.deepEqual(await b.look(), ['begun-again'])
  assert.deepEqual(b.ledger().state.alarms[0], { kind: 'begun-again', time: '2026-11-25T10:00:00.000Z', size: 9, lost: 4 })
  await b.ledger().accept(async () => h.cards)
  assert.deepEqual(await b.look(), [])
  assert.equal(b.ledger().state.begun, '2026-11-25T10:00:00.000Z')
})

test('access that was taken back and stands again is said to', async () => {
  const h = await Hillside.of(1)
  const b = browser(() => h)
  await h.grow(1)
  await b.look()
  await b.ledger().takenBack('chart', [{ grant: 'friend', state: 'live' }, { grant: 'before', state: 'removed' }, { grant: 'over', state: 'expired' }])
  await b.ledger().takenBack('chart', [{ grant: 'friend', state: 'removed' }, { grant: 'anew', state: 'live' }, { grant: 'over', state: 'live' }])
  await b.ledger().takenBack('other', [{ grant: 'friend', state: 'live' }])
  assert.deepEqual(b.ledger().state.alarms, [])
  await b.ledger().takenBack('chart', [{ grant: 'friend', state: 'live' }])
  assert.deepEqual(b.ledger().state.alarms, [{ kind: 'stands-again' }])
  await b.ledger().refresh(async () => h.cards)
  assert.deepEqual(b.ledger().state.alarms, [{ kind: 'stands-again' }])
  await b.ledger().accept(async () => h.cards)
  await b.ledger().takenBack('chart', [{ grant: 'friend', state: 'live' }])
  assert.deepEqual(b.ledger().state.alarms, [])
})
