// Who is who as a device keeps it: read on, held to what it saw, stated in, and joined by a link.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { join, open } from '../src/engine/account.ts'
import { Matters } from '../src/engine/matters.ts'
import { again, Membership } from '../src/engine/membership.ts'
import { Net } from '../src/engine/net.ts'
import { EngineProblem } from '../src/engine/problem.ts'
import { MemoryShelf } from '../src/engine/shelf.ts'
import type { WireCards } from '../src/engine/wire.ts'
import { b64, hash, newID, random, recipientOf, signingKey } from '../src/seal/bytes.ts'
import { invitationIdentity, invitationKey, lockKey, newLockIdentity, sealTo, welcomeFile } from '../src/seal/keys.ts'
import { nameHash, write } from '../src/seal/statements.ts'
import { Clinic, type Someone } from './clinic.ts'
import { grown } from './histories.ts'

const start = (c: Clinic, shelf = new MemoryShelf(), net = c.net): Promise<Membership> => Membership.start(net, shelf, c.founder.self.person, c.org, c.clinicText)

test('a roster is read on from where it was left, after a reload too', async () => {
  const c = await Clinic.start()
  for (let i = 0; i < 12; i++) await c.join('frontdesk')
  const shelf = new MemoryShelf()
  const asked: string[] = []
  const net = { get: <T>(path: string): Promise<T> => { asked.push(path); return c.net.get<T>(path) } }
  const first = await start(c, shelf, net)
  await first.sync()
  assert.equal(first.roster.head.seq, 25)
  assert.deepEqual(asked, ['/api/membership?after=0', '/api/membership?after=19'])
  await c.join('frontdesk')
  const second = await start(c, shelf, net)
  assert.equal(second.roster.head.seq, 25)
  assert.deepEqual(second.chain.texts, first.chain.texts)
  await second.sync()
  assert.equal(second.roster.head.seq, 27)
  assert.equal(asked.at(-1), '/api/membership?after=24')
})

test('a server that shows fewer statements, or others, is not followed, and what it shows later is', async () => {
  const c = await Clinic.start()
  await c.join('frontdesk')
  const shelf = new MemoryShelf()
  const m = await start(c, shelf)
  await m.sync()
  const all = [...c.roster]
  c.roster.pop()
  await m.sync()
  assert.deepEqual([m.chain.wrong?.kind, m.roster.head.seq], ['shorter', 3])
  await c.newKeys(c.founder)
  const reloaded = await start(c, shelf)
  await reloaded.sync()
  assert.deepEqual([reloaded.chain.wrong?.kind, reloaded.roster.head.seq], ['other', 3])
  c.roster.splice(0, c.roster.length, ...all)
  await m.sync()
  assert.equal(m.chain.wrong, undefined)
})

test('a statement that breaks a rule ends the roster there, in words, with all that was shown', async () => {
  const c = await Clinic.start()
  const desk = await c.join('frontdesk')
  await c.say('ward/roles/1', desk, { person: c.founder.self.person, roles: 'frontdesk' })
  await c.newKeys(c.founder)
  const m = await start(c)
  await m.sync()
  assert.deepEqual([m.chain.wrong?.kind, m.chain.wrong?.seq, m.roster.head.seq], ['bad', 4, 3])
  assert.deepEqual(m.chain.texts, c.roster)
  assert.deepEqual(m.chain.held, c.roster.slice(0, 3))
  await m.sync()
  assert.deepEqual(m.chain.texts, c.roster)
})

test('what is kept of a roster counts only with the statements that it was made of', async () => {
  const c = await Clinic.start()
  await c.join('frontdesk')
  const shelf = new MemoryShelf()
  await (await start(c, shelf)).sync()
  const key = `membership/${c.founder.self.person}/${c.org}`
  const kept = (await shelf.get('pins', key)) as { texts: string[]; state: { people: Record<string, { is: { roles: string } }[]> } }
  await shelf.put('pins', key, { ...kept, texts: [...kept.texts.slice(0, 2), kept.texts[1] as string] })
  assert.equal((await start(c, shelf)).roster.head.seq, 2)
  await shelf.put('pins', key, kept)
  assert.equal((await start(c, shelf)).roster.head.seq, 3)
})

