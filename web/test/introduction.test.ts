// A carer's introduction says who they are, and nothing else is taken for one.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readIntroduction, writeIntroduction } from '../src/engine/introduction.ts'
import { b64, hash, newID, utf8 } from '../src/seal/bytes.ts'

test('an introduction is read as it was written', async () => {
  const i = { person: newID(), card: await hash('card'), name: 'Núria Åkesson نورا' }
  assert.deepEqual(readIntroduction(writeIntroduction('https://clinic.example', i)), i)
  assert.deepEqual(readIntroduction(` ${writeIntroduction('https://clinic.example', i)}\n`), i)
})

test('what is not one is refused', async () => {
  const [person, card, name] = [newID(), await hash('card'), b64(utf8('Nura'))]
  for (const wrong of [
    '', '#', person, `${person}.${card}`, `${person}.${card}.`, `${person}.${card}.${name}.${name}`, `x${person.slice(1)}9.${card}.${name}`, `${person}.${card.slice(1)}.${name}`,
    `${person}.${card}.***`, `${person}.${card}.${b64(new Uint8Array([0xff]))}`, `${person}.${card}.${b64(utf8('a\nb'))}`, `${person}.${card}.${b64(utf8('\u202egpj'))}`, `${person}.${card}.${b64(utf8('n'.repeat(121)))}`,
  ]) assert.throws(() => readIntroduction(wrong), wrong)
})
