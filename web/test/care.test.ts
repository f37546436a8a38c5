// What surrounds a visit: scores at every edge, consent by version, summaries that read back, what is to be done.

import assert from 'node:assert/strict'
import test from 'node:test'
import type { Item, Resource, Role } from '../src/engine/types.ts'
import { partTitles, readySentences, summaryTitle } from '../src/fhir/aftervisit.ts'
import { chosen, questionsOf, responseTo } from '../src/fhir/form.ts'
import { asksForHelp, concerns, crisisAnswer, crisisIn, idOf, questionnaire, scales, scoreOf, severityOf, shipped, titleOf, urlOf, withScore, type ScaleID } from '../src/fhir/questionnaires.ts'
import { each, fields } from '../src/fhir/read.ts'
import { telehealthConsent, telehealthStanding, telehealthVersion, telehealthWords } from '../src/fhir/telehealth.ts'
import { finder, searchText, view, type Reader } from '../src/fhir/view.ts'
import { concernOf, encounterOf, followUpOf, questionnaireTask, ratingOf, ratingsOf, readSummary, standingOf, summaryOf, summaryParts, taskOf, todosOf, visitOf, type SummaryTexts } from '../src/fhir/visit.ts'
import { note } from '../src/fhir/write.ts'
import { familyOf, faultOf } from '../src/visit/able.ts'
import { gradeOf, spread } from '../src/visit/network.ts'
import { chart as ar } from '../src/words/chart/ar.ts'
import { chart as en } from '../src/words/chart/en.ts'
import { chart as es } from '../src/words/chart/es.ts'

const by = { chart: 'c', person: 'ana', name: 'Ana', date: '2026-11-25T09:00:00.000Z' }
const readers: readonly Reader[] = ([['en', en.fhir], ['es', es.fhir], ['ar', ar.fhir]] as const).map(([lang, say]) => ({ lang, say, find: finder([]) }))
const reading = (lang: string): Reader => readers.find((r) => r.lang === lang) as Reader

let seq = 0
function item(resource: Resource, more: Partial<Item> & { by?: string; roles?: readonly Role[] } = {}): Item {
  seq++
  const { by: person = 'okafor', roles = ['clinician'], ...rest } = more
  return { entry: `e${seq}`, lock: 'l', compartment: 'general', seq, kind: 'record', author: { person, name: person, roles }, time: `2026-11-25T10:${String(seq % 60).padStart(2, '0')}:00Z`, type: 'application/fhir+json', size: 1, state: 'stored', resources: [resource], ...rest }
}

/** Answers to a scale that come to a sum: as many of the highest as fit, then the rest. */
function answersOf(id: ScaleID, sum: number, lang = 'en'): Resource {
  const q = questionnaire(id, lang)
  const asked = questionsOf(q).filter((x) => x.required)
  const most = (asked[0]?.options.length ?? 1) - 1
  let left = sum
  const answers = Object.fromEntries(asked.map((x) => {
    const points = Math.min(most, left)
    left -= points
    return [x.linkId, [chosen(points)]]
  }))
  return withScore(responseTo(q, answers, by))
}

test('a score of answers to words that nobody compared with a validated text says so, in the chart too', () => {
  const marked = scales.map((id) => ['en', 'es', 'ar'].filter((lang) => scoreOf(answersOf(id, 3, lang))?.unchecked))
  assert.deepEqual(marked, [['ar'], ['ar'], []])
  const brief = (lang: string): string => view(answersOf('gad-7', 12, lang), reading('en')).brief
  assert.match(brief('ar'), /Score 12 .*not validated/)
  assert.doesNotMatch(brief('es'), /validated/)
})

