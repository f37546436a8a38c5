import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAbout, standing, type Written } from '../src/engine/appointments.ts'
import * as fhir from '../src/fhir/write.ts'

const meeting = { start: '2026-11-23T12:00:00.000Z', end: '2026-11-23T12:30:00.000Z', patient: 'amina', chart: 'chart', patientName: 'Amina', with: 'okafor', withName: 'Dr Okafor' }
const written = (entry: string, minute: number, status: 'booked' | 'cancelled' | 'arrived', author = 'desk', byStaff = true): Written =>
  ({ entry, time: `2026-11-23T10:${String(minute).padStart(2, '0')}:00.000Z`, author, byStaff, resources: [fhir.appointment(meeting, status)] })

test('an appointment in the directory and in the chart is one', () => {
  const all = standing([written('in-directory', 1, 'booked'), written('in-chart', 2, 'booked')])
  assert.deepEqual(all.map((a) => [a.id, a.status]), [['in-directory', 'booked']])
})

test('the latest entry says how it stands, in whichever order they are read', () => {
  const entries = [written('a', 1, 'booked'), written('b', 3, 'cancelled'), written('c', 2, 'arrived')]
  for (const order of [entries, [...entries].reverse()]) assert.deepEqual(standing(order).map((a) => [a.id, a.status]), [['a', 'cancelled']])
})

test('a patient cancels their own appointment and a stranger does not', () => {
  assert.equal(standing([written('a', 1, 'booked'), written('b', 2, 'cancelled', 'amina', false)])[0]?.status, 'cancelled')
  assert.equal(standing([written('a', 1, 'booked'), written('b', 2, 'cancelled', 'mallory', false)])[0]?.status, 'booked')
})

test('the same people at another time are another appointment', () => {
  const later = { ...written('b', 2, 'booked'), resources: [fhir.appointment({ ...meeting, start: '2026-11-23T13:00:00.000Z' }, 'booked')] }
  assert.deepEqual(standing([later, written('a', 1, 'booked')]).map((a) => a.id), ['a', 'b'])
  assert.equal(isAbout(later.resources[0], meeting), false)
})
