import { threadsOf } from '../seal/versions.ts'
import type { Item } from './types.ts'

/** Items of a chart that are one thread, oldest first: the last counts, unless it was withdrawn. */
export interface ItemThread { readonly versions: readonly Item[]; readonly withdrawn?: Item }

/** Which versions of a chart's items count (seal/versions.ts). What waits to be sent comes after all that is stored. */
export function versionsOf(items: readonly Item[]): ItemThread[] {
  const place = (i: Item): number => (i.state === 'stored' ? i.seq : Number.MAX_SAFE_INTEGER)
  const ordered = items.map((item, at) => ({ item, at })).sort((a, b) => place(a.item) - place(b.item) || a.at - b.at)
  const threads = threadsOf(ordered.map(({ item: i }, at) => ({
    lock: i.lock, seq: i.state === 'stored' ? i.seq : Number.MAX_SAFE_INTEGER - ordered.length + at, entry: i.entry, kind: i.kind,
    author: i.author.person, clinician: i.author.roles.includes('clinician'), amends: i.amends, retracts: i.retracts,
  })))
  const first = (t: { versions: readonly number[] }): number => ordered[t.versions[0] as number]?.at as number
  return threads.sort((a, b) => first(a) - first(b)).map((t) => ({
    versions: t.versions.map((v) => ordered[v]?.item as Item), ...(t.withdrawn !== undefined && { withdrawn: ordered[t.withdrawn]?.item as Item }),
  }))
}
