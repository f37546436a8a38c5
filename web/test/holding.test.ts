// Runs testdata/vectors/locks, which Go runs too (package locks): each lock must be due or not, name whom it names, find
// the same faults in each try, and follow the same one.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Role } from '../src/engine/types.ts'
import { faultsOf, follow, isDue, nextMembers, type Facts, type Member, type Place, type Try } from '../src/seal/holding.ts'

interface WireTry { readonly number: number; readonly author: string; readonly roll: number; readonly time: string; readonly members: readonly Member[] }
interface Standing { readonly since: number; readonly card: string; readonly roles: readonly Role[]; readonly active: boolean }
interface Vector {
  readonly name: string; readonly good: boolean
  readonly input: {
    readonly kind: string; readonly epoch: WireTry; readonly added: readonly Member[]; readonly left: readonly string[]
    readonly people: Readonly<Record<string, readonly Standing[]>>; readonly epochs: Readonly<Record<string, number>>; readonly holds: Readonly<Record<string, readonly string[]>>
    readonly tries: readonly WireTry[]; readonly sound: readonly boolean[]
  }
  readonly output: { readonly due: boolean; readonly list: readonly Member[]; readonly faults: readonly (readonly string[])[]; readonly follows: number }
}

const folder = join(process.env['WARD_ROOT'] ?? '.', 'testdata', 'vectors', 'locks')
const tryOf = (t: WireTry): Try => ({ number: t.number, author: t.author, at: { roll: t.roll, time: t.time }, members: t.members })

function factsOf({ people, epochs, holds }: Vector['input']): Facts {
  return {
    person: (id: string, at: Place) => people[id]?.filter((s) => s.since <= at.roll).at(-1) ?? { card: '', roles: [], active: false },
    epoch: (lock) => epochs[lock] ?? 0,
    holds: (lock, person) => holds[lock]?.includes(person) ?? false,
  }
}

const vectors = readdirSync(folder).map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Vector)

test('there are locks to judge, good and bad', () => {
  assert.ok(vectors.filter((v) => !v.good).length >= 30 && vectors.some((v) => v.good))
})

for (const { name, good, input, output } of vectors) {
  test(`locks: ${name}`, () => {
    const lock = { kind: input.kind, epoch: tryOf(input.epoch), added: input.added, left: input.left }
    const facts = factsOf(input)
    const tries = input.tries.map(tryOf)
    const at = (tries.at(-1) as Try).at
    assert.equal(isDue(lock, at, facts), output.due)
    assert.deepEqual(nextMembers(lock, at, facts), output.list)
    const faults = tries.map((t, i) => [...faultsOf(lock, t, tries.slice(0, i), facts)])
    assert.deepEqual(faults, output.faults)
    assert.equal(faults.at(-1)?.length === 0, good)
    assert.equal(follow(lock, tries, facts, (i) => input.sound[i] === true), output.follows)
  })
}
