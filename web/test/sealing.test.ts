// To whom the app seals a lock's next key, whatever whoever runs the server says.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { certify } from '../src/engine/account.ts'
import { makeGrant, newLock, Locks, type Guard, type OpenLock, type Self } from '../src/engine/locks.ts'
import type { Net } from '../src/engine/net.ts'
import { People } from '../src/engine/people.ts'
import { MemoryShelf } from '../src/engine/shelf.ts'
import type { WireCards } from '../src/engine/wire.ts'
import { newID, newIdentity, now, random, recipientOf, signingKey } from '../src/seal/bytes.ts'
import { hashOf, parse, write } from '../src/seal/statements.ts'

const org = newID()

async function someone(role: 'patient' | 'clinician'): Promise<{ card: Awaited<ReturnType<typeof write<'ward/card/1'>>>; self: Self; wire: WireCards & { cards: string[] } }> {
  const [signing, browser, identity, person] = [await signingKey(random(32)), await signingKey(random(32)), await newIdentity(), newID()]
  const card = await write('ward/card/1', { org, person, serial: 1, recipient: await recipientOf(identity), signing: signing.public, time: now() }, signing.sign)
  const certificate = await certify(org, person, await hashOf(card), browser, signing)
  return { card, self: { org, person, identity, signing, card: await hashOf(card), name: 'N' }, wire: { person, roles: [role], state: 'active', cards: [card.text], browsers: [certificate.text] } }
}

/** A lock of a patient that a doctor holds, and a doctor's card that the operator appended. */
async function scene(guard?: Partial<Guard>) {
  const [patient, doctor, stranger] = [await someone('patient'), await someone('clinician'), await someone('clinician')]
  const { key, epoch } = await newLock(patient.self, 'chart', { chart: newID(), compartment: 'restricted' })
  const g = await makeGrant(patient.self, key, { person: doctor.self.person, card: doctor.self.card }, await recipientOf(doctor.self.identity), 'care')
  const posted: { epoch: string; grants: { text: string }[] }[] = []
  const net = {
    get: async (path: string) => {
      for (const p of [patient, doctor, stranger]) if (path === `/api/people/${p.self.person}/cards`) return p.wire
      if (path.endsWith('/members')) return { members: [{ text: g.text, state: 'live' }] }
      throw new Error(path)
    },
    post: async (_: string, body: (typeof posted)[0]) => { posted.push(body) },
  } as unknown as Net
  const shelf = new MemoryShelf()
  const people = new People(net, shelf, org)
  const locks = new Locks(net, people, patient.self, { confirmed: () => Promise.resolve(false), agrees: () => Promise.resolve(true), shelf, ...guard })
  const open: OpenLock = { lock: key.lock, kind: 'chart', chart: epoch.body.chart as string, compartment: 'restricted', epochs: [epoch], keys: new Map([[1, key]]), seq: 0, chain: '', due: true, snapshot: 0 }
  const forge = async (): Promise<void> => {
    const evil = await signingKey(random(32))
    const card = await write('ward/card/1', {
      org, person: doctor.self.person, serial: 2, previous: await hashOf(doctor.card), recipient: await recipientOf(await newIdentity()), signing: evil.public, time: now(), voucher: stranger.self.person,
    }, evil.sign, stranger.self.signing.sign)
    doctor.wire.cards.push(card.text)
  }
  return { doctor, locks, open, posted, forge, grant: (await parse('ward/grant/1', g.text)).body.grant }
}

test('nothing is sealed to a card that the operator appended', async () => {
  const { locks, open, posted, forge } = await scene()
  await forge()
  await assert.rejects(locks.turn(open), /nobody known has confirmed/)
  assert.equal(posted.length, 0)
})

test('nothing is sealed to a later card while the ledger does not say that it is the newest', async () => {
  const { locks, open, posted, forge } = await scene({ confirmed: () => Promise.resolve(true), agrees: () => Promise.resolve(false) })
  await forge()
  await assert.rejects(locks.turn(open), { code: 'withheld' })
  assert.equal(posted.length, 0)
})

test('a first card, and a later one that is confirmed and agreed, are given the next key', async () => {
  const first = await scene()
  await first.locks.turn(first.open)
  assert.equal(first.posted[0]?.grants.length, 1)
  const later = await scene({ confirmed: () => Promise.resolve(true) })
  await later.forge()
  await later.locks.turn(later.open)
  assert.equal(later.posted[0]?.grants.length, 1)
})

test('who was taken off by this browser is given no later key, though the server says they hold the lock', async () => {
  const { doctor, locks, open, posted, grant } = await scene()
  await locks.took(open.lock, grant, doctor.self.person)
  await assert.rejects(locks.turn(open), /taken off/)
  assert.equal(posted.length, 0)
})
