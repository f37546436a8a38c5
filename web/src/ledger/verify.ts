// Checks what the ledger says, by itself: from what happened to the signatures of more than two thirds of the
// organisations that a person trusts. The twin of ledger/receipt in Go; testdata/vectors/receipts holds both to the same
// answers, docs/formats.md has the bytes. WebCrypto alone; post-quantum signatures load a library in browsers that have none.

type Bytes = Uint8Array<ArrayBuffer>

/** A validator's place, seconds, nanoseconds, signature. */
export type Vote = readonly [number, number, number, string]
/** A block's header, as far as it must be known, and who signed it. */
export interface Signed {
  readonly chain: string; readonly height: number; readonly round: number; readonly header: readonly string[]
  readonly parts: number; readonly partsHash: string; readonly votes: readonly Vote[]
}
export interface Block extends Signed { readonly tx: string; readonly txIndex: number; readonly txTotal: number; readonly txPath: readonly string[] }
export interface Receipt extends Block { readonly index: number; readonly size: number; readonly path: readonly string[] }
export interface Validator { readonly name: string; readonly key: string; readonly power: number; readonly kind: string }
export interface Change extends Signed { readonly next: readonly Validator[] }
export interface StateProof extends Signed { readonly path: readonly string[]; readonly value?: string; readonly other?: { readonly key: string; readonly value: string } }
/** A checkpoint that a reader remembers: each later one must extend it. */
export interface Seen { readonly size: number; readonly root: string }
/** What a person pinned when they joined, moved on since by what the trusted validators signed themselves. */
export interface Trust {
  readonly chain: string; readonly validators: readonly Validator[]; readonly height: number
  readonly origin: string; readonly salt: string; readonly seen: Seen
  /** When it was last found to hold, in Unix seconds. */
  readonly checked?: number
}
/** What was signed, when, by which validators (their places) of how many. */
export interface Agreed { readonly height: number; readonly time: number; readonly size: number; readonly root: string; readonly votes: readonly number[]; readonly of: number }

/** What is wrong: its form; it leads elsewhere than to what was agreed; too few trusted ones signed; there are two histories. */
export type Fault = 'form' | 'content' | 'signers' | 'forked'
export class Broken extends Error {
  constructor(readonly fault: Fault) { super(`the ledger's proof: ${fault}`) }
}
export const no = (fault: Fault): never => { throw new Broken(fault) }

const most = 150 // validators
const sizes: Readonly<Record<string, number>> = { ed25519: 32, 'ml-dsa-65': 1952 } // of their keys
const subtle = crypto.subtle
const utf8 = (text: string): Bytes => new TextEncoder().encode(text) as Bytes
export const b64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, '')

export function bytes(value: string, size?: number): Bytes {
  if (typeof value !== 'string' || /[^\w-]/.test(value)) return no('form')
  let out: Bytes
  try {
    out = Uint8Array.from(atob(value.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0))
  } catch {
    return no('form')
  }
  return (size !== undefined && out.length !== size) || b64(out) !== value ? no('form') : out
}

export const whole = (n: number, least = 0, to = Number.MAX_SAFE_INTEGER): number => (Number.isSafeInteger(n) && n >= least && n <= to ? n : no('form'))
export const same = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((x, i) => x === b[i])

function join(...parts: readonly (Uint8Array | readonly number[])[]): Bytes {
  const out = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0))
  let at = 0
  for (const p of parts) {
    out.set(p, at)
    at += p.length
  }
  return out
}

export const sha = async (...parts: readonly (Uint8Array | readonly number[])[]): Promise<Bytes> => new Uint8Array(await subtle.digest('SHA-256', join(...parts)))
export const leaf = (data: Uint8Array): Promise<Bytes> => sha([0], data)
const node = (l: Uint8Array, r: Uint8Array): Promise<Bytes> => sha([1], l, r)

/** The roots of the whole subtrees that a tree is made of, largest first, after one more leaf of a tree that had size. */
export async function addLeaf(roots: readonly string[], size: number, hash: Bytes): Promise<readonly string[]> {
  const left = [...roots]
  for (; size % 2 === 1; size = (size - 1) / 2) hash = await node(bytes(left.pop() ?? '', 32), hash)
  return [...left, b64(hash)]
}

