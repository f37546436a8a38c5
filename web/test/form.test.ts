import assert from 'node:assert/strict'
import test from 'node:test'
import type { Resource } from '../src/engine/types.ts'
import { asked, chosen, count, entryOf, fileAnswer, isForm, missing, questionsOf, responseTo, type Answers, type Question } from '../src/fhir/form.ts'
import { questionnaire, shipped } from '../src/fhir/questionnaires.ts'
import { each } from '../src/fhir/read.ts'

const by = { chart: 'c', person: 'p', name: 'Amina', date: '2026-02-03T04:05:06.000Z' }
const form = (...item: object[]): Resource => ({ resourceType: 'Questionnaire', id: 'q1', title: 'Asthma', status: 'active', item })
const question = (r: Resource, linkId: string): Question => {
  const found = questionsOf(r).find((q) => q.linkId === linkId)
  assert.ok(found)
  return found
}

test('each type of answer becomes the FHIR field of its type', () => {
  const yes = { system: 'urn:x', code: 'y', display: 'Yes' }
  const r = form(
    { linkId: 'a', type: 'boolean', text: 'A' }, { linkId: 'b', type: 'integer' }, { linkId: 'c', type: 'decimal' }, { linkId: 'd', type: 'date' }, { linkId: 'e', type: 'text' },
    { linkId: 'f', type: 'choice', repeats: true, answerOption: [{ valueCoding: yes }, { valueString: 'Maybe' }] }, { linkId: 'g', type: 'open-choice', answerOption: [{ valueCoding: yes }] }, { linkId: 'h', type: 'time' },
    { linkId: 'i', type: 'quantity' }, { linkId: 'j', type: 'dateTime' },
  )
  const response = responseTo(r, { a: ['false'], b: ['12'], c: ['2.5'], d: ['2026-01-02'], e: [' well '], f: [chosen(0), chosen(1)], g: ['perhaps'], h: ['08:30'], i: ['7'], j: ['2026-01-03'] }, by)
  assert.deepEqual(each(response['item']).map((i) => i['answer']), [
    [{ valueBoolean: false }], [{ valueInteger: 12 }], [{ valueDecimal: 2.5 }], [{ valueDate: '2026-01-02' }], [{ valueString: 'well' }], [{ valueCoding: yes }, { valueString: 'Maybe' }], [{ valueString: 'perhaps' }],
    [{ valueTime: '08:30:00' }], [{ valueQuantity: { value: 7 } }], [{ valueDateTime: '2026-01-03' }],
  ])
  assert.equal(response['questionnaire'], 'urn:uuid:q1')
})

test('numbers are understood as people type them', () => {
  const r = form({ linkId: 'a', type: 'integer' }, { linkId: 'b', type: 'decimal' }, { linkId: 'c', type: 'integer' })
  assert.deepEqual(each(responseTo(r, { a: ['\u0661\u0662'], b: ['37,5'], c: ['\u06f1\u06f9'] }, by)['item']).map((i) => i['answer']), [[{ valueInteger: 12 }], [{ valueDecimal: 37.5 }], [{ valueInteger: 19 }]])
})

test('what is not an answer of its type is left out', () => {
  const r = form({ linkId: 'b', type: 'integer', required: true }, { linkId: 'd', type: 'date' }, { linkId: 'f', type: 'choice', answerOption: [{ valueString: 'A' }] })
  const answers: Answers = { b: ['twelve'], d: ['soon'], f: [chosen(7)], x: ['?'] }
  assert.equal(responseTo(r, answers, by)['item'], undefined)
  assert.deepEqual(missing(questionsOf(r), answers).map((q) => q.linkId), ['b'])
})

