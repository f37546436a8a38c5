// One of everything that the app writes as FHIR, each by the function that the app calls, with all that may be absent
// once there and once not.

import { partTitles, summaryTitle } from '../../web/src/fhir/aftervisit.ts'
import { chosen, fileAnswer, questionsOf, responseTo } from '../../web/src/fhir/form.ts'
import { questionnaire, scales, shipped, withScore } from '../../web/src/fhir/questionnaires.ts'
import { telehealthConsent } from '../../web/src/fhir/telehealth.ts'
import { encounterOf, followUpOf, questionnaireTask, ratingOf, standingOf, summaryOf, taskOf } from '../../web/src/fhir/visit.ts'
import { appointment, bundle, consent, message, note, person, retraction } from '../../web/src/fhir/write.ts'
import type { Resource } from '../../web/src/engine/types.ts'

const chart = 'cqlbaxl4zb6gxv3dz2ph3njufm'
const who = 'pqlbaxl4zb6gxv3dz2ph3njufa'
const entry = 'eqlbaxl4zb6gxv3dz2ph3njufy'
const date = '2026-11-23T12:00:00.000Z'
const name = { given: 'Amina Nur', family: 'Hassan' }
const full = { person: who, name, birthDate: '1984-02-29', phone: '+44 20 7946 0958', email: 'amina@example.org', language: 'ar' }
const booking = { visit: entry, start: date, end: '2026-11-23T12:20:00.000Z', patient: who, chart, patientName: 'Amina Hassan', with: entry, withName: 'Dr Chidi Okafor', reason: 'The cough that will not go' }

const people: Record<string, Resource> = {
  'patient': person('Patient', { ...full, chart, invitation: `${entry}.secret` }),
  'patient, name only': person('Patient', { person: who, name, chart }),
  'staff': person('Practitioner', full),
  'staff of one name': person('Practitioner', { person: who, name: { given: 'Cher', family: '' } }),
  'carer': person('Person', full),
}

const documents: Record<string, Resource> = {
  'note': note(chart, who, 'Dr Chidi Okafor', date, 'Visit', 'Feels better.\nنعم ✓'),
  'note without a title': note(chart, who, '', date, '', 'Feels better.'),
  'message': message(chart, who, 'Amina Hassan', date, 'May I take it with milk?'),
  'answer': message(chart, who, 'Dr Chidi Okafor', date, 'Yes.', entry),
  'consent': consent(chart, who, date, '2026-11', 'I agree.'),
  'retraction': retraction(chart, who, 'Dr Chidi Okafor', date, 'Wrong chart'),
  'retraction without a reason': retraction(chart, who, '', date, ''),
}

const appointments = (['booked', 'cancelled'] as const).map((status) => [`appointment, ${status}`, appointment(booking, status)] as const)

const languages = ['en', 'es', 'ar']
const by = { chart, person: who, name: 'Amina Hassan', date }

const forms = languages.flatMap((lang) => shipped.map((id) => [`questionnaire ${id} in ${lang}`, questionnaire(id, lang)] as const))

const scored = languages.flatMap((lang) => scales.map((id) => {
  const q = questionnaire(id, lang)
  const answers = Object.fromEntries(questionsOf(q).filter((x) => x.options.length > 0).map((x, i) => [x.linkId, [chosen(i % x.options.length)]]))
  return [`${id} in ${lang}`, withScore(responseTo(q, answers, by))] as const
}))

const answered = languages.flatMap((lang) => [
  [`answers of a new patient in ${lang}`, responseTo(questionnaire('new-patient', lang), { reason: ['Headaches'], conditions: [chosen(0), chosen(3), 'Migraine'], allergic: ['true'], allergies: ['Penicillin'], smoking: [chosen(1)], interpreter: ['false'] }, by)] as const,
  [`answers about a wound in ${lang}`, responseTo(questionnaire('wound', lang), { photo: [fileAnswer(entry, 'image/jpeg', 'knee.jpg')], where: ['Left knee'], since: ['2026-11-01'], signs: [chosen(0), chosen(3)], pain: ['4'] }, by)] as const,
])

const ofVisit = { ...by, visit: entry }
const whole = { talked: 'Your cough & what <helps>.\nWe listened to it.', todo: 'Rest.', medicines: '', help: 'Call us.', next: 'In two weeks.' }
const visits: Record<string, Resource> = {
  'encounter': encounterOf({ visit: entry, chart, host: who, hostName: 'Dr Chidi Okafor', began: date, ended: '2026-11-23T12:20:00.000Z', others: [{ name: 'Ana', as: 'interpreter' }, { name: 'Dr Lin', as: 'clinician' }, { name: 'Omar', as: 'other' }] }),
  'encounter of two': encounterOf({ visit: entry, chart, host: who, hostName: '', began: date, ended: date }),
  'note of a visit': note(chart, who, 'Dr Chidi Okafor', date, 'Visit', 'Feels better.', entry),
  'task': taskOf(ofVisit, 'Measure your blood pressure', 'patient', '2026-12-01'),
  'task of the clinic, without an end': taskOf(by, 'Send the letter', 'clinic'),
  'request to answer': questionnaireTask(ofVisit, 'phq-9', '2026-12-01'),
  'follow-up': followUpOf(ofVisit, 'To look at the readings', '2026-12-07'),
  'follow-up without a reason': followUpOf(by, '', ''),
  'done': standingOf(ofVisit, entry, 'Measure your blood pressure', 'completed'),
  'taken back': standingOf(by, entry, '', 'cancelled'),
  'rating': ratingOf(ofVisit, 2, ['sound', 'dropped']),
  'best rating': ratingOf(ofVisit, 5, []),
  ...Object.fromEntries(languages.map((lang) => [`summary in ${lang}`, summaryOf({ ...ofVisit, lang }, summaryTitle(lang), partTitles(lang), whole)])),
  ...Object.fromEntries(languages.flatMap((lang) => [true, false].map((given) => [`telehealth consent ${given ? 'given' : 'taken back'} in ${lang}`, telehealthConsent(chart, who, 'Amina Hassan', date, lang, given)]))),
}

export const written: Record<string, Resource> = {
  ...people, ...documents, ...visits, ...Object.fromEntries([...appointments, ...forms, ...scored, ...answered]),
  'import': bundle([{ ...people['patient'], resourceType: 'Patient', id: 'b1343812-e993-4973-a849-e3dad63c3e74' }, documents['note'] as Resource]),
}