test('every scale is scored right at the edges of its bands', () => {
  const edges: Readonly<Record<ScaleID, readonly (readonly [number, string])[]>> = {
    'phq-9': [[0, 'minimal'], [4, 'minimal'], [5, 'mild'], [9, 'mild'], [10, 'moderate'], [14, 'moderate'], [15, 'moderatelySevere'], [19, 'moderatelySevere'], [20, 'severe'], [27, 'severe']],
    'gad-7': [[0, 'minimal'], [4, 'minimal'], [5, 'mild'], [9, 'mild'], [10, 'moderate'], [14, 'moderate'], [15, 'severe'], [21, 'severe']],
    asthma: [[0, 'controlled'], [1, 'partly'], [2, 'partly'], [3, 'uncontrolled'], [4, 'uncontrolled']],
  }
  for (const id of scales) {
    for (const [score, severity] of edges[id]) {
      assert.equal(severityOf(id, score), severity, `${id} ${score}`)
      for (const lang of ['en', 'es', 'ar']) {
        const r = answersOf(id, score, lang)
        assert.deepEqual([scoreOf(r)?.score, scoreOf(r)?.severity, each(r['item']).at(-1)?.['answer']], [score, severity, [{ valueInteger: score }]])
      }
    }
  }
  assert.deepEqual(scales.map((id) => scoreOf(answersOf(id, 1))?.most), [27, 21, 4])
  assert.deepEqual(['minimal', 'mild', 'controlled', 'partly', 'moderate'].map((s) => concerns(s as 'mild')), [false, false, false, true, true])
})

test('a score is counted from the answers, not taken from a sum that came with them', () => {
  const r = answersOf('phq-9', 20)
  const lied = { ...r, item: each(r['item']).map((i) => (i['linkId'] === '44261-6' ? { ...i, answer: [{ valueInteger: 0 }] } : i)) }
  assert.equal(scoreOf(lied)?.score, 20)
  assert.equal(scoreOf({ ...r, item: each(r['item']).slice(1) }), undefined, 'a question without an answer leaves no score')
  assert.equal(scoreOf({ ...r, questionnaire: 'urn:other' }), undefined)
})

test("PHQ-9's question about self-harm raises a concern at any answer but the first", () => {
  const q = questionnaire('phq-9', 'es')
  const asked = questionsOf(q).filter((x) => x.required)
  const last = asked.at(-1)
  assert.ok(last)
  const answering = (at: number): Resource => withScore(responseTo(q, Object.fromEntries(asked.map((x) => [x.linkId, [chosen(x === last ? at : 0)]])), by))
  assert.deepEqual([0, 1, 2, 3].map((at) => crisisIn(answering(at))), ['', 'LA6569-3', 'LA6570-1', 'LA6571-9'])
  assert.deepEqual([0, 1, 3].map((at) => asksForHelp(q['url'], last.linkId, last.options[at]?.value)), [false, true, true])
  assert.equal(asksForHelp(q['url'], asked[0]?.linkId ?? '', last.options[3]?.value), false)
  assert.equal(crisisIn(answersOf('gad-7', 21)), undefined)
  assert.equal(crisisAnswer('LA6569-3', 'en'), 'Several days')

  const worrying = item(answering(1), { kind: 'questionnaire', by: 'ana', roles: ['patient'] })
  const calmer = item(answering(0), { kind: 'questionnaire', by: 'ana', roles: ['patient'] })
  const spoke = item(standingOf(by, worrying.entry, 'Spoke', 'completed'))
  assert.equal(concernOf([worrying, item(answersOf('gad-7', 3))], crisisIn)?.entry, worrying.entry)
  assert.equal(concernOf([worrying], crisisIn)?.seen, undefined)
  assert.equal(concernOf([worrying, spoke], crisisIn)?.seen?.by, 'okafor', 'it stays, and says who spoke with the patient')
  assert.equal(concernOf([worrying, calmer], crisisIn)?.calmer, calmer.time, 'a calmer answer does not take it away')
  assert.equal(concernOf([worrying, spoke, calmer], crisisIn), undefined, 'a clinician who spoke with the patient does')
  assert.equal(concernOf([worrying, item(standingOf(by, worrying.entry, 'Spoke', 'completed'), { by: 'ana', roles: ['patient'] })], crisisIn)?.seen, undefined, 'the patient does not')
  assert.equal(concernOf([calmer], crisisIn), undefined)
})