/** The root of such a tree. */
export async function rootOf(roots: readonly string[]): Promise<string> {
  if (roots.length === 0) return b64(await sha([]))
  let root = bytes(roots[roots.length - 1] ?? '', 32)
  for (let i = roots.length - 2; i >= 0; i--) root = await node(bytes(roots[i] ?? '', 32), root)
  return b64(root)
}

// Numbers and fields of protocol buffers.
function varint(n: number): number[] {
  const out = []
  for (; n > 127; n = Math.floor(n / 128)) out.push((n % 128) | 128)
  return [...out, n]
}
const field = (tag: number, value: Uint8Array): Bytes => join([tag], varint(value.length), value)
function fixed(n: number): Bytes {
  const out = new Uint8Array(8)
  new DataView(out.buffer).setBigUint64(0, BigInt(n), true)
  return out
}

/** The size of the left part of a tree of n leaves. */
function half(n: number): number {
  let k = 1
  while (k * 2 < n) k *= 2
  return k
}

async function tree(leaves: readonly Bytes[]): Promise<Bytes> {
  if (leaves.length === 1) return leaves[0] as Bytes
  const k = half(leaves.length)
  return node(await tree(leaves.slice(0, k)), await tree(leaves.slice(k)))
}

/** The root that a leaf's audit path leads to (RFC 9162, section 2.1.3.2). */
async function climb(h: Bytes, index: number, size: number, path: readonly string[]): Promise<Bytes> {
  let last = whole(size, 1) - 1
  let i = whole(index, 0, last)
  const up = (): void => { i = Math.floor(i / 2); last = Math.floor(last / 2) }
  for (const p of path) {
    if (last === 0) no('form')
    if (i % 2 || i === last) {
      h = await node(bytes(p, 32), h)
      while (i % 2 === 0 && i) up()
    } else h = await node(h, bytes(p, 32))
    up()
  }
  return last ? no('form') : h
}

/** The header's hash, from the fields that are known and the rest of its tree. */
async function headerHash(known: ReadonlyMap<number, Bytes>, rest: readonly string[]): Promise<Bytes> {
  let used = 0
  const walk = async (from: number, to: number): Promise<Bytes> => {
    if (![...known.keys()].some((k) => k >= from && k < to)) return bytes(rest[used++] as string, 32)
    if (to - from === 1) return leaf(field(0x0a, known.get(from) as Bytes))
    const middle = from + half(to - from)
    return node(await walk(from, middle), await walk(middle, to))
  }
  const h = await walk(0, 14)
  return used === rest.length ? h : no('form')
}

/** The hash of a set of validators that a header carries. */
async function setHash(set: readonly Validator[]): Promise<Bytes> {
  whole(set.length, 1, most)
  const leaves: Bytes[] = []
  let before = { power: Infinity, address: '' }
  for (const v of set) {
    const key = bytes(v.key, sizes[v.kind] ?? no('form'))
    const tag = v.kind === 'ed25519' ? 0x0a : 0x22
    const address = [...(await sha(key)).subarray(0, 20)].map((x) => String.fromCharCode(x)).join('')
    if (v.power > before.power || (v.power === before.power && address <= before.address)) no('form')
    before = { power: v.power, address }
    leaves.push(await leaf(join(field(0x0a, field(tag, key)), [0x10], varint(whole(v.power, 1, 2 ** 31)))))
  }
  return tree(leaves)
}

async function verifies(v: Validator, message: Bytes, signature: string): Promise<boolean> {
  const key = bytes(v.key)
  if (v.kind === 'ml-dsa-65') {
    // Chromium has it from 156 on, sixty times faster than the library: its types do not say so yet.
    const native = await subtle.importKey('raw-public' as 'raw', key, 'ML-DSA-65', false, ['verify']).catch(() => undefined)
    if (native) return subtle.verify('ML-DSA-65', native, bytes(signature, 3309), message)
    return (await import('@noble/post-quantum/ml-dsa.js')).ml_dsa65.verify(bytes(signature, 3309), message, key)
  }
  return subtle.verify('Ed25519', await subtle.importKey('raw', key, 'Ed25519', false, ['verify']), bytes(signature, 64), message)
}