test('a question is asked when the answer it hangs on was given, and only then answered', () => {
  const r = form(
    { linkId: 'smoke', type: 'boolean' }, { linkId: 'many', type: 'integer', required: true, enableWhen: [{ question: 'smoke', operator: '=', answerBoolean: true }] },
    { linkId: 'stop', type: 'text', enableBehavior: 'any', enableWhen: [{ question: 'many', operator: '>=', answerInteger: 20 }, { question: 'smoke', operator: '!=', answerBoolean: true }] },
  )
  const all = questionsOf(r)
  const is = (linkId: string, answers: Answers): boolean => asked(question(r, linkId), answers, all)
  assert.equal(is('many', {}), false)
  assert.equal(is('many', { smoke: ['true'] }), true)
  assert.equal(is('stop', { smoke: ['true'], many: ['19'] }), false)
  assert.equal(is('stop', { smoke: ['true'], many: ['20'] }), true)
  assert.deepEqual(missing(all, { smoke: ['true'] }).map((q) => q.linkId), ['many'])
  const changedMind = responseTo(r, { smoke: ['false'], many: ['20'] }, by)
  assert.deepEqual(each(changedMind['item']).map((i) => i['linkId']), ['smoke'])
})

test('questions stay in their groups, and those of an answer in the answer', () => {
  const r = form({ linkId: 'g', type: 'group', text: 'Group', item: [{ linkId: 'a', type: 'boolean', item: [{ linkId: 'b', type: 'string' }] }, { linkId: 'empty', type: 'string' }] }, { linkId: 'h', type: 'group', item: [{ linkId: 'c', type: 'string' }] })
  assert.deepEqual(responseTo(r, { a: ['true'], b: ['why'] }, by)['item'], [{ linkId: 'g', text: 'Group', item: [{ linkId: 'a', answer: [{ valueBoolean: true, item: [{ linkId: 'b', answer: [{ valueString: 'why' }] }] }] }] }])
})

test('a choice from a list that is elsewhere cannot be answered here, and does not hold up the others', () => {
  const r = form({ linkId: 'a', type: 'choice', required: true, answerValueSet: 'http://example.org/vs' }, { linkId: 'b', type: 'reference', required: true })
  assert.deepEqual(questionsOf(r).map((q) => q.ask), ['unknown', 'unknown'])
  assert.deepEqual(missing(questionsOf(r), {}), [])
})

test('the questionnaires that Ward brings ask the same in every language', () => {
  const shape = (q: Question): unknown => [q.linkId, q.ask, q.required, q.many, q.open, q.options.length, q.items.map(shape)]
  for (const id of shipped) {
    const [en, ...others] = ['en', 'es', 'ar'].map((lang) => questionsOf(questionnaire(id, lang)))
    assert.ok(en && count(en) >= 4 && isForm(questionnaire(id, 'en')), id)
    for (const other of others) assert.deepEqual(other.map(shape), en.map(shape), id)
    assert.ok(!JSON.stringify(en).includes('undefined'))
  }
  assert.deepEqual(missing(questionsOf(questionnaire('new-patient', 'en')), {}).map((q) => q.linkId), ['reason'])
})

test('a file that was picked is an answer by its name, and by its entry once it is stored', () => {
  const r = form({ linkId: 'p', type: 'attachment', required: true, repeats: true })
  assert.deepEqual(missing(questionsOf(r), {}).map((q) => q.linkId), ['p'])
  assert.deepEqual(missing(questionsOf(r), { p: ['knee.jpg'] }), [])
  const [item] = each(responseTo(r, { p: [fileAnswer('e1', 'image/jpeg', 'knee.jpg'), '{"a":1}'] }, by)['item'])
  assert.deepEqual(item?.['answer'], [{ valueAttachment: { contentType: 'image/jpeg', url: 'urn:ward:entry:e1', title: 'knee.jpg' } }, { valueAttachment: { title: '{"a":1}' } }])
  assert.equal(entryOf(each(item?.['answer'])[0]?.['valueAttachment']), 'e1')
  assert.equal(entryOf({ url: 'https://elsewhere.example/x' }), '')
})

test('what is worked out, such as a sum, is not asked', () => {
  assert.deepEqual(questionsOf(form({ linkId: 'a', type: 'integer' }, { linkId: 'sum', type: 'integer', readOnly: true })).map((q) => q.linkId), ['a'])
})

test('broken questionnaires are no forms', () => {
  for (const item of [undefined, 'x', 7, [], [null], [{ type: 'display', text: 'Hello' }]]) assert.equal(isForm({ resourceType: 'Questionnaire', item }), false)
  const deep = Array.from({ length: 50 }).reduce<object>((inner) => ({ linkId: 'g', type: 'group', item: [inner] }), { linkId: 'a', type: 'string' })
  assert.equal(isForm(form(deep)), false)
})
