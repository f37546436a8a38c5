// Names, by the vectors that Go's package names runs too (testdata/vectors/names).

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { apart } from '../src/screens/chart/bidi.ts'
import { alike, checkName, shownName, shownText, skeleton, typedName } from '../src/seal/names.ts'
import { shownVisit } from '../src/visit/called.ts'
import type { Caller, Visit } from '../src/visit/door.ts'

interface Vector {
  readonly name: string
  readonly format: 'name' | 'name-alike'
  readonly good: boolean
  readonly input: { readonly name: string; readonly other?: string }
  readonly output: { readonly fault?: string; readonly skeleton: string; readonly shown: string; readonly alike?: boolean }
}

const folder = join(process.env['WARD_ROOT'] ?? '..', 'testdata/vectors/names')

for (const file of readdirSync(folder)) {
  const { name, format, good, input, output } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Vector
  test(`names: ${name}`, () => {
    assert.equal(skeleton(input.name), output.skeleton)
    assert.equal(shownName(input.name), output.shown)
    if (format === 'name-alike') {
      assert.equal(alike(input.name, input.other ?? ''), good)
      return
    }
    assert.equal(checkName(input.name), output.fault)
    assert.equal(checkName(input.name) === undefined, good)
  })
}

test('a half of a surrogate pair is no character of names, and is shown as what was lost', () => {
  assert.equal(checkName('Ada \ud83d'), 'character')
  assert.equal(shownName('Ada \ud83d'), 'Ada \ufffd')
  assert.equal(skeleton('Ada\ud83d'), 'ada')
})

test('what is typed is taken with single spaces and in one form', () => {
  assert.equal(typedName(' Jose\u0301\u00a0 Mari\u0301a\n'), 'José María')
})

test('a text of others keeps its lines, and cannot be turned round', () => {
  assert.equal(shownText('Take one\n\tat night'), 'Take one\n\tat night')
  assert.equal(shownText('pay \u202e001\u202c now\u0007'), 'pay ␣001 now␣')
  assert.equal(shownText('call \u2068+1 555\u2069, آمنة\u200f'), 'call +1 555, آمنة\u200f')
})

test('a name in a sentence stays apart from it, whatever it holds', () => {
  assert.equal(apart('Ada Okafor', 'en'), 'Ada Okafor')
  assert.equal(apart('آمنة', 'en'), '\u2068آمنة\u2069')
  assert.equal(apart('Ada', 'ar'), '\u2068Ada\u2069')
  assert.equal(apart('آمنة\u2069 (clinician)', 'en'), '\u2068آمنة␣ (clinician)\u2069')
})

const guest = (member: string, name: string, since = '2026-11-01T12:00:00.000Z'): Caller => ({ member, state: 'waiting', since, name, role: 'guest', guest: { as: 'family', by: 'amina', byName: 'Amina\u202e' } })
const visitWith = (...callers: readonly Caller[]): Visit => shownVisit({
  visit: 'v', chart: 'c', host: 'okafor', hostName: 'Dr Chidi Okafor', patient: 'amina', patientName: 'Amina Yusuf', starts: '', ends: '', state: 'open', late: 0, me: '', epoch: 0, seq: 0, callers,
})

test('a guest who calls themselves like somebody in the visit is told of', () => {
  for (const name of ['Dr Chidi Okafor', 'chidi okafor', 'Dr Chidi Oka\u200bfor', 'Dr Chidi \u041e\u043aafor']) assert.equal(visitWith(guest('g', name)).callers[0]?.guest?.like, 'Dr Chidi Okafor', name)
  assert.equal(visitWith(guest('g', 'AMINA YUSUF')).callers[0]?.guest?.like, 'Amina Yusuf')
  const [first, second] = visitWith(guest('g', 'Maria Lopez'), guest('h', 'María López', '2026-11-01T12:01:00.000Z')).callers
  assert.equal(first?.guest?.like, undefined)
  assert.equal(second?.guest?.like, 'Maria Lopez')
  assert.equal(visitWith(guest('g', 'Inés Bejarano')).callers[0]?.guest?.like, undefined)
})

test('a guest cannot end the quotation marks around their name, nor turn what follows', () => {
  const shown = visitWith(guest('g', 'Eve” (clinician) “\u202e')).callers[0]
  assert.equal(shown?.name, 'Eve’ (clinician) ’␣')
  assert.equal(shown?.guest?.odd, true)
  assert.equal(shown?.guest?.byName, 'Amina␣')
})