/** Whether the trusted validators signed a block whose header says what is known of it. */
export async function signed(t: Trust, s: Signed, known: Map<number, Bytes>): Promise<Omit<Agreed, 'size' | 'root'>> {
  if (s.chain !== t.chain) no('signers')
  const height = fixed(whole(s.height, 1))
  known.set(7, await setHash(t.validators))
  const header = await headerHash(known, s.header)
  const block = join(field(0x0a, header), field(0x12, join([8], varint(whole(s.parts, 1, 2000)), field(0x12, bytes(s.partsHash, 32)))))
  const times: number[] = []
  const votes: number[] = []
  let power = 0
  let last = -1
  for (const vote of s.votes) {
    if (vote.length !== 4) no('form')
    const [i, seconds, nanos, signature] = vote
    last = whole(i, last + 1, t.validators.length - 1)
    const at = join(whole(seconds, 0, 253402300799) ? [8, ...varint(seconds)] : [], whole(nanos, 0, 999999999) ? [16, ...varint(nanos)] : [])
    const message = join([8, 2, 0x11], height, whole(s.round, 0, 2 ** 31 - 1) ? join([0x19], fixed(s.round)) : [], field(0x22, block), field(0x2a, at), field(0x32, utf8(s.chain)))
    const v = t.validators[i] as Validator
    if (!(await verifies(v, join(varint(message.length), message), signature))) no('signers')
    power += v.power
    times.push(seconds * 1000 + Math.floor(nanos / 1e6))
    votes.push(i)
  }
  if (power * 3 <= t.validators.reduce((sum, v) => sum + v.power, 0) * 2) no('signers')
  times.sort((a, b) => a - b)
  return { height: s.height, time: times[(times.length - 1) >> 1] as number, votes, of: t.validators.length }
}

/** Checks that a block is signed by the trusted validators and holds a checkpoint of the trusted log. */
export async function checkBlock(t: Trust, b: Block): Promise<Agreed> {
  const tx = bytes(b.tx)
  const view = new DataView(tx.buffer)
  // kind 1 | signer 32 | old 8 | new 8 | root 32 | n 1 | attempt 2 | n × 32 | signature 64
  if (tx.length < 148 || tx[0] !== 1 || !same(tx.subarray(1, 33), bytes(t.origin, 32))) no('content')
  const size = Number(view.getBigUint64(41))
  if (tx.length !== 148 + 32 * (tx[81] as number) || whole(size, 1) <= Number(view.getBigUint64(33))) no('form')
  const data = await climb(await leaf(await sha(tx)), b.txIndex, b.txTotal, b.txPath)
  return { ...(await signed(t, b, new Map([[6, data]]))), size, root: b64(tx.subarray(49, 81)) }
}

/** Follows a receipt from a commitment to the trusted validators' signatures. */
export async function check(t: Trust, commitment: Uint8Array, r: Receipt): Promise<Agreed> {
  return leads(await checkBlock(t, r), commitment, r)
}

/** Follows a receipt from a commitment to a block that was checked. */
export async function leads(agreed: Agreed, commitment: Uint8Array, r: Receipt): Promise<Agreed> {
  if (r.size !== agreed.size || b64(await climb(await leaf(commitment), r.index, r.size, r.path)) !== agreed.root) no('content')
  return agreed
}

/** Whether a value has the form of a trust, as a keyring keeps it. */
export function validTrust(t: Trust): boolean {
  try {
    whole(t.height, 1)
    whole(t.seen.size)
    whole(t.checked ?? 0)
    whole(t.validators.length, 1, most)
    for (const v of t.validators) if (typeof v.name !== 'string' || bytes(v.key).length !== sizes[v.kind] || whole(v.power, 1, 2 ** 31) < 1) return false
    return [t.origin, t.salt, t.seen.root].every((v) => bytes(v, 32)) && typeof t.chain === 'string' && t.chain.length > 0 && t.chain.length <= 50
  } catch {
    return false
  }
}

