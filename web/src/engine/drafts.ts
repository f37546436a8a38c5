// What a person has begun to write and not sent: kept sealed in this browser as they type, so that a reload, a battery
// that dies or signing out does not lose it, and nobody else who uses the browser reads it. Known at once while signed
// in, since screens draw it.

import type { Safe, Shelf } from './shelf.ts'

/** Typing is written down when it pauses this long, in ms, and when the page is left. */
const pause = 300

export class Drafts {
  private readonly all = new Map<string, unknown>()
  private readonly unkept = new Set<string>()
  private timer: ReturnType<typeof setTimeout> | undefined
  private keeping: Promise<void> = Promise.resolve()
  private readonly shelf: Shelf
  private readonly safe: Safe
  private readonly person: string

  constructor(shelf: Shelf, safe: Safe, person: string) {
    this.shelf = shelf
    this.safe = safe
    this.person = person
  }

  async load(): Promise<void> {
    const mine = `${this.person}/`
    for (const key of await this.shelf.keys('drafts')) {
      if (!key.startsWith(mine)) continue
      const draft = await this.safe.open<{ value: unknown }>(`drafts/${key}`, await this.shelf.get('drafts', key))
      if (draft) this.all.set(key.slice(mine.length), draft.value)
    }
  }

  get(name: string): unknown { return this.all.get(name) }

  /** Keeps a draft, soon; or drops it if it is undefined, and returns once it is gone for good. */
  async keep(name: string, value: unknown): Promise<void> {
    this.unkept.add(name)
    if (value === undefined) {
      this.all.delete(name)
      return this.flush()
    }
    this.all.set(name, value)
    clearTimeout(this.timer)
    this.timer = setTimeout(() => void this.flush(), pause)
  }

  /** Drops drafts that were sent, and returns once they are gone for good. */
  drop(names: readonly string[]): Promise<void> {
    for (const name of names) void this.keep(name, undefined)
    return this.flush()
  }

  /** Drops every draft whose name begins so: those of a chart that was erased. */
  forget(beginning: string): Promise<void> { return this.drop([...this.all.keys()].filter((name) => name.startsWith(beginning))) }

  /** Writes down what was typed since the last pause. */
  flush(): Promise<void> {
    clearTimeout(this.timer)
    this.keeping = this.keeping.then(() => this.write()).catch((error: unknown) => console.warn('drafts:', error))
    return this.keeping
  }

  private async write(): Promise<void> {
    for (const name of [...this.unkept]) {
      this.unkept.delete(name)
      const key = `${this.person}/${name}`
      if (this.all.has(name)) await this.shelf.put('drafts', key, await this.safe.seal(`drafts/${key}`, { value: this.all.get(name) }))
      else await this.shelf.remove('drafts', key)
    }
  }
}
