// Silence is told: each route of the ledger refused, hanging, empty, stripped; and what was found out stays told.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { browser, Hillside, leaf, type Withholding } from './hillside.ts'
import { random } from '../src/seal/bytes.ts'
import type { Proof } from '../src/engine/types.ts'

const hour = 60 * 60 * 1000
const minute = 60 * 1000
const everything = /./

/** A clinic with something that happened and is agreed, and a browser that has seen the head. */
async function seen(t: TestContext): Promise<{ h: Hillside; b: ReturnType<typeof browser>; proofOf: (ref: string) => Promise<Proof | undefined> }> {
  t.mock.timers.enable({ apis: ['Date', 'setTimeout'], now: Date.parse('2026-12-01T12:04:00Z') })
  const h = await Hillside.of(4)
  h.seconds = Date.now() / 1000
  h.hung = () => t.mock.timers.tick(20_000)
  const b = browser(() => h)
  await h.happens('look-1')
  await h.grow(3)
  assert.deepEqual(await b.look(), [])
  const proofOf = async (ref: string): Promise<Proof | undefined> => {
    const event = h.events.find((e) => e.ref === ref)
    const time = event ? (JSON.parse(event.text) as { time: string }).time : new Date().toISOString()
    return (await b.ledger().proofs('/api/charts/c/receipts', 'event', [{ ref, time, written: time, says: (text) => text === event?.text }]))[0]
  }
  assert.equal((await proofOf('look-1'))?.state, 'agreed')
  return { h, b, proofOf }
}

for (const how of ['refused', 'hanging'] as const) {
  test(`a ledger that is ${how} is said not to be checked since it last was, and alarms after an hour, over reloads`, async (t) => {
    const { h, b, proofOf } = await seen(t)
    h.withheld = { how, routes: everything }
    t.mock.timers.tick(minute)
    assert.deepEqual(await b.look(), [])
    assert.equal(b.ledger().state.unchecked, '2026-12-01T12:04:00.000Z')
    assert.deepEqual(await proofOf('look-1'), { state: 'unchecked', since: '2026-12-01T12:04:00.000Z' })
    assert.equal((await b.ledger().lineProof(h.own)).state, 'unchecked')
    t.mock.timers.tick(hour + minute)
    assert.deepEqual(await b.look(), ['unchecked'])
    assert.equal(b.ledger().state.alarms[0]?.time, '2026-12-01T12:04:00.000Z')
    h.withheld = undefined
    assert.deepEqual(await b.look(), [])
    assert.equal(b.ledger().state.unchecked, undefined)
    assert.equal((await proofOf('look-1'))?.state, 'agreed')
  })
}

test('each route that is withheld by itself is noticed', async (t) => {
  const { h, b, proofOf } = await seen(t)
  const routes: readonly (readonly [RegExp, Withholding, string])[] = [
    [/^\/api\/ledger$/, 'refused', 'unchecked'], [/^\/api\/ledger$/, 'hanging', 'unchecked'], [/^\/api\/ledger$/, 'empty', 'unchecked'],
    [/consistency/, 'refused', 'unchecked'], [/consistency/, 'hanging', 'unchecked'], [/consistency/, 'empty', 'unchecked'],
    [/receipts/, 'refused', 'unchecked'], [/receipts/, 'hanging', 'unchecked'], [/receipts/, 'empty', 'unchecked'], [/receipts/, 'stripped', 'missing'],
  ]
  for (const [route, how, state] of routes) {
    await h.grow(1)
    h.withheld = { how, routes: route }
    const alarms = await b.look()
    assert.equal((await proofOf('look-1'))?.state, state, `${String(route)} ${how}`)
    if (route.source.includes('ledger$') && how === 'empty') assert.deepEqual(alarms, ['silent'])
    h.withheld = undefined
    assert.deepEqual(await b.look(), [], `${String(route)} ${how}, and answered again`)
    assert.equal((await proofOf('look-1'))?.state, 'agreed')
  }
})

test('proofs that are withheld for an hour alarm although the history is shown', async (t) => {
  const { h, b, proofOf } = await seen(t)
  h.withheld = { how: 'refused', routes: /receipts/ }
  assert.equal((await proofOf('look-1'))?.state, 'unchecked')
  t.mock.timers.tick(hour + minute)
  await h.grow(1)
  assert.deepEqual(await b.look(), ['unchecked'])
})

test('who never knew of a ledger is not told that proofs are gone, nor that there are none', async (t) => {
  t.mock.timers.enable({ apis: ['Date', 'setTimeout'], now: Date.now() })
  const h = await Hillside.of(1)
  const b = browser(() => h)
  h.withheld = { how: 'refused', routes: everything }
  assert.deepEqual(await b.look(), [])
  t.mock.timers.tick(2 * hour)
  assert.deepEqual(await b.look(), [])
  assert.deepEqual((await b.ledger().proofs('/api/charts/c/receipts', 'event', [{ ref: 'e', time: '', says: () => true }]))[0], { state: 'unchecked' })
})

test('what waits is agreed soon; below a head that was seen it is missing, and its place cannot be moved on', async (t) => {
  const { h, b, proofOf } = await seen(t)
  await h.happens('look-2')
  assert.deepEqual(await proofOf('look-2'), { state: 'pending', late: false })
  const event = h.events.find((e) => e.ref === 'look-2')
  assert.ok(event)
  event.index += 1000 // a forged look, whose leaf is always still to come
  await h.grow(3)
  assert.deepEqual(await b.look(), [])
  assert.deepEqual(await proofOf('look-2'), { state: 'missing' })
})

test('a look in no leaf, and one of which the next heads know nothing, are missing', async (t) => {
  const { h, b, proofOf } = await seen(t)
  h.events.push({ ref: 'forged', text: JSON.stringify({ event: 'forged', time: new Date().toISOString() }), salt: h.events[0]?.salt ?? '', index: 1_000_000 })
  h.events.push({ ref: 'nowhere', text: JSON.stringify({ event: 'nowhere', time: new Date().toISOString() }), salt: h.events[0]?.salt ?? '', index: -1 })
  assert.deepEqual(await proofOf('forged'), { state: 'pending', late: false })
  assert.deepEqual(await proofOf('nowhere'), { state: 'missing' })
  h.seconds += 11 * 60
  await h.grow(1)
  assert.deepEqual(await b.look(), [])
  assert.deepEqual(await proofOf('forged'), { state: 'missing' })
})

test('an alarm stays when the answer that could end it is withheld, and over a reload', async (t) => {
  const { h, b } = await seen(t)
  const before = h.leaves
  h.leaves = [...before]
  h.leaves[1] = await leaf(random(32))
  await h.grow(2)
  assert.deepEqual(await b.look(), ['forked'])
  for (const how of ['refused', 'hanging'] as const) {
    h.withheld = { how, routes: everything }
    assert.deepEqual(await b.look(), ['forked'], how)
  }
  h.withheld = undefined
  h.leaves = before
  await h.grow(3)
  assert.deepEqual(await b.look(), [])
})

test('what vanished is told after a reload, until the person goes on', async (t) => {
  const { h, b } = await seen(t)
  await b.ledger().vanished('c', [{ seq: 4, event: 'look-1', time: '2026-12-01T12:00:00Z' }], 0, 9)
  await b.ledger().vanished('c', [], 0, 9)
  assert.deepEqual(b.ledger().state.alarms.map((a) => a.kind), ['gone'])
  assert.deepEqual(await b.look(), ['gone'])
  await b.ledger().accept(async () => h.own)
  assert.deepEqual(await b.look(), [])
})
