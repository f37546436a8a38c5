// To whom the app seals a lock's next key, whatever whoever runs the server says.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeGrant, newLock, Locks, type OpenLock } from '../src/engine/locks.ts'
import type { Net } from '../src/engine/net.ts'
import { MemoryShelf } from '../src/engine/shelf.ts'
import { hash, newID, newIdentity, now, random, recipientOf, signingKey } from '../src/seal/bytes.ts'
import { parse, write } from '../src/seal/statements.ts'
import { Clinic } from './clinic.ts'

/** A lock of a patient that a doctor holds, and how the ledger answers. */
async function scene(agrees = true) {
  const clinic = await Clinic.start()
  const patient = await clinic.join('patient')
  const doctor = clinic.founder
  const { key, epoch } = await newLock(patient.self, 'chart', { chart: newID(), compartment: 'restricted' })
  const g = await makeGrant(patient.self, key, { person: doctor.self.person, card: doctor.self.card }, await recipientOf(doctor.self.identity), 'care')
  const posted: { epoch: string; grants: { text: string }[] }[] = []
  const asked: string[][] = []
  const net = {
    get: async (path: string) => (path.endsWith('/members') ? { members: [{ text: g.text, state: 'live' }] } : clinic.answer(path)),
    post: async (_: string, body: (typeof posted)[0]) => { posted.push(body) },
  } as unknown as Net
  const shelf = new MemoryShelf()
  const ledger = { check: () => Promise.resolve(), agrees: (_: string, texts: readonly string[]) => { asked.push([...texts]); return Promise.resolve(agrees) } }
  const people = await clinic.people(patient.self.person, shelf, net, ledger)
  const locks = new Locks(net, people, patient.self, shelf)
  const open: OpenLock = { lock: key.lock, kind: 'chart', chart: epoch.body.chart as string, compartment: 'restricted', epochs: [epoch], keys: new Map([[1, key]]), seq: 0, chain: '', due: true, snapshot: 0 }
  return { clinic, patient, doctor, people, locks, open, posted, asked, grant: (await parse('ward/grant/1', g.text)).body.grant }
}

test('a card that the operator appended ends the history there, and nothing is sealed by it', async () => {
  const { clinic, doctor, locks, people, open, posted } = await scene()
  await people.get(doctor.self.person)
  const [evil, recipient] = [await signingKey(random(32)), await recipientOf(await newIdentity())]
  const card = await write('ward/card/2', {
    ...(await clinic.place(clinic.org)), person: doctor.self.person, serial: 2, before: doctor.self.card, recipientHash: await hash(recipient), signing: evil.public, time: now(),
  }, evil.sign, evil.sign)
  clinic.roster.push(card.text)
  clinic.beside.get(doctor.self.person)?.recipients.push(recipient)
  await assert.rejects(locks.turn(open), { code: 'tampered' })
  assert.equal(posted.length, 0)
  assert.equal((await people.get(doctor.self.person)).current.hash, doctor.self.card)
})

test('a recipient that is not the one of the card is sealed to by nobody', async () => {
  const { clinic, doctor, locks, open, posted } = await scene()
  clinic.beside.set(doctor.self.person, { recipients: [await recipientOf(await newIdentity())], browsers: [] })
  await assert.rejects(locks.turn(open), /is not shown/)
  assert.equal(posted.length, 0)
})

test('nothing is sealed while the ledger does not say that the history is the newest, but to oneself', async () => {
  const { locks, open, people, patient, posted } = await scene(false)
  await assert.rejects(locks.turn(open), { code: 'withheld' })
  assert.equal(posted.length, 0)
  assert.equal((await people.toSealTo(patient.self.person)).current.hash, patient.self.card)
})

test('the next key is for the card that is current, as the newest history says, and the ledger is asked for all of it', async () => {
  const { clinic, doctor, locks, open, posted, asked, people } = await scene()
  await people.get(doctor.self.person)
  const renewed = await clinic.newKeys(doctor)
  await locks.turn(open)
  const { body } = await parse('ward/grant/1', posted[0]?.grants[0]?.text as string)
  assert.equal(body.card, renewed.self.card)
  assert.deepEqual(asked.at(-1), clinic.roster)
})

test('new keys after a loss are sealed to only once they were completed', async () => {
  const { clinic, people } = await scene()
  const desk = await clinic.join('frontdesk')
  clinic.wait(80)
  const other = await clinic.join('patient')
  const lost = await clinic.newKeys(other, await clinic.invite(clinic.founder, other.self.person, 'patient', { recover: true }))
  assert.equal((await people.toSealTo(other.self.person)).current.hash, other.self.card)
  await clinic.say('ward/confirm/1', desk, { what: lost.self.card, how: 'met' }, other.self.person)
  assert.equal((await people.toSealTo(other.self.person)).current.hash, other.self.card)
  clinic.wait(25)
  await clinic.say('ward/complete/1', desk, { what: lost.self.card }, other.self.person)
  assert.equal((await people.toSealTo(other.self.person)).current.hash, lost.self.card)
})

test('who left the clinic is given no key', async () => {
  const { clinic, people } = await scene()
  const desk = await clinic.join('frontdesk')
  await people.get(desk.self.person)
  await clinic.say('ward/deactivate/1', clinic.founder, { person: desk.self.person })
  await assert.rejects(people.toSealTo(desk.self.person), { code: 'refused' })
})

test('who was taken off by this browser is given no later key, though the server says they hold the lock', async () => {
  const { doctor, locks, open, posted, grant } = await scene()
  await locks.took(open.lock, grant, doctor.self.person)
  await assert.rejects(locks.turn(open), /taken off/)
  assert.equal(posted.length, 0)
})
