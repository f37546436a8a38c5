import assert from 'node:assert/strict'
import test from 'node:test'
import type { Item, OpenChart, Role } from '../src/engine/types.ts'
import { note, retraction } from '../src/fhir/write.ts'
import { contentsOf, fold, threads } from '../src/screens/chart/rows.ts'
import { chart as en } from '../src/words/chart/en.ts'

let seq = 0
function item(entry: string, person: string, more: Partial<Item> = {}, roles: readonly Role[] = ['patient']): Item {
  seq++
  return {
    entry, lock: 'l', compartment: 'general', seq, kind: 'note', author: { person, name: person, roles }, time: `2026-01-01T00:00:${String(seq).padStart(2, '0')}Z`, type: 'application/fhir+json', size: 1, state: 'stored',
    resources: [note('c', person, person, '2026-01-01T00:00:00Z', 'Note', entry)], ...more,
  }
}

const withdraws = (entry: string, person: string, retracts: string, roles: readonly Role[] = ['patient']): Item =>
  item(entry, person, { retracts, resources: [retraction('c', person, person, '2026-01-01T00:00:00Z', 'wrong')] }, roles)

const openChart = (items: readonly Item[]): OpenChart =>
  ({ chart: 'c', owner: 'ana', mine: true, compartments: ['general'], writable: ['general'], items, troubles: [], due: false, emergencies: [] })

test('an amendment replaces what it amends, and keeps it as history', () => {
  const [thread, ...rest] = threads([item('a', 'ana'), item('b', 'ana', { amends: 'a' }), item('c', 'ana', { amends: 'b' }), item('d', 'ana', { amends: 'a' })])
  assert.equal(rest.length, 0)
  assert.equal(thread?.now.entry, 'd')
  assert.deepEqual(thread?.before.map((i) => i.entry), ['c', 'b', 'a'])
})

test('nobody but the author and clinicians changes what an entry counts for', () => {
  const all = threads([item('a', 'ana'), item('b', 'eve', { amends: 'a' }), withdraws('c', 'eve', 'a')])
  assert.deepEqual(all.map((t) => [t.now.entry, t.withdrawn === undefined]), [['a', true], ['b', true]], 'what is not honoured stands on its own')
  const [byClinician] = threads([item('a', 'ana'), item('b', 'omar', { amends: 'a' }, ['clinician'])])
  assert.equal(byClinician?.now.entry, 'b')
})

test('withdrawing any version withdraws the thread, with its reason, and its contents count no more', () => {
  const items = [item('a', 'ana'), item('b', 'ana', { amends: 'a' }), withdraws('c', 'ana', 'a')]
  const [thread, ...rest] = threads(items)
  assert.equal(rest.length, 0)
  assert.equal(thread?.withdrawn?.reason, 'wrong')
  assert.deepEqual(contentsOf(openChart(items), 'en', en.fhir).current, [])
})

test('a circle of amendments ends', () => {
  assert.equal(threads([item('a', 'ana', { amends: 'b' }), item('b', 'ana', { amends: 'a' })]).length > 0, true)
})

test('imported records stand at their own dates, newest first, and are found without accents', () => {
  const contents = contentsOf(openChart([
    item('a', 'ana', { kind: 'record', resources: [
      { resourceType: 'Condition', id: '1', code: { text: 'Ánimo decaído' }, onsetDateTime: '2019-04' },
      { resourceType: 'Observation', id: '2', code: { text: 'Weight' }, effectiveDateTime: '2025-02-03T10:00:00Z', valueQuantity: { value: 70, unit: 'kg' } },
    ] }),
    item('b', 'ana', { kind: 'file', filename: 'letter.pdf', title: 'letter.pdf', resources: [] }),
  ]), 'en', en.fhir)
  assert.deepEqual(contents.rows.map((r) => [r.kind, r.when.slice(0, 4)]), [['file', '2026'], ['result', '2025'], ['problem', '2019']])
  assert.deepEqual(contents.rows.filter((r) => contents.searchable(r).includes(fold('ANIMO'))).map((r) => r.kind), ['problem'])
})
