// What a person wrote and the server does not have yet: kept sealed in this browser, sent in order, once. What is sent
// is kept byte for byte until the server has answered: the same bytes again are stored once, even by a server whose
// answer was lost. Only when the server says that it has not taken them are they sealed anew, to the epoch that
// counts then.

import { b64, unb64 } from '../seal/bytes.ts'
import type { ContentHeader } from '../seal/content.ts'
import type { Entries } from './entries.ts'
import type { Net } from './net.ts'
import { problemOf } from './problem.ts'
import type { Safe, Shelf } from './shelf.ts'
import type { Statement } from '../seal/statements.ts'
import type { Compartment, ProblemCode } from './types.ts'

export interface Waiting {
  readonly chart: string; readonly lock: string; readonly compartment?: Compartment | undefined; readonly header: ContentHeader; readonly body: string
  state: 'waiting' | 'sending' | 'refused'; problem?: ProblemCode
  sent?: { readonly text: string; readonly sealed: string } // as it went, with sealed in b64
}

const maxTries = 3

export class Outbox {
  private all: Waiting[] = []
  private unread: readonly Waiting[] = [] // what the server has taken, and nobody here has read back: it must not vanish meanwhile
  private running: Promise<void> = Promise.resolve()
  private readonly shelf: Shelf
  private readonly safe: Safe
  private readonly person: string
  private readonly net: Net
  private readonly entries: Entries
  private readonly epochs: (w: Waiting, fresh: boolean) => Promise<readonly Statement<'ward/epoch/1'>[]>
  private readonly changed: (w: Waiting) => void

  constructor(shelf: Shelf, safe: Safe, person: string, net: Net, entries: Entries, epochs: (w: Waiting, fresh: boolean) => Promise<readonly Statement<'ward/epoch/1'>[]>, changed: (w: Waiting) => void) {
    this.shelf = shelf
    this.safe = safe
    this.person = person
    this.net = net
    this.entries = entries
    this.epochs = epochs
    this.changed = changed
  }

  async load(): Promise<void> {
    const names = (await this.shelf.keys('outbox')).filter((k) => k.startsWith(`${this.person}/`)).sort()
    const found = await Promise.all(names.map(async (k) => this.safe.open<Waiting>(`outbox/${k}`, await this.shelf.get('outbox', k))))
    this.all = found.filter((w): w is Waiting => w !== undefined).map((w) => ({ ...w, state: w.state === 'sending' ? 'waiting' : w.state }))
  }

  of(chart: string): readonly Waiting[] { return [...this.unread, ...this.all].filter((w) => w.chart === chart) }
  unreadOf(chart: string): readonly Waiting[] { return this.unread.filter((w) => w.chart === chart) }
  /** The chart was read since these were taken. */
  readBack(taken: readonly Waiting[]): void { this.unread = this.unread.filter((w) => !taken.includes(w)) }
  get count(): number { return this.all.length }
  get waiting(): readonly Waiting[] { return this.all }

  private name(w: Waiting): string { return `${this.person}/${w.header.time}/${w.header.entry}` }

  private async keep(w: Waiting): Promise<void> {
    await this.shelf.put('outbox', this.name(w), await this.safe.seal(`outbox/${this.name(w)}`, w))
  }

  private async drop(w: Waiting): Promise<void> {
    this.all = this.all.filter((other) => other !== w)
    await this.shelf.remove('outbox', this.name(w))
  }

  /** kept: what to do once it cannot be lost any more, before anybody is told of it. */
  async add(chart: string, compartment: Compartment | undefined, header: ContentHeader, body: Uint8Array, kept?: () => Promise<void>): Promise<void> {
    const w: Waiting = { chart, lock: header.lock, compartment, header, body: b64(body), state: 'waiting' }
    await this.keep(w)
    await kept?.()
    this.all.push(w)
    this.changed(w)
  }

  /** Sends what waits, in order; one run at a time, in one tab at a time. */
  send(): Promise<void> {
    this.running = this.running.then(() => this.once()).catch(() => undefined)
    return this.running
  }

  private async once(): Promise<void> {
    const work = async (): Promise<void> => {
      for (const w of [...this.all]) {
        if (w.state === 'refused' || !this.all.includes(w)) continue
        if (!(await this.sendOne(w))) return
      }
    }
    if (typeof navigator !== 'undefined' && 'locks' in navigator) await navigator.locks.request('ward-outbox', work)
    else await work()
  }

  /** Sends one; false if there is no network, and the rest can wait. */
  private async sendOne(w: Waiting): Promise<boolean> {
    const kept = await this.safe.open<Waiting>(`outbox/${this.name(w)}`, await this.shelf.get('outbox', this.name(w)))
    if (!kept) return this.sentOrGone(w) // by another tab, or discarded there
    if (kept.sent) w.sent = kept.sent
    w.state = 'sending'
    this.changed(w)
    for (let attempt = 1; ; attempt++) {
      try {
        w.sent ??= await this.seal(w, attempt > 1)
        await this.keep(w)
        await this.net.post(`/api/locks/${w.lock}/entries`, { entries: [{ text: w.sent.text, sealed: unb64(w.sent.sealed) }] })
        this.unread = [...this.unread, w]
        return this.sentOrGone(w)
      } catch (error) {
        const { code } = problemOf(error)
        if (code === 'conflict' && attempt < maxTries) {
          delete w.sent // not stored: the same bytes would have been taken
          continue
        }
        const wait = code === 'offline' || code === 'unavailable' || code === 'unauthenticated' || code === 'too_many' || code === 'internal'
        w.state = wait ? 'waiting' : 'refused'
        if (!wait) {
          w.problem = code
          delete w.sent
        }
        await this.keep(w)
        this.changed(w)
        return !wait
      }
    }
  }

  private async sentOrGone(w: Waiting): Promise<true> {
    await this.drop(w)
    this.changed(w)
    return true
  }

  private async seal(w: Waiting, fresh: boolean): Promise<NonNullable<Waiting['sent']>> {
    const epochs = await this.epochs(w, fresh)
    const { text, sealed } = await this.entries.seal(epochs, await this.entries.seen(w.lock), w.header, unb64(w.body))
    return { text, sealed: b64(sealed) }
  }

  async tryAgain(entry: string): Promise<void> {
    const w = this.all.find((x) => x.header.entry === entry)
    if (!w) return
    w.state = 'waiting'
    delete w.problem
    await this.keep(w)
    await this.send()
  }

  async discard(entry: string): Promise<void> {
    const w = this.all.find((x) => x.header.entry === entry)
    if (w) {
      await this.drop(w)
      this.changed(w)
    }
  }
}