test('a thread that is shown shorter or changed is not followed, after a reload too', async () => {
  const c = await Clinic.start()
  const patient = await c.join('patient')
  const { person } = patient.self
  const shelf = new MemoryShelf()
  const people = await c.people(undefined, shelf)
  const renewed = await c.newKeys(patient)
  assert.equal((await people.get(person)).current.hash, renewed.self.card)
  const thread = c.threads.get(person) as string[]
  const last = thread.pop() as string
  const later = await c.people(undefined, shelf)
  await assert.rejects(later.toSealTo(person))
  thread.push(last)
  assert.equal((await later.toSealTo(person)).current.hash, renewed.self.card)
  thread.pop()
  assert.equal((await later.again(person)).current.hash, renewed.self.card)
  await assert.rejects(later.toSealTo(person), { code: 'tampered' })
})

test('staff are who the roster says, whatever thread a server shows of them', async () => {
  const c = await Clinic.start()
  const desk = await c.join('frontdesk')
  const people = await c.people()
  const answer = c.cardsOf.bind(c)
  c.cardsOf = (person: string): WireCards => ({ ...answer(person), thread: ['ward/card/2\n{}\n\n'] })
  assert.deepEqual((await people.get(desk.self.person)).roles, ['frontdesk'])
  await assert.rejects(people.get(newID()), { code: 'missing' })
})

test('browsers count that a card certified which ever counted, and others do not', async () => {
  const c = await Clinic.start()
  const desk = await c.join('frontdesk')
  const renewed = await c.newKeys(desk)
  const waiting = await c.newKeys(renewed, await c.invite(c.founder, desk.self.person, 'frontdesk', { recover: true }))
  const people = await c.people()
  const p = await people.get(desk.self.person)
  assert.deepEqual(p.cards.map((x) => x.hash), [desk.self.card, renewed.self.card])
  assert.equal(p.browsers.get(desk.browser.public), renewed.self.card)
  assert.notEqual(p.current.hash, waiting.self.card)
})

/** What someone may do of what waits. sent are statements that a server would take. */
async function device(c: Clinic, who: Someone, conflicts = 0) {
  const sent: string[] = []
  const people = await c.people(who.self.person)
  const net = { post: async (path: string, { text }: { text: string }) => {
    if (conflicts-- > 0) {
      await c.join('frontdesk')
      throw new EngineProblem('conflict', 'something was stated here in the meantime')
    }
    sent.push(path)
    const { chain } = JSON.parse(text.split('\n')[1] as string) as { chain: string }
    ;(chain === c.org ? c.roster : (c.threads.get(chain) as string[])).push(text)
  } } as unknown as Net
  let told = 0
  const m = new Matters(net, people, who.self, () => { told++ }, () => undefined)
  return { m, people, sent, told: () => told }
}

test('a statement is made again at the place after what others stated meanwhile, five times at the most', async () => {
  const c = await Clinic.start()
  const desk = await c.join('frontdesk')
  c.untilNow()
  const d = await device(c, c.founder, 3)
  await d.m.setRoles(desk.self.person, ['privacy', 'frontdesk'])
  assert.deepEqual([d.sent.length, d.told()], [1, 1])
  assert.deepEqual((await d.people.get(desk.self.person)).roles, ['frontdesk', 'privacy'])
  const unlucky = await device(c, c.founder, 5)
  await assert.rejects(unlucky.m.setRoles(desk.self.person, ['frontdesk']), { code: 'conflict' })
  await assert.rejects(d.m.setRoles(c.founder.self.person, ['frontdesk']), { code: 'refused' })
  let tries = 0
  await assert.rejects(again(() => { tries++; return Promise.reject(new EngineProblem('offline', '')) }), { code: 'offline' })
  assert.equal(tries, 1)
})

