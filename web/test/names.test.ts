// Names, by the vectors that Go's package names runs too (testdata/vectors/names).

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { alike, checkName, shownName, skeleton, typedName } from '../src/seal/names.ts'

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