test('answers read in the language of the reader, whatever they were given in', () => {
  const r = answersOf('phq-9', 27, 'ar')
  const v = view(r, reading('en'))
  assert.deepEqual([v.title, v.brief], ['Mood (PHQ-9)', 'Score 27 · severe · Arabic words, not validated'])
  assert.equal(v.facts.find((f) => f.label === 'Little interest or pleasure in doing things')?.value, 'Nearly every day')
  assert.ok(!v.facts.some((f) => f.value === '27'), 'the sum is not a fact of its own')
})

test('a canonical names one questionnaire, with or without its version', () => {
  for (const id of shipped) {
    assert.equal(idOf(urlOf(id)), id)
    assert.equal(idOf(`${urlOf(id)}|1`), id)
    for (const lang of ['en', 'es', 'ar']) assert.notEqual(titleOf(id, lang), '')
  }
  assert.equal(idOf('http://loinc.org/q/1-1'), undefined)
  assert.equal(idOf(undefined), undefined)
})

test('consent counts for its version, from the patient or who acts for them, and can be taken back', () => {
  const said = (given: boolean, more: Parameters<typeof item>[1] = {}): Item => item(telehealthConsent('c', more.by ?? 'ana', 'Ana', by.date, 'en', given), { kind: 'consent', by: 'ana', roles: ['patient'], ...more })
  assert.equal(telehealthStanding([], 'ana').state, 'none')
  const given = said(true)
  assert.deepEqual([telehealthStanding([given], 'ana').state, telehealthStanding([given], 'ana').item], ['given', given])
  assert.equal(telehealthStanding([given], 'ana', 'another').state, 'older', 'new words are asked for again')
  assert.equal(telehealthStanding([given, said(false)], 'ana').state, 'withdrawn')
  assert.equal(telehealthStanding([given, said(false), said(true)], 'ana').state, 'given')
  assert.equal(telehealthStanding([said(true, { by: 'rosa', roles: ['proxy'] })], 'ana').state, 'given')
  assert.equal(telehealthStanding([said(true, { by: 'okafor', roles: ['clinician'] })], 'ana').state, 'none', 'staff consent for nobody')
  assert.equal(telehealthStanding([said(true, { state: 'refused' })], 'ana').state, 'none')
  const privacy: Resource = { resourceType: 'Consent', status: 'active', category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }] }
  assert.equal(telehealthStanding([item(privacy, { kind: 'consent', by: 'ana' })], 'ana').state, 'none', 'another consent is not this one')
})

test('the words of consent are in it, whole, in the language they were read in', () => {
  for (const lang of ['en', 'es', 'ar']) {
    const r = telehealthConsent('c', 'ana', 'Ana', by.date, lang, true)
    assert.equal(fields(r['policyRule'])['text'], telehealthWords(lang).join('\n'))
    assert.equal(each(r['policy'])[0]?.['uri'], `urn:ward:telehealth:${telehealthVersion}`)
    assert.equal(new Set(telehealthWords(lang)).size, 5)
  }
})

test('a summary holds what was written, in the patient’s language, and reads back', () => {
  const texts: SummaryTexts = { talked: 'Tos & "fiebre" <39>.\n\nSin neumonía.', todo: '  ', medicines: '', help: 'Si empeora, llame.', next: '' }
  const r = summaryOf({ ...by, visit: 'v1', lang: 'es' }, summaryTitle('es'), partTitles('es'), texts)
  const s = readSummary('e', r)
  assert.deepEqual(s?.sections.map((x) => [x.part, x.title, x.lines]), [['talked', 'De qué hablamos', ['Tos & "fiebre" <39>.', 'Sin neumonía.']], ['help', 'Cuándo pedir ayuda', ['Si empeora, llame.']]])
  assert.deepEqual([s?.visit, s?.lang, s?.by], ['v1', 'es', 'Ana'])
  assert.match(view(r, reading('en')).text, /Si empeora, llame\./)
  assert.equal(readSummary('e', { ...r, type: { coding: [{ code: '34133-9' }] } }), undefined)
  assert.equal(readSummary('e', { ...r, section: [{ text: 7 }, null, 'x'] }), undefined)
})

