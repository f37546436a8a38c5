// All accesses to a chart are numbered without a gap, and each leaf's entry in the log bears a mark of its number. Whoever
// has the key of the marks reads the entries up to an agreed head and knows how many there are, where, and what they commit
// to; and so which are not shown. The twin of ledger/receipt/accesses.go; docs/decisions/0013-accesses.md says why.

import { addLeaf, b64, bytes, commitment, leaf, rootOf, sha } from './verify.ts'
import { utf8 } from '../seal/bytes.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** The size of an entry, and where in it the marks are. */
export const entrySize = 48
const markSize = 8
type Line = 'chart' | 'record'
const placeOf: Readonly<Record<Line, number>> = { chart: 32, record: 40 }

/** Where the log has an event of a line, and what it commits to. */
export interface Found { readonly index: number; readonly commitment: string }
/** An event as it is shown, with what opens its leaf. */
export interface Opened { readonly salt: string; readonly text: string }
export type Why = 'missing' | 'altered' | 'order' | 'twice'
/** An event that the log has and that is not shown as it was written. */
export interface Gap { readonly number: number; readonly why: Why }

/** What is kept of a scan, to go on from. */
export interface Scanned { readonly key: string; readonly size: number; readonly frontier: readonly string[]; readonly found: readonly Found[]; readonly twice: readonly number[] }

/** How many gaps are named: more say no more. */
const mostGaps = 1000

const big = (n: number): Bytes => { const b = new Uint8Array(8); new DataView(b.buffer).setBigUint64(0, BigInt(n)); return b }

/** The mark of the first event that names a chart, or, of no chart, of the first of the record. */
const firstMark = async (salt: string, chart: string): Promise<string> => b64((await sha(utf8('ward/mark/first/1\n'), bytes(salt, 32), utf8(chart))).subarray(0, markSize))

/** Reads a log of an organisation with a salt, for a chart, or for the record if there is none. */
export class Scan {
  private readonly marks = new Map<string, number>()
  private next = ''
  private readonly line: Line
  private readonly key: Bytes
  private readonly salt: string
  private readonly chart: string
  size: number
  private frontier: readonly string[]
  readonly found: Found[]
  private readonly twice: number[]

  private constructor(salt: string, chart: string, from: Scanned) {
    this.line = chart === '' ? 'record' : 'chart'
    this.key = bytes(from.key, 32)
    this.salt = salt
    this.chart = chart
    this.size = from.size
    this.frontier = from.frontier
    this.found = [...from.found]
    this.twice = [...from.twice]
  }

  /** Begins to read a log, or goes on from where it was read to with this key. The key is as it was told; gaps finds out if it is another. */
  static async begin(salt: string, chart: string, key: string, kept?: Scanned): Promise<Scan> {
    const scan = new Scan(salt, chart, kept?.key === key ? kept : { key, size: 0, frontier: [], found: [], twice: [] })
    for (let n = 1; n <= scan.found.length; n++) scan.marks.set(await scan.mark(n), n)
    scan.next = await scan.mark(scan.found.length + 1)
    return scan
  }

  private async mark(n: number): Promise<string> {
    return n === 1 ? firstMark(this.salt, this.chart) : b64((await sha(utf8('ward/mark/1\n'), this.key, big(n))).subarray(0, markSize))
  }

  get kept(): Scanned { return { key: b64(this.key), size: this.size, frontier: this.frontier, found: this.found, twice: this.twice } }

  /** Reads entries, one after the other. */
  async read(entries: Bytes): Promise<void> {
    const hashes = await Promise.all(Array.from({ length: entries.length / entrySize }, (_, i) => leaf(entries.subarray(i * entrySize, (i + 1) * entrySize))))
    for (const [i, hash] of hashes.entries()) {
      const entry = entries.subarray(i * entrySize, (i + 1) * entrySize)
      const at = placeOf[this.line]
      const mark = b64(entry.subarray(at, at + markSize))
      if (mark === this.next) {
        this.found.push({ index: this.size, commitment: b64(entry.subarray(0, 32)) })
        this.marks.set(mark, this.found.length)
        this.next = await this.mark(this.found.length + 1)
      } else if (this.marks.has(mark)) this.twice.push(this.marks.get(mark) as number)
      this.frontier = await addLeaf(this.frontier, this.size, hash)
      this.size++
    }
  }

  root(): Promise<string> { return rootOf(this.frontier) }

  /** Compares what is shown of a line, in its order, with what was found. What is beyond it waits to be agreed, and must follow on. */
  async gaps(shown: readonly Opened[]): Promise<readonly Gap[]> {
    const gaps: Gap[] = this.twice.map((number) => ({ number, why: 'twice' }))
    const keyHash = b64(await sha(utf8('ward/mark/key/1\n'), this.key))
    let at = 0
    let before: string | undefined
    for (const { salt, text } of shown) {
      const { number, follows, key } = placeIn(this.chart, text)
      if (number <= at) {
        gaps.push({ number: at + 1, why: 'order' })
        continue
      }
      for (; at + 1 < number; at++) {
        gaps.push({ number: at + 1, why: 'missing' })
        before = undefined
        if (gaps.length > mostGaps) return gaps
      }
      at = number
      const entry = await commitment('event', salt, utf8(text))
      const here = b64(entry.subarray(0, 32))
      const place = placeOf[this.line]
      const found = this.found[number - 1]
      if ((found && found.commitment !== here) || b64(entry.subarray(place, place + markSize)) !== (await this.mark(number))
        || (before !== undefined && follows !== before) || (number === 1 && (follows !== '' || key !== keyHash))) gaps.push({ number, why: 'altered' })
      before = here
    }
    for (; at < this.found.length && gaps.length <= mostGaps; at++) gaps.push({ number: at + 1, why: 'missing' })
    return gaps
  }
}

/** Which number an event says that it has, what it says that it follows, and, of the first, which key the marks after it are made with. */
function placeIn(chart: string, text: string): { number: number; follows: string; key: string } {
  const none = { number: 0, follows: '', key: '' }
  try {
    const e = JSON.parse(text) as Readonly<Record<'seq' | 'previous' | 'recordKey' | 'number' | 'before' | 'chartKey' | 'chart', unknown>>
    if (chart !== '' && e.chart !== chart) return none
    const [n, follows = '', key = ''] = chart === '' ? [e.seq, e.previous, e.recordKey] : [e.number, e.before, e.chartKey]
    return typeof n === 'number' && Number.isSafeInteger(n) && typeof follows === 'string' && typeof key === 'string' ? { number: n, follows, key } : none
  } catch {
    return none // no event
  }
}