/** Moves trust on to the validators that the trusted ones named. */
export async function follow(t: Trust, c: Change): Promise<Trust> {
  if (whole(c.height, 1) < t.height) no('form')
  await signed(t, c, new Map([[8, await setHash(c.next)]]))
  return { ...t, validators: c.next, height: c.height + 1 }
}

/** Remembers a checkpoint, if the proof shows that it continues the one seen before (RFC 9162, section 2.1.4.2). */
export async function extend(t: Trust, to: Seen, proof: readonly string[]): Promise<Trust> {
  const { seen } = t
  const moved = { ...t, seen: to }
  if (seen.size === 0) return moved
  if (to.size < seen.size || (to.size === seen.size && to.root !== seen.root)) no('forked')
  if (to.size === seen.size) return moved
  let i = seen.size - 1
  let last = whole(to.size) - 1
  const up = (): void => { i = Math.floor(i / 2); last = Math.floor(last / 2) }
  while (i % 2) up()
  const path = proof.map((p) => bytes(p, 32))
  if (i === 0) path.unshift(bytes(seen.root, 32))
  let old = path.shift() ?? no('forked')
  let now = old
  for (const p of path) {
    if (last === 0) no('forked')
    if (i % 2 || i === last) {
      old = await node(p, old)
      now = await node(p, now)
      while (i % 2 === 0 && i) up()
    } else now = await node(now, p)
    up()
  }
  return last || b64(old) !== seen.root || b64(now) !== to.root ? no('forked') : moved
}

/** The root of the state that a leaf, or what is in its place, leads to. */
export async function stateRoot(key: Uint8Array, h: Bytes, path: readonly string[]): Promise<Bytes> {
  const bit = (i: number): number => ((key[i >> 3] as number) >> (7 - (i & 7))) & 1
  if (path.length > 256) no('form')
  for (let i = path.length - 1; i >= 0; i--) {
    const beside = bytes(path[i] as string, 32)
    h = await (bit(i) ? node(beside, h) : node(h, beside))
  }
  return h
}

/** What the chain's state held at a key when the trusted validators signed; nothing there is undefined. */
export async function checkState(t: Trust, key: Uint8Array, p: StateProof): Promise<{ readonly value: string | undefined; readonly agreed: Omit<Agreed, 'size' | 'root'> }> {
  const bit = (k: Uint8Array, i: number): number => ((k[i >> 3] as number) >> (7 - (i & 7))) & 1
  let h: Bytes = new Uint8Array(32)
  if (p.value !== undefined && p.other) no('form')
  if (p.value !== undefined) h = await sha([0], key, bytes(p.value, 32))
  else if (p.other) {
    const other = bytes(p.other.key, 32)
    if (same(other, key) || p.path.some((_, i) => bit(other, i) !== bit(key, i))) no('content')
    h = await sha([0], other, bytes(p.other.value, 32))
  }
  return { value: p.value, agreed: await signed(t, p, new Map([[10, await stateRoot(key, h, p.path)]])) }
}

/** What the log holds of a content. */
export const commitment = async (kind: string, salt: string, content: Uint8Array): Promise<Bytes> => {
  const opens = bytes(salt, 32)
  return join(await sha(utf8(`ward/leaf/2\n${kind}\n`), opens.subarray(0, 16), await sha(content)), opens.subarray(16))
}

/** Where the state holds the line of a chain of statements: of the roster by the clinic's id, of a thread by its person's … */
export async function lineKey(t: Trust, chain: string): Promise<Bytes> {
  return sha(utf8('chain\0'), bytes(t.origin, 32), await sha(utf8('ward/label/1\n'), bytes(t.salt, 32), utf8(chain)))
}

/** … its value after one more statement … */
export async function lineAfter(value: string | undefined, text: string): Promise<string> {
  return b64(await sha(utf8('ward/link/1\n'), value === undefined ? new Uint8Array(32) : bytes(value, 32), await sha(utf8(text))))
}

/** … and after these. */
export async function lineValue(texts: readonly string[]): Promise<string> {
  let value: string | undefined
  for (const text of texts) value = await lineAfter(value, text)
  return value ?? b64(new Uint8Array(32))
}