test('a second clinician waits for another, who may confirm; the one that invited may not', async () => {
  const c = await Clinic.start()
  const admin = await c.join('admin')
  const first = await c.join('clinician')
  c.wait(80)
  const invited = await c.join('clinician', admin)
  const byAdmin = await device(c, admin)
  await byAdmin.m.read([])
  const [matter] = byAdmin.m.state().pending.filter((x) => x.person === invited.self.person)
  assert.deepEqual([matter?.type, matter?.author, matter?.needs, matter?.can.confirm], ['card', admin.self.person, [['clinician']], false])
  assert.equal(byAdmin.m.about(invited.self.person), undefined)
  const byFounder = await device(c, c.founder)
  await byFounder.m.read([])
  const of = byFounder.m.state().pending.find((x) => x.person === invited.self.person)
  assert.equal(of?.can.confirm, true)
  await byFounder.m.confirm(invited.self.person, of?.what as string, 'met')
  assert.deepEqual(byFounder.sent, [`/api/people/${invited.self.person}/membership`])
  assert.deepEqual(byFounder.m.about(invited.self.person)?.roles, ['clinician'])
  assert.equal(byFounder.m.state().pending.some((x) => x.person === invited.self.person), false)
  // The first one was made while there was nobody else.
  assert.ok(byFounder.m.state().alone.includes(first.self.person) || byFounder.m.state().pending.some((x) => x.person === first.self.person))
})

test('who was ended is brought back by two who did not do it, and what waits says what it is', async () => {
  const c = await Clinic.start()
  const desk = await c.join('frontdesk')
  const [one, two] = [await c.join('security'), await c.join('security')]
  await c.join('admin')
  const { person } = desk.self
  const byFounder = await device(c, c.founder)
  await byFounder.m.end(person)
  const undoable = (m: Matters): unknown => m.state().undoable.map((u) => [u.person, u.by, u.roles, u.ended, u.can])
  assert.deepEqual(undoable(byFounder.m), [[person, c.founder.self.person, ['frontdesk'], true, false]])
  const byOne = await device(c, one)
  await byOne.m.read([])
  assert.deepEqual(undoable(byOne.m), [[person, c.founder.self.person, ['frontdesk'], true, true]])
  await byOne.m.reinstate(person, byOne.m.state().undoable[0]?.what as string)
  assert.equal(byOne.m.about(person)?.state, 'ended')
  const byTwo = await device(c, two)
  for (const [d, can] of [[byFounder, false], [byOne, false], [byTwo, true]] as const) {
    await d.m.read([])
    assert.deepEqual(d.m.state().pending.map((x) => [x.type, x.person, x.author, x.can.confirm]), [['reinstate', person, one.self.person, can]])
  }
  await byTwo.m.confirm(person, byTwo.m.state().pending[0]?.what as string, 'phone')
  assert.deepEqual([byTwo.m.about(person)?.state, byTwo.m.about(person)?.roles], ['active', ['frontdesk']])
  assert.deepEqual([byTwo.m.state().undoable, byTwo.m.state().pending], [[], []])
  // What waits tells the roles and hours that are to be.
  await byFounder.m.read([])
  await byFounder.m.setRoles(person, ['frontdesk', 'admin'])
  await byFounder.m.setVetoHours(48)
  assert.deepEqual(byFounder.m.state().pending.map((x) => [x.type, x.roles, x.vetoHours]), [['roles', ['frontdesk', 'admin'], undefined], ['rules', undefined, 48]])
})

test('a name that somebody was given since they joined is told from the one they joined with', async () => {
  const c = await Clinic.start()
  const desk = await c.join('frontdesk')
  const d = await device(c, desk)
  await d.m.read([])
  assert.equal(d.people.membership.chain.renamed(desk.self.person), undefined)
  const name = await hash('another')
  await c.say('ward/rename/1', c.founder, { person: desk.self.person, name })
  await d.m.read([])
  assert.equal(d.people.membership.chain.renamed(desk.self.person), name)
})

