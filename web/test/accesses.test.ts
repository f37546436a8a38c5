// All accesses that were agreed are shown, or a person is told that they are not: a clinic with the log of a shared vector.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { bytes } from '../src/ledger/verify.ts'
import { browser, Hillside, leaf } from './hillside.ts'

interface Input { readonly salt: string; readonly chart: string; readonly key: string; readonly entries: string; readonly shown: readonly { salt: string; text: string }[] }
const { input } = JSON.parse(readFileSync(join(process.env.WARD_ROOT ?? '.', 'testdata/vectors/receipts/accesses-chart.json'), 'utf8')) as { input: Input }

async function clinic(): Promise<Hillside> {
  const h = await Hillside.of(4)
  h.salt = input.salt
  const entries = bytes(input.entries)
  for (let at = 0; at < entries.length; at += 48) h.leaves.push(await leaf(entries.subarray(at, at + 48)))
  h.accesses = { key: input.key, entries, shown: input.shown }
  await h.agree()
  return h
}

test('all accesses to a chart that were agreed are shown', async () => {
  const h = await clinic()
  const b = browser(() => h)
  await b.look()
  for (let twice = 0; twice < 2; twice++) assert.deepEqual(await b.ledger().accesses(input.chart), { found: 4, gaps: [] })
  assert.deepEqual(b.ledger().state.alarms, [])
})

test('an access that is hidden from the start is an alarm, which stays over a reload', async () => {
  const h = await clinic()
  const b = browser(() => h)
  await b.look()
  if (h.accesses) h.accesses = { ...h.accesses, shown: input.shown.filter((_, i) => i !== 3) }
  assert.deepEqual((await b.ledger().accesses(input.chart))?.gaps, [{ number: 4, why: 'missing' }])
  if (h.accesses) h.accesses = { ...h.accesses, shown: input.shown }
  assert.deepEqual(await b.look(), ['hidden'])
})

test('an access that is shown to who checks, and left out of the list, is an alarm', async () => {
  const h = await clinic()
  const b = browser(() => h)
  await b.look()
  const ledger = b.ledger()
  const size = await ledger.agreedSize()
  await ledger.accesses(input.chart)
  const all = input.shown.map(({ text }) => JSON.parse(text) as Row)
  const [first, second, third, fourth] = all as [Row, Row, Row, Row]
  const whole = [fourth, third, second, first]
  const most = Number.MAX_SAFE_INTEGER
  const unlisted = (rows: readonly Row[], of = size, from = 0, to = most): Promise<readonly string[]> =>
    ledger.unlisted(input.chart, of, rows, from, to, (e, text) => (JSON.parse(text) as Row).event === e.event && e.action === undefined)
  assert.deepEqual(await unlisted(whole), [])
  assert.deepEqual(await unlisted([second, first], size, 0, third.seq - 1), []) // an older page
  assert.deepEqual(await unlisted([], 0), []) // agreed after the list was asked for
  assert.deepEqual(ledger.state.alarms, [])
  assert.deepEqual(await unlisted([fourth, third, first]), [second.event])
  assert.deepEqual(await b.look(), ['hidden'])
  assert.deepEqual(await unlisted([fourth, { ...third, action: 'nothing' }, second, first]), [third.event]) // another row in its place
  for (const forged of [[...whole, { event: 'none', seq: most }], [first, second, third, fourth], [...whole, whole[3] as Row]]) {
    assert.deepEqual(await unlisted(forged), whole.map((e) => e.event).reverse()) // no order, no list
  }
})

interface Row { readonly event: string; readonly seq: number; readonly action?: string }

test('a log that is not the one that was agreed, and one that is withheld, prove nothing and are told after an hour', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.parse('2026-12-01T12:04:00Z') })
  const h = await clinic()
  const b = browser(() => h)
  await b.look()
  const other = bytes(input.entries)
  other[47] = (other[47] as number) ^ 1
  if (h.accesses) h.accesses = { ...h.accesses, entries: other }
  assert.equal(await b.ledger().accesses(input.chart), undefined)
  h.withheld = { how: 'refused', routes: /entries|accesses/ }
  assert.equal(await b.ledger().accesses(input.chart), undefined)
  t.mock.timers.tick(61 * 60 * 1000)
  assert.deepEqual(await b.look(), ['unchecked'])
  h.withheld = undefined
  if (h.accesses) h.accesses = { ...h.accesses, entries: bytes(input.entries) }
  assert.equal((await b.ledger().accesses(input.chart))?.found, 4)
  assert.deepEqual(await b.look(), [])
})
