// What this device could not check, and since when; and what it found wrong. Both are kept on the device, so that neither
// a reload nor an answer that is withheld ends them: only an answer that checks does, or the person, who was told.

import type { Shelf } from './shelf.ts'
import type { ID, LedgerAlarm } from './types.ts'

/** What is checked: the history, and what proofs show of single things, and that all accesses are shown. Each may be withheld without the other. */
export type Checked = 'history' | 'proofs' | 'accesses'

/** How long something may go unchecked before that is an alarm, in ms: longer than an upgrade or a bad network takes. */
const alarming = 60 * 60 * 1000

interface Kept { readonly since: Partial<Record<Checked, number>>; readonly last: Partial<Record<Checked, number>>; readonly wrong: readonly LedgerAlarm[] }

export class Silence {
  private kept: Kept = { since: {}, last: {}, wrong: [] }
  private loading: Promise<void> | undefined
  private writing: Promise<void> = Promise.resolve()
  private readonly shelf: Shelf
  private readonly key: string

  constructor(shelf: Shelf, person: ID) {
    this.shelf = shelf
    this.key = `ledger-silence/${person}`
  }

  /** Recalls what was kept; to be awaited before anything else is believed. */
  load(): Promise<void> {
    this.loading ??= this.shelf.get('pins', this.key).then((kept) => { if (kept) this.kept = kept as Kept })
    return this.loading
  }

  get wrong(): readonly LedgerAlarm[] { return this.kept.wrong }

  /** When it was checked last, in ms. */
  last(what: Checked): number | undefined { return this.kept.last[what] }

  /** Since when it could not be checked, in ms: nothing if it was the last time. */
  since(what: Checked): number | undefined { return this.kept.since[what] }

  /** The alarm that something went unchecked for too long. */
  alarm(): LedgerAlarm | undefined {
    const long = (Object.entries(this.kept.since) as [Checked, number][]).filter(([, since]) => Date.now() - since > alarming).map(([what, since]) => this.kept.last[what] ?? since)
    return long.length === 0 ? undefined : { kind: 'unchecked', time: new Date(Math.min(...long)).toISOString() }
  }

  async checked(what: Checked): Promise<void> {
    const { [what]: _, ...since } = this.kept.since
    await this.keep({ ...this.kept, since, last: { ...this.kept.last, [what]: Date.now() } })
  }

  async withheld(what: Checked): Promise<void> {
    if (this.kept.since[what] === undefined) await this.keep({ ...this.kept, since: { ...this.kept.since, [what]: Date.now() } })
  }

  async found(wrong: readonly LedgerAlarm[]): Promise<void> {
    if (JSON.stringify(wrong) !== JSON.stringify(this.kept.wrong)) await this.keep({ ...this.kept, wrong })
  }

  /** The person was told, and goes on. */
  async forget(): Promise<void> { await this.keep({ since: {}, last: this.kept.last, wrong: [] }) }

  /** Kept in the order of what happened, one write after the other. */
  private keep(kept: Kept): Promise<void> {
    this.kept = kept
    this.writing = this.writing.catch(() => undefined).then(() => this.shelf.put('pins', this.key, kept))
    return this.writing
  }
}
