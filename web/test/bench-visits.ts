// What it costs a browser when someone comes into a visit or is taken out: to make the change, and to process another's.
// The members' cards and admissions are checked as they are in a visit.

import { b64, newID, random, signingKey } from '../src/seal/bytes.ts'
import { write } from '../src/seal/statements.ts'
import type { Circle } from '../src/visit/credential.ts'
import { Group, type Me } from '../src/visit/group.ts'

interface Costs { make: number; process: number }

/** Someone joins a group, so that it has so many members, and is taken out again, some rounds long; times are in ms. Who
 * processes a removal is another member, if there is one besides the host: who is removed has less to do. */
export async function measure(members: number, rounds: number): Promise<{ join: Costs[]; remove: Costs[] }> {
  const org = newID()
  const visit = newID()
  const people = await Promise.all(Array.from({ length: members }, async () => ({ id: newID(), card: b64(random(32)), browser: await signingKey(random(32)) })))
  const host = people[0] as (typeof people)[number]
  const circle: Circle = {
    org, visit, host: host.id, out: { members: new Set(), add: async () => undefined }, now: () => Date.now(),
    hasBrowser: async (who, key) => people.some((p) => p.id === who && p.browser.public === key),
    card: async (who) => people.find((p) => p.id === who)?.card ?? '',
  }
  const time = new Date().toISOString()
  const until = new Date(Date.now() + 3_600_000).toISOString()
  const me = async (p: (typeof people)[number]): Promise<Me> => {
    const admission = p === host ? undefined : await write('ward/admission/1', { org, visit, member: p.id, card: p.card, role: 'patient', admitter: host.id, time, until }, host.browser.sign)
    return { person: p.id, card: p.card, browser: p.browser.public, sign: p.browser.sign, ...(admission && { admission: { text: admission.text, browser: host.browser.public } }) }
  }
  const timed = async <T>(work: () => Promise<T>): Promise<{ ms: number; value: T }> => {
    const start = performance.now()
    const value = await work()
    return { ms: performance.now() - start, value }
  }
  const begun = await Group.begin(circle, await me(host))
  const doctor = begun.group
  let info = begun.groupInfo
  let other: Group | undefined
  for (const p of people.slice(1, -1)) {
    const { group, next } = await Group.join(circle, await me(p), info)
    await doctor.process(next.commit)
    if (other) await other.process(next.commit)
    else {
      await group.take(next)
      other = group
    }
    info = next.groupInfo
  }
  const last = people.at(-1) as (typeof people)[number]
  const found: { join: Costs[]; remove: Costs[] } = { join: [], remove: [] }
  for (let round = 0; round < rounds; round++) {
    const leaf = await me(last)
    const joined = await timed(() => Group.join(circle, leaf, info))
    found.join.push({ make: joined.ms, process: (await timed(() => doctor.process(joined.value.next.commit))).ms })
    await joined.value.group.take(joined.value.next)
    await other?.process(joined.value.next.commit)
    const removed = await timed(async () => {
      const next = await doctor.remove([last.id])
      if (!next) throw new Error('nobody to take out')
      await doctor.take(next)
      return next
    })
    found.remove.push({ make: removed.ms, process: (await timed(() => (other ?? joined.value.group).process(removed.value.commit))).ms })
    info = removed.value.groupInfo
  }
  return found
}
