import assert from 'node:assert/strict'
import { test } from 'node:test'
import { spoken, voiceFor } from '../src/app/aloud.ts'

const voice = (lang: string, localService: boolean, usual = false) => ({ lang, localService, default: usual })

test('a voice that speaks elsewhere never gets the code', () => {
  assert.equal(voiceFor([voice('en-US', false, true)], 'en'), undefined)
  const here = voice('en_GB', true)
  assert.equal(voiceFor([voice('en-US', false, true), here], 'en'), here)
})

test('a voice is one of the language of the page, the usual one first', () => {
  const usual = voice('es-MX', true, true)
  assert.equal(voiceFor([voice('es-ES', true), usual, voice('en-US', true)], 'es'), usual)
  assert.equal(voiceFor([voice('en-US', true)], 'ar'), undefined)
})

test('a code is said letter by letter, with a longer silence after each group', () => {
  const said = spoken('AY7-B', (n) => `group ${n}`, { Y: 'ye' })
  assert.deepEqual(said.map((s) => s.text), ['group 1', 'A', 'ye', '7', 'group 2', 'B'])
  assert.deepEqual(said.map((s) => s.group), [0, 0, 0, 0, 1, 1])
  const [letter = 0, last = 0] = [said[1]?.silence, said[3]?.silence]
  assert.ok(last > letter && letter > 0)
})

test('while a visit is joined its two regions have different names, in each language', async () => {
  for (const load of [import('../src/words/visit/en.ts'), import('../src/words/visit/es.ts'), import('../src/words/visit/ar.ts')]) {
    const { call } = Object.values(await load)[0] as { call: { title: string; notices: string } }
    assert.notEqual(call.notices, call.title) // the room itself is called so until it is known whose visit it is
  }
})