test('keys that somebody makes in one’s name are told on the old device, which may refuse them', async () => {
  const c = await Clinic.start()
  const desk = await c.join('frontdesk')
  const patient = await c.join('patient')
  const { person } = patient.self
  const d = await device(c, patient)
  await d.m.read([])
  assert.equal(d.m.state().mine, undefined)
  const invitation = await c.invite(desk, person, 'patient', { recover: true })
  await c.say('ward/withdraw/1', desk, { what: await hash(c.threads.get(person)?.at(-1) as string) }, person)
  await d.m.read([])
  assert.equal(d.m.state().mine, undefined, 'it was withdrawn')
  const second = await c.invite(desk, person, 'patient', { recover: true })
  assert.notEqual(second, invitation)
  c.wait(24 * 80 - 1) // the invitation has not expired for those who read it at its time
  await d.m.read([])
  const lost = await c.newKeys(patient, await c.invite(desk, person, 'patient', { recover: true }))
  await d.m.read([])
  const mine = d.m.state().mine
  assert.deepEqual([mine?.kind, mine?.by, mine?.what], ['waiting', desk.self.person, lost.self.card])
  assert.deepEqual(d.m.state().pending.map((x) => [x.type, x.can.veto, x.can.confirm]), [['card-after-loss', true, false]])
  await d.m.veto(person, mine?.what as string)
  assert.equal(d.m.state().mine, undefined)
  assert.deepEqual(d.m.state().pending, [])
})

test('new keys whose time is over are let count by whoever of the staff comes by, and who still has the old ones is told', async () => {
  const c = await Clinic.start()
  const desk = await c.join('frontdesk')
  const patient = await c.join('patient')
  const { person } = patient.self
  c.wait(80)
  const lost = await c.newKeys(patient, await c.invite(c.founder, person, 'patient', { recover: true }))
  await c.say('ward/confirm/1', desk, { what: lost.self.card, how: 'video' }, person)
  const d = await device(c, desk)
  await d.m.read([person])
  assert.equal(d.m.state().pending[0]?.can.complete, true)
  await d.m.completeDue()
  assert.deepEqual(d.m.about(person)?.keysBy, [desk.self.person])
  assert.ok(d.m.about(person)?.keysSince)
  const old = await device(c, patient)
  await old.m.read([])
  assert.deepEqual([old.m.state().mine?.kind, old.m.state().mine?.by], ['replaced', c.founder.self.person])
  const fresh = await device(c, lost)
  await fresh.m.read([])
  assert.equal(fresh.m.state().mine, undefined)
})

// Joining by a link, with an authenticator that answers at once.

Object.assign(globalThis, { PublicKeyCredential: class {}, location: { origin: 'https://clinic.example' } })
Object.defineProperty(globalThis, 'navigator', { configurable: true, value: { onLine: true, credentials: { create: async () => ({
  id: 'x', rawId: new ArrayBuffer(4), type: 'public-key', getClientExtensionResults: () => ({ prf: { results: { first: new Uint8Array(32).buffer } } }),
  response: { clientDataJSON: new ArrayBuffer(1), attestationObject: new ArrayBuffer(1) },
}) } } })

/** Invites somebody, and answers to the link as a server does. moves: how often another is first. */
async function invitation(c: Clinic, roles: string, person = newID(), more: { recover?: true; moves?: number } = {}) {
  c.untilNow()
  const secret = random(16)
  const [id, salt] = [newID(), random(32)]
  const chain = /patient|proxy/.test(roles) ? person : c.org
  if (chain !== c.org && !c.threads.has(person)) c.threads.set(person, [])
  await c.say('ward/invite/1', c.founder, {
    invitation: id, person, verifier: (await invitationKey(secret)).public, roles, name: more.recover ? await hash('a name') : await nameHash(salt, 'Li Wei'), until: new Date(Date.parse(c.time) + 86_400_000).toISOString(),
    ...(more.recover && { recover: true as const }),
  }, chain)
  const staff = await lockKey(c.org, newID(), 1, await newLockIdentity())
  const welcome = await sealTo(welcomeFile(staff, 'Ada', { name: 'Li Wei', salt: b64(salt) }), await recipientOf(await invitationIdentity(secret)))
  const accepted: Record<string, string>[] = []
  let moves = more.moves ?? 0
  const page = (after: number) => ({ statements: c.roster.slice(after, after + 5), more: c.roster.length > after + 5 })
  const thread = () => (chain === c.org ? {} : { thread: [...(c.threads.get(person) as string[])] })
  const net = { post: async (path: string, body: never): Promise<unknown> => {
    const { after } = body as { after: number }
    if (path.endsWith('/open')) {
      return {
        org: { org: c.org, name: 'Clinic', version: '' }, person, roles: roles.split(' '), until: '', clinicText: c.clinicText, membership: page(0), ...thread(), welcome: btoa(String.fromCharCode(...welcome)),
        ...(more.recover && { recover: true }), ceremony: 'c', publicKey: { challenge: '', user: { id: '', name: '', displayName: '' } },
      }
    }
    if (path.endsWith('/membership')) return { ...page(after), ...thread() }
    if (moves-- > 0) {
      await c.join('frontdesk')
      if (chain !== c.org) await c.say('ward/rename/1', c.founder, { person, name: await hash('another') }, chain)
      throw new EngineProblem('conflict', 'something was stated here in the meantime')
    }
    accepted.push(body)
    return { session: 's' }
  } } as unknown as Net
  return { net, accepted, link: { invitation: id, secret, clinic: await hash(c.clinicText) }, person, chain }
}

