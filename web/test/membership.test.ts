// The signed history of members: vectors that Go runs too, and what the vectors do not hold.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Roster, Thread } from '../src/seal/membership.ts'
import { idFor, Maker } from './histories.ts'

interface Input { readonly org: string; readonly clinic: string; readonly roster: readonly string[]; readonly person?: string; readonly thread?: readonly string[]; readonly now: string; readonly breaks?: number }
interface Vector { readonly name: string; readonly good: boolean; readonly wrong?: string; readonly input: Input; readonly output?: unknown }

const folder = join(process.env.WARD_ROOT ?? '.', 'testdata/vectors/membership')
const names = readdirSync(folder).filter((name) => name.endsWith('.json'))

/** The people of each place, and what is pending, as the vectors say it. */
function output(history: Roster | Thread, first: number): unknown {
  const places = []
  for (let seq = first; seq <= history.head.seq; seq++) {
    const people = history.at(seq).map(({ person, roles, active, alone, serial, card, name }) => ({ person, roles, active, alone, serial, card, name }))
    places.push({ seq, people })
  }
  const pending = history.pending.map(({ what, type, person, needs, from }) => ({ what, type, person: person ?? '', needs, from: from ?? '' }))
  return { places, pending }
}

test('there are vectors', () => assert.ok(names.length >= 60))
for (const file of names) {
  const v = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Vector
  test(`${v.name}: ${v.wrong ?? 'good'}`, async () => {
    const { org, clinic, person, thread, now, breaks } = v.input
    const roster = await Roster.start(org, clinic)
    let broke = await roster.read(v.input.roster, now)
    let last: Roster | Thread = roster
    if (person !== undefined) {
      assert.equal(broke, undefined)
      last = Thread.start(roster, person)
      broke = await last.read(thread ?? [], now)
    }
    if (!v.good) {
      assert.equal(broke?.seq, breaks)
      return
    }
    assert.equal(broke, undefined)
    assert.deepEqual(output(last, last === roster ? 0 : 1), v.output)
  })
}

/** What was saved, as it comes back from a disk. */
const kept = (saved: unknown): unknown => JSON.parse(JSON.stringify(saved))

for (const file of names) {
  const v = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Vector
  const { org, clinic, person, thread, now } = v.input
  if (v.good) {
    test(`${v.name}: saved and loaded at each place, it reads on the same`, async () => {
      let roster = await Roster.start(org, clinic)
      for (const text of v.input.roster) {
        roster = Roster.load(kept(roster.save()))
        await roster.append(text, now)
      }
      let last: Roster | Thread = roster
      if (person !== undefined) {
        let own = Thread.start(roster, person)
        for (const text of thread ?? []) {
          own = Thread.load(kept(own.save()), roster)
          await own.append(text, now)
        }
        last = own
      }
      assert.deepEqual(output(last, last === roster ? 0 : 1), v.output)
    })
  } else {
    test(`${v.name}: what is refused changes nothing`, async () => {
      const roster = await Roster.start(org, clinic)
      const last = person === undefined ? roster : (await roster.read(v.input.roster, now), Thread.start(roster, person))
      const texts = person === undefined ? v.input.roster : (thread ?? [])
      await last.read(texts.slice(0, (v.input.breaks as number) - 1), now)
      const before = last.save()
      await assert.rejects(last.append(texts[(v.input.breaks as number) - 1] as string, now))
      assert.deepEqual(last.save(), before)
    })
  }
}

test('cards are current from their place on, until the next or until their person leaves', async () => {
  const m = await Maker.start()
  await m.founder()
  const first = await m.join('founder', 'desk', 'frontdesk')
  const second = await m.card('desk', undefined)
  await m.say('ward/deactivate/1', 'founder', { person: await idFor('desk') })
  const roster = await Roster.start(m.org, m.clinic)
  assert.equal(await roster.read(m.texts, m.now), undefined)
  const spans = roster.cards(await idFor('desk')).map(({ card, serial, from, to }) => ({ card, serial, from, to }))
  assert.deepEqual(spans, [{ card: first, serial: 1, from: 3, to: 4 }, { card: second, serial: 2, from: 4, to: 5 }])
  assert.equal(roster.person(await idFor('desk'), 2), undefined)
  assert.equal(roster.person(await idFor('desk'), 3)?.since, 3)
  assert.equal(roster.hashAt(3), first)
})

test('of two statements at once for one place, one is taken', async () => {
  const m = await Maker.start()
  await m.founder()
  await m.invite('founder', 'desk', 'frontdesk', 'link')
  const roster = await Roster.start(m.org, m.clinic)
  await roster.append(m.texts[0] as string, m.now)
  const both = await Promise.allSettled([roster.append(m.texts[1] as string, m.now), roster.append(m.texts[1] as string, m.now)])
  assert.deepEqual(both.map((one) => one.status).sort(), ['fulfilled', 'rejected']) // either may be checked first
  assert.equal(roster.head.seq, 2)
})

test('a history that another version saved is not loaded', () => {
  assert.throws(() => Roster.load({ format: 'ward/membership/0' }))
  assert.throws(() => Roster.load(null))
})

test('a thread is not loaded beside a roster that is older than it', async () => {
  const v = JSON.parse(readFileSync(join(folder, 'patient.json'), 'utf8')) as Vector
  const { org, clinic, person, thread, now } = v.input
  const roster = await Roster.start(org, clinic)
  await roster.read(v.input.roster, now)
  const own = Thread.start(roster, person as string)
  await own.read(thread ?? [], now)
  const older = await Roster.start(org, clinic)
  assert.throws(() => Thread.load(own.save(), older), /newer than its roster/)
})
