import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sameClock, spanOf, timeThere, weekFrom, zoneName } from '../src/app/zone.ts'
import { Appointments, type Session } from '../src/engine/appointments.ts'
import type { Net } from '../src/engine/net.ts'
import { EngineProblem } from '../src/engine/problem.ts'
import type { Draft, Item } from '../src/engine/types.ts'
import { appointment, readAppointment } from '../src/fhir/write.ts'
import { icsOf } from '../src/screens/booking/ics.ts'

const meeting = { start: '2026-11-23T12:00:00.000Z', end: '2026-11-23T12:30:00.000Z', patient: 'amina', chart: 'chart', with: 'okafor' }
const asked: [string, string, unknown][] = []
const net = {
  get: async () => ({ visits: [{ visit: 'first', chart: 'chart', host: 'okafor', patient: 'amina', starts: meeting.start, ends: meeting.end, state: 'booked', epoch: -1, seq: 0, series: 'first' }, { visit: 'second', chart: 'chart', host: 'okafor', patient: 'amina', starts: meeting.start, ends: meeting.end, state: 'cancelled', epoch: -1, seq: 0, series: 'first', waits: meeting.start }] }),
  post: async (path: string, body: unknown) => void asked.push(['POST', path, body]),
  put: async (path: string, body: unknown) => void asked.push(['PUT', path, body]),
} as unknown as Net
const said = (author: string, roles: Item['author']['roles'], visit: string, reason: string): Item => ({
  entry: reason, lock: 'lock', compartment: 'general', seq: 1, kind: 'appointment', author: { person: author, name: '', roles }, time: meeting.start, type: '', size: 0, state: 'stored',
  resources: [appointment({ ...meeting, visit, patientName: '', withName: '', ...(reason && { reason }) }, 'booked')],
})
const written: [string, Draft][] = []
const session = (items: readonly Item[], refuse?: EngineProblem): Session => ({
  nameOf: async (person) => `${person}!`, opened: [{ chart: 'chart', owner: 'amina', items }], isStaff: (roles) => roles.some((r) => r !== 'patient' && r !== 'proxy'), changed: () => undefined,
  write: async (chart, _compartment, draft) => {
    if (refuse) throw refuse
    written.push([chart, draft])
    return 'entry'
  },
})

test('what a visit is about comes from the chart, by the newest word of the patient or of staff', async () => {
  const items = [said('amina', ['patient'], 'first', 'a cough'), said('okafor', ['clinician'], 'first', 'a cough, and sleep'), said('desk', ['frontdesk'], 'first', ''), said('mallory', ['proxy'], 'first', 'nothing')]
  const list = await new Appointments(net, session(items)).list('2026', '9999')
  assert.deepEqual(list.map((a) => [a.id, a.state, a.patientName, a.reason, a.waits]), [['first', 'booked', 'amina!', 'a cough, and sleep', undefined], ['second', 'cancelled', 'amina!', 'a cough, and sleep', meeting.start]])
})

test('who books tells the server when and the chart what about', async () => {
  asked.length = written.length = 0
  const visit = await new Appointments(net, session([])).book({ ...meeting, reason: 'a cough' })
  assert.deepEqual(asked, [['POST', '/api/visits', { visit, chart: 'chart', host: 'okafor', starts: meeting.start, ends: meeting.end }]])
  assert.equal(JSON.stringify(asked).includes('cough'), false)
  const [chart, draft] = written[0] ?? assert.fail()
  assert.equal(chart, 'chart')
  assert.deepEqual(draft.kind === 'appointment' && readAppointment(draft.resource), { visit, reason: 'a cough' })
})

test('who may not write to the chart has still booked, unless what it is about would be lost', async () => {
  const refused = new EngineProblem('refused', 'no')
  await new Appointments(net, session([], refused)).book(meeting)
  await assert.rejects(new Appointments(net, session([], refused)).book({ ...meeting, reason: 'a cough' }), refused)
  await assert.rejects(new Appointments(net, session([], new EngineProblem('internal', 'no'))).book(meeting))
})

test('a file for a calendar has a time and one word', () => {
  const lines = icsOf({ id: 'visit', start: meeting.start, end: meeting.end }, 'Cita', new Date(0)).split('\r\n')
  assert.deepEqual(lines.slice(4, 12), ['BEGIN:VEVENT', 'UID:visit', 'DTSTAMP:19700101T000000Z', 'DTSTART:20261123T120000Z', 'DTEND:20261123T123000Z', 'SUMMARY:Cita', 'CLASS:PRIVATE', 'STATUS:CONFIRMED'])
})

test('zones are the same where their clocks are', () => {
  assert.equal(sameClock('Europe/Madrid', 'Europe/Berlin', meeting.start), true)
  assert.equal(sameClock('Europe/Madrid', 'Europe/Lisbon', meeting.start), false)
  assert.equal(sameClock('Africa/Casablanca', 'Europe/Madrid', '2026-07-01T12:00:00.000Z'), false)
  assert.match(zoneName('America/New_York', 'en'), /^New York, /)
  assert.equal(zoneName('Gone/Away_Town', 'en'), 'Away Town')
  assert.equal(timeThere('Gone/Away', meeting.start, 'en'), meeting.start)
})

test('spans are said in the largest whole unit', () => {
  assert.deepEqual([20, 60, 120, 1440, 2880].map((n) => spanOf(n, 'en')), ['20 minutes', '1 hour', '2 hours', '24 hours', '2 days'])
})

test('a week has seven days also when clocks change', () => {
  assert.deepEqual(weekFrom(new Date(2026, 9, 19)).map((d) => d.getDate()), [19, 20, 21, 22, 23, 24, 25])
  assert.deepEqual(weekFrom(new Date(2026, 2, 23)).map((d) => [d.getHours(), d.getDay()]), [1, 2, 3, 4, 5, 6, 0].map((day) => [0, day]))
})