const about = { name: { given: 'Li', family: 'Wei' } }
const quiet = (): undefined => undefined

test('who joins by a link signs the next card of the roster with it, again if another was first', async () => {
  const c = await Clinic.start()
  for (let i = 0; i < 4; i++) await c.join('frontdesk')
  const v = await invitation(c, 'frontdesk', newID(), { moves: 2 })
  const browser = await signingKey(random(32))
  const joined = await join(v.net, browser, v.link, about, 'phone', quiet)
  assert.deepEqual(joined.opened.called?.name, 'Li Wei')
  const [accepted] = v.accepted
  c.roster.push(accepted?.['cardText'] as string)
  c.beside.set(v.person, { recipients: [accepted?.['recipient'] as string], browsers: [accepted?.['browserText'] as string] })
  const p = await (await c.people()).get(v.person)
  assert.deepEqual([p.roles, p.current.hash, p.browsers.has(browser.public)], [['frontdesk'], joined.keyring.card, true])
})

test('who lost their keys follows their card in their own thread', async () => {
  const c = await Clinic.start()
  const patient = await c.join('patient')
  const v = await invitation(c, 'patient', patient.self.person, { recover: true, moves: 1 })
  const joined = await join(v.net, await signingKey(random(32)), v.link, about, 'phone', quiet)
  c.threads.get(v.person)?.push(v.accepted[0]?.['cardText'] as string)
  const people = await c.people()
  assert.equal((await people.get(v.person)).current.hash, patient.self.card)
  assert.equal((await people.get(v.person)).chain.history.pending[0]?.what, joined.keyring.card)
})

test('an invitation that nobody of the clinic stated opens nothing', async () => {
  const c = await Clinic.start()
  const v = await invitation(c, 'frontdesk')
  await assert.rejects(open(v.net, { ...v.link, secret: random(16) }), /stated this invitation/)
  await assert.rejects(open(v.net, { ...v.link, clinic: await hash('another') }), { code: 'tampered' })
  const forged = await write('ward/roles/1', { ...(await c.place(c.org)), person: v.person, roles: 'admin', by: c.founder.self.person, card: c.founder.self.card, time: c.time }, (await signingKey(random(32))).sign)
  c.roster.push(forged.text)
  await assert.rejects(open(v.net, v.link), { code: 'tampered' })
})

test('two thousand statements leave the page time for other work', async () => {
  const m = await grown(2000)
  let longest = 0
  let last = performance.now()
  const ticking = setInterval(() => {
    longest = Math.max(longest, performance.now() - last)
    last = performance.now()
  }, 1)
  const net = { get: async <T>(path: string): Promise<T> => {
    const after = Number(path.split('=')[1])
    return { statements: m.texts.slice(after, after + 500), more: after + 500 < m.texts.length } as T
  } }
  const read = await Membership.start(net, new MemoryShelf(), 'reader', m.org, m.clinic)
  last = performance.now()
  await read.sync()
  clearInterval(ticking)
  assert.equal(read.roster.head.seq, 2000)
  assert.ok(longest < 500, `the page stood still for ${Math.round(longest)} ms`)
})
