// An entry may be corrected or withdrawn by a later one. Which version counts is decided here, for everyone alike
// (docs/formats.md, Versions), from what is signed: nothing of a server's word is in it. Go: seal/versions.go.

/** What of an entry decides which of several counts. Clinician: whether the author was one at the entry's place. */
export interface Version {
  readonly lock: string; readonly seq: number; readonly entry: string; readonly kind: string; readonly author: string; readonly clinician: boolean
  readonly amends?: string | undefined; readonly retracts?: string | undefined
}

/** An entry with what corrected it, oldest first: the last counts, unless it was withdrawn. Numbers are indices of the entries that were given. */
export interface VersionThread { readonly versions: number[]; withdrawn?: number }

/**
 * Sorts the entries of any locks into threads, in order of their first versions. Entries of one lock come in order of their seq. A change is
 * honoured if what it changes came before it in the same lock, and is by its own author or the change by a clinician. An amendment that is not
 * honoured, or comes after its thread was withdrawn, hides nothing: it is a thread of its own. A retraction that is not honoured changes
 * nothing. Snapshots are in no thread.
 */
export function threadsOf(entries: readonly Version[]): VersionThread[] {
  const threads: VersionThread[] = []
  const first = new Map<string, number>() // an id that is used twice is its first entry's
  const threadOf = new Map<number, VersionThread>()
  const target = (e: Version, of: string | undefined): VersionThread | undefined => {
    const i = of ? first.get(`${e.lock}/${of}`) : undefined
    const about = i === undefined ? undefined : entries[i]
    if (i === undefined || !about || about.seq >= e.seq || (about.author !== e.author && !e.clinician)) return undefined
    return threadOf.get(i)
  }
  entries.forEach((e, i) => {
    if (e.kind === 'snapshot') return
    if (e.retracts) {
      const thread = target(e, e.retracts)
      if (thread) thread.withdrawn ??= i
      return
    }
    let thread = target(e, e.amends)
    if (!thread || thread.withdrawn !== undefined) threads.push((thread = { versions: [] }))
    thread.versions.push(i)
    threadOf.set(i, thread)
    const place = `${e.lock}/${e.entry}`
    if (!first.has(place)) first.set(place, i)
  })
  return threads
}
