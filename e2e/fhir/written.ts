// One of everything that the app writes as FHIR, each by the function that the app calls, with all that may be absent
// once there and once not.

import { chosen, responseTo } from '../../web/src/fhir/form.ts'
import { intake } from '../../web/src/fhir/intake.ts'
import { instrument, instruments, toResponse } from '../../web/src/fhir/questionnaires.ts'
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

const answers = instruments.flatMap((id) => ['en', 'es', 'ar'].map((lang) => {
  const q = instrument(id, lang)
  return [`${id} in ${lang}`, toResponse(q, q.items.map((_, i) => i % q.options.length), { chart, person: who, name: 'Amina Hassan', date })] as const
}))

const forms = ['en', 'es', 'ar'].flatMap((lang) => {
  const q = intake(lang)
  const given = { reason: ['Headaches'], conditions: [chosen(0), chosen(3), 'Migraine'], allergic: ['true'], allergies: ['Penicillin'], smoking: [chosen(1)], interpreter: ['false'] }
  return [[`questions for new patients in ${lang}`, q], [`their answers in ${lang}`, responseTo(q, given, { chart, person: who, name: 'Amina Hassan', date })]] as const
})

export const written: Record<string, Resource> = {
  ...people, ...documents, ...Object.fromEntries([...appointments, ...answers, ...forms]),
  'import': bundle([{ ...people['patient'], resourceType: 'Patient', id: 'b1343812-e993-4973-a849-e3dad63c3e74' }, documents['note'] as Resource]),
}