test('ready sentences are shown in one language and put in another', () => {
  for (const part of summaryParts.filter((p) => p !== 'talked')) {
    const all = readySentences(part, 'en', 'ar')
    assert.ok(all.length > 0, part)
    for (const { shown, put } of all) assert.ok(/[a-z]/.test(shown) && /[\u0600-\u06ff]/.test(put))
  }
})

test('what is to be done stands as the newest word says', () => {
  const task = item(taskOf({ ...by, visit: 'v1' }, 'Measure your blood pressure', 'patient', '2026-12-01'))
  const one = (items: readonly Item[]) => todosOf(items).find((t) => t.entry === task.entry)
  assert.deepEqual([one([task])?.what, one([task])?.whose, one([task])?.due, one([task])?.visit, one([task])?.done], ['Measure your blood pressure', 'patient', '2026-12-01', 'v1', undefined])
  const done = item(standingOf(by, task.entry, 'Measure', 'completed'), { by: 'ana', roles: ['patient'] })
  assert.equal(one([task, done])?.done?.by, 'ana')
  assert.equal(one([task, done, item(standingOf(by, task.entry, '', 'requested'))])?.done, undefined)
  assert.equal(one([task, item(standingOf(by, task.entry, '', 'cancelled'))]), undefined)
  assert.ok(one([task, item(standingOf(by, task.entry, '', 'cancelled'), { by: 'ana', roles: ['patient'] })]), 'a patient does not take back what the clinic asked for')
  const letter = item(taskOf(by, 'Send the letter', 'clinic'))
  assert.equal(todosOf([letter, item(standingOf(by, letter.entry, '', 'completed'), { by: 'ana', roles: ['patient'] })])[0]?.done, undefined, 'nor do they do what is the clinic’s')
  assert.equal(todosOf([{ ...task, retractedBy: 'x' }]).length, 0)
  assert.equal(todosOf([done]).length, 0, 'what says how a thing stands is no thing to do')
})

test('answering a questionnaire fulfils the request for it, and no earlier answer does', () => {
  const before = item(answersOf('phq-9', 3), { kind: 'questionnaire', by: 'ana' })
  const request = item(questionnaireTask(by, 'phq-9'))
  const state = (items: readonly Item[]): readonly (boolean | undefined)[] => todosOf(items).map((t) => t.done !== undefined)
  assert.deepEqual(state([before, request]), [false])
  assert.deepEqual(state([before, request, item(answersOf('gad-7', 3), { by: 'ana' })]), [false])
  assert.deepEqual(state([before, request, item(answersOf('phq-9', 3, 'ar'), { by: 'ana' })]), [true])
  assert.equal(todosOf([request])[0]?.questionnaire, 'phq-9')
})

test('open things come first, what is due soonest before the rest, and follow-ups are among them', () => {
  const items = [item(taskOf(by, 'c', 'patient')), item(taskOf(by, 'b', 'clinic', '2026-12-24')), item(followUpOf(by, 'a', '2026-12-01'))]
  assert.deepEqual(todosOf(items).map((t) => [t.kind, t.what, t.whose]), [['follow-up', 'a', 'patient'], ['task', 'b', 'clinic'], ['task', 'c', 'patient']])
})

