// Who is out of a visit, as this browser keeps it (visit/out.ts): ids, and until when they matter.

import { missingFrom, type Out } from '../visit/out.ts'
import { problemOf } from './problem.ts'
import type { Shelf } from './shelf.ts'
import type { ID } from './types.ts'

/** How long it is kept after the last one was taken out, in milliseconds: longer than the admissions from before are good
 * for. That the visit is over is no reason to forget it, since only the server says so. */
const keptFor = 2 * 24 * 3_600_000

interface Kept { readonly members: readonly ID[]; readonly until: number }

export class KnownOut implements Out {
  members: ReadonlySet<ID>
  private readonly shelf: Shelf
  private readonly name: string

  private constructor(shelf: Shelf, name: string, members: ReadonlySet<ID>) {
    this.shelf = shelf
    this.name = name
    this.members = members
  }

  /** What was kept of a visit; what is kept of others goes when its time has come. */
  static async of(shelf: Shelf, visit: ID): Promise<KnownOut> {
    const name = `out/${visit}`
    const found = (await shelf.get('pins', name)) as Kept | undefined
    for (const key of await shelf.keys('pins')) {
      if (key.startsWith('out/') && ((await shelf.get('pins', key)) as Kept).until < Date.now()) await shelf.remove('pins', key)
    }
    return new KnownOut(shelf, name, new Set(found?.members))
  }

  async add(members: Iterable<ID>): Promise<void> {
    const all = new Set([...this.members, ...members])
    if (missingFrom(all, this.members) === undefined) return
    this.members = all
    try {
      await this.shelf.put('pins', this.name, { members: [...all], until: Date.now() + keptFor } satisfies Kept)
    } catch (error) {
      console.warn('who is out of the visit is known until this page is loaded again:', problemOf(error).message) // the visit goes on
    }
  }
}