test('a visit is a virtual encounter with its times and its people', () => {
  const r = encounterOf({ visit: 'v1', chart: 'c', host: 'okafor', hostName: 'Dr Okafor', began: '2026-11-25T10:00:00Z', ended: '2026-11-25T10:20:00Z', others: [{ name: 'Lena', as: 'interpreter' }] })
  assert.deepEqual([fields(r['class'])['code'], visitOf(r), fields(r['period'])['end']], ['VR', 'v1', '2026-11-25T10:20:00Z'])
  const v = view(r, reading('es'))
  assert.match(v.facts.map((f) => f.value).join('\n'), /Dr Okafor y Lena/)
  assert.equal(view(r, reading('ar')).title, ar.fhir.concepts.VR)
  assert.equal(visitOf(note('c', 'p', 'P', by.date, 'T', 'x', 'v1')), 'v1')
  assert.equal(visitOf(note('c', 'p', 'P', by.date, 'T', 'x')), '')
})

test('a rating stays between one and five, and says what went wrong', () => {
  const rated = [item(ratingOf({ ...by, visit: 'v1' }, 2, ['sound', 'dropped']), { by: 'ana' }), item(ratingOf({ ...by, visit: 'v1' }, 9, []))]
  assert.deepEqual(ratingsOf(rated), [{ visit: 'v1', person: 'ana', stars: 2, wrong: ['sound', 'dropped'] }, { visit: 'v1', person: 'okafor', stars: 5, wrong: [] }])
})

test('everything around a visit reads in every language, and is found by its words', () => {
  const all = [taskOf(by, 'Buy a spacer', 'patient', '2026-12-01'), questionnaireTask(by, 'wound'), followUpOf(by, '', '2026-12-01'), standingOf(by, 'e1', 'Buy a spacer', 'completed'), ratingOf(by, 3, ['picture']), telehealthConsent('c', 'ana', 'Ana', by.date, 'en', true)]
  for (const reader of readers) {
    for (const r of all) {
      const v = view(r, reader)
      for (const said of [v.type, v.title, v.brief, ...v.facts.flatMap((f) => [f.label, f.value])]) assert.doesNotMatch(said, /\[object|undefined|urn:|complete-questionnaire|telehealth|follow-up|^care-/, `${reader.lang} ${r.resourceType}: ${said}`)
      assert.match(v.when, /^2026/)
    }
  }
  assert.match(searchText(view(all[0] as Resource, reading('ar'))), /Buy a spacer/)
  assert.equal(view(all[1] as Resource, reading('es')).title, 'Una herida, con fotos')
})

test('why a device is not there is told apart, and browsers by where their permissions are', () => {
  const fault = (name: string, message = ''): string => faultOf(Object.assign(new Error(message), { name }))
  assert.deepEqual([fault('NotAllowedError'), fault('NotAllowedError', 'Permission denied by system'), fault('NotFoundError'), fault('OverconstrainedError'), fault('NotReadableError'), fault('TypeError'), faultOf(undefined)], ['denied', 'system', 'missing', 'missing', 'busy', 'failed', 'failed'])
  const agents: readonly (readonly [string, number, string])[] = [
    ['Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0', 0, 'chrome'], ['Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36', 5, 'chrome-phone'],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15', 0, 'safari'], ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15', 5, 'safari-phone'],
    ['Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0 Mobile/15E148 Safari/604.1', 5, 'safari-phone'], ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 0, 'firefox'], ['curl/8', 0, 'other'],
  ]
  for (const [agent, touch, family] of agents) assert.equal(familyOf(agent, touch), family, agent)
})

test('a network is graded by its worst side, and one stray answer does not count', () => {
  const net = { roundTrip: 40, waver: 5, megabits: 20 }
  assert.deepEqual([gradeOf(net), gradeOf({ ...net, roundTrip: 251 }), gradeOf({ ...net, waver: 201 }), gradeOf({ ...net, megabits: 1.9 }), gradeOf({ ...net, megabits: 0.4 }), gradeOf({ ...net, megabits: undefined })], ['good', 'weak', 'poor', 'weak', 'poor', 'good'])
  assert.deepEqual(spread([20, 22, 21, 400, 19]), { middle: 21, around: 2 })
  assert.deepEqual(spread([]), { middle: 0, around: 0 })
})
