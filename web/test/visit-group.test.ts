// A visit's group, played by several members without a server: what one sends the others process.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createCommit, decodeMlsMessage, defaultCapabilities, defaultLifetime, encodeMlsMessage, generateKeyPackageWithKey, getCiphersuiteFromName, getCiphersuiteImpl, joinGroupExternal,
  type ClientState, type Extension,
} from 'ts-mls'
import { KnownOut } from '../src/engine/out.ts'
import { MemoryShelf } from '../src/engine/shelf.ts'
import { b64, signingKey, utf8, type SigningKey } from '../src/seal/bytes.ts'
import { write } from '../src/seal/statements.ts'
import { codeOf, pictureOf } from '../src/visit/code.ts'
import { writeIdentity, type Circle } from '../src/visit/credential.ts'
import { Group, Refused, type Me, type Refusal } from '../src/visit/group.ts'
import { listOut, outType, readOut, writeOut } from '../src/visit/out.ts'

const id = (letter: string): string => letter.repeat(25) + 'a'
const org = id('o')
const visit = id('v')
const host = id('h')
const now = Date.parse('2026-11-23T12:00:00.000Z')

interface Person { readonly id: string; readonly card: string; readonly browser: SigningKey }

async function person(letter: string, seed: number): Promise<Person> {
  return { id: id(letter), card: b64(new Uint8Array(32).fill(seed)), browser: await signingKey(new Uint8Array(32).fill(seed)) }
}

const okafor = await person('h', 1)
const amina = await person('p', 2)
const bilal = await person('q', 3)
const mallory = await person('m', 4)
const people = [okafor, amina, bilal, mallory]

const circle: Circle = {
  org, visit, host,
  hasBrowser: async (who, key) => people.some((p) => p.id === who && p.browser.public === key),
  card: async (who) => people.find((p) => p.id === who)?.card ?? '',
  out: { members: new Set(), add: async () => undefined },
  now: () => now,
}

/** The same for a browser that keeps who is out; with its shelf again it is that browser after a reload. */
const keeping = async (shelf = new MemoryShelf()): Promise<Circle> => ({ ...circle, out: await KnownOut.of(shelf, visit) })

async function admit(who: Person, by = okafor, change: object = {}): Promise<{ text: string; browser: string }> {
  const s = await write('ward/admission/1', {
    org, visit, member: who.id, card: who.card, role: 'patient', admitter: by.id, time: '2026-11-23T12:00:00.000Z', until: '2026-11-23T13:00:00.000Z', ...change,
  }, by.browser.sign)
  return { text: s.text, browser: by.browser.public }
}

const me = (p: Person, admission?: { text: string; browser: string }): Me => ({ person: p.id, card: p.card, browser: p.browser.public, sign: p.browser.sign, ...(admission && { admission }) })

async function refusedFor(why: Refusal, what: Promise<unknown>): Promise<Refused> {
  try {
    await what
  } catch (error) {
    assert.ok(error instanceof Refused, String(error))
    assert.equal(error.why, why, error.message)
    return error
  }
  return assert.fail(`it was taken; it should be refused for ${why}`)
}

/** A visit with Dr Okafor and Amina in it, and the state that others join by. */
async function two(): Promise<{ doctor: Group; patient: Group; info: Uint8Array; commit: Uint8Array; begun: Uint8Array }> {
  const { group: doctor, groupInfo } = await Group.begin(circle, me(okafor))
  const { group: patient, next } = await Group.join(circle, me(amina, await admit(amina)), groupInfo)
  const event = await doctor.process(next.commit)
  assert.equal(event.kind === 'epoch' && event.joined[0]?.member, amina.id)
  return { doctor, patient, info: next.groupInfo, commit: next.commit, begun: groupInfo }
}

const keysOf = async (g: Group): Promise<string[]> => {
  const m = await g.mediaEpoch()
  return [`${m.own.leaf} ${b64(m.own.key)}`, ...m.others.map((o) => `${o.leaf} ${b64(o.key)}`)].sort()
}

test('all in an epoch have the same keys and see the same code', async () => {
  const { doctor, patient, info } = await two()
  const { group: proxy, next } = await Group.join(circle, me(bilal, await admit(bilal, okafor, { role: 'proxy' })), info)
  for (const g of [doctor, patient]) await g.process(next.commit)
  const [a, b, c] = await Promise.all([doctor, patient, proxy].map(keysOf))
  assert.deepEqual(a, b)
  assert.deepEqual(a, c)
  assert.equal(new Set(a).size, 3, 'every sender has a key of their own')
  const codes = await Promise.all([doctor, patient, proxy].map((g) => codeOf(g.authenticator)))
  assert.deepEqual(codes[0], codes[1])
  assert.deepEqual(codes[0], codes[2])
  assert.match((codes[0] as string[]).join(' '), /^(\d{5} ){5}\d{5}$/)
  const picture = await pictureOf(doctor.authenticator)
  assert.deepEqual(picture, await pictureOf(proxy.authenticator))
  assert.equal(picture.length, 16)
})

test('who comes later has no earlier key, and who is removed no later one', async () => {
  const { doctor, patient, info } = await two()
  const before = await keysOf(doctor)
  const { group: proxy, next } = await Group.join(circle, me(bilal, await admit(bilal)), info)
  for (const g of [doctor, patient]) await g.process(next.commit)
  const during = await keysOf(proxy)
  for (const key of during) assert.ok(!before.some((k) => k.split(' ')[1] === key.split(' ')[1]), 'a key of before is known to who came later')
  const out = await doctor.remove([bilal.id])
  assert.ok(out)
  assert.equal((await doctor.take(out)).kind, 'epoch')
  assert.equal((await patient.process(out.commit)).kind, 'epoch')
  assert.equal((await proxy.process(out.commit)).kind, 'removed')
  const after = await keysOf(doctor)
  assert.deepEqual(after, await keysOf(patient))
  for (const key of after) assert.ok(!during.some((k) => k.split(' ')[1] === key.split(' ')[1]), 'a key of after is known to who was removed')
  const said = await doctor.send(utf8('only us'))
  await refusedFor('epoch', proxy.process(said))
  const heard = await patient.process(said)
  assert.deepEqual(heard, { kind: 'message', from: host, body: utf8('only us') })
})

test('after a reload a member replaces their own leaf, and everyone has new keys', async () => {
  const { doctor, patient, info } = await two()
  const before = await keysOf(patient)
  const { group: again, next } = await Group.join(circle, me(amina, await admit(amina)), info)
  const event = await doctor.process(next.commit)
  assert.equal(doctor.members.length, 2)
  assert.deepEqual(event.kind === 'epoch' && [event.joined.map((s) => s.member), event.left.map((s) => s.member)], [[amina.id], [amina.id]])
  const after = await keysOf(again)
  assert.deepEqual(after, await keysOf(doctor))
  for (const key of after) assert.ok(!before.includes(key))
  const { group: doctorAgain, next: back } = await Group.join(circle, me(okafor), next.groupInfo)
  await again.process(back.commit)
  assert.deepEqual(await keysOf(doctorAgain), await keysOf(again))
})

test('a group tells whose leaf it holds, and what cannot be read may hold anyone', async () => {
  const { info, begun } = await two()
  assert.deepEqual([begun, info].map((of) => [host, amina.id, bilal.id].map((who) => Group.holds(of, who))), [[true, false, false], [true, true, false]])
  assert.ok(Group.holds(new Uint8Array([1, 2, 3]), bilal.id))
})

test('what was made ready before the click is checked again before it counts', async () => {
  const { doctor, info } = await two()
  let card = okafor.card
  const out = new Set<string>()
  const changing: Circle = { ...circle, card: async (who) => (who === host ? card : circle.card(who)), out: { members: out, add: async () => undefined } }
  const { group, next } = await Group.join(changing, me(bilal, await admit(bilal)), info)
  await group.check()
  card = b64(new Uint8Array(32).fill(7))
  assert.equal((await refusedFor('member', group.check())).doubt?.doubt, 'card')
  card = okafor.card
  out.add(amina.id)
  await refusedFor('older', group.check())
  out.clear()
  await group.check()
  await doctor.process(next.commit)
  assert.deepEqual(await keysOf(group), await keysOf(doctor))
})

/** What a hostile browser sends to come in: it checks nothing, neither itself nor who else is there. */
async function intrude(p: Person, admission: { text: string; browser: string } | undefined, info: Uint8Array): Promise<Uint8Array> {
  const cs = await getCiphersuiteImpl(getCiphersuiteFromName('MLS_256_XWING_AES256GCM_SHA512_Ed25519'))
  const key = await cs.signature.keygen()
  const visitor = await write('ward/visitor/1', { org, visit, member: p.id, person: p.id, card: p.card, leaf: b64(key.publicKey), time: '2026-11-23T12:00:00.000Z' }, p.browser.sign)
  const identity = writeIdentity({ visitor: visitor.text, browser: p.browser.public, ...(admission && { admission: admission.text, admitted: admission.browser }) })
  const leaf = await generateKeyPackageWithKey({ credentialType: 'basic', identity }, { ...defaultCapabilities(), extensions: [outType] }, defaultLifetime, [], key, cs)
  const [message] = decodeMlsMessage(info, 0) ?? []
  assert.ok(message?.wireformat === 'mls_group_info')
  const joined = await joinGroupExternal(message.groupInfo, leaf.publicPackage, leaf.privatePackage, false, cs)
  return encodeMlsMessage({ version: 'mls10', wireformat: 'mls_public_message', publicMessage: joined.publicMessage })
}

test('an intruder who was admitted would get in', async () => {
  const { doctor, info } = await two()
  await doctor.process(await intrude(bilal, await admit(bilal), info)) // so what follows is refused for its admission alone
  assert.equal(doctor.members.length, 3)
})

test('nobody gets in whom the host did not admit', async () => {
  const { doctor, patient, info, begun } = await two()
  const tries: [string, { text: string; browser: string } | undefined][] = [
    ['nobody admitted them', undefined],
    ['they admitted themselves', await admit(mallory, mallory)],
    ['another member admitted them', await admit(mallory, amina)],
    ["the admission is somebody else's", await admit(amina)],
    ['the admission is to another visit', await admit(mallory, okafor, { visit: id('w') })],
    ['the admission was until yesterday', await admit(mallory, okafor, { until: '2026-11-22T12:00:00.000Z' })],
    ['the admission was signed by another browser', { ...(await admit(mallory, { ...okafor, browser: mallory.browser })), browser: mallory.browser.public }],
  ]
  for (const [why, admission] of tries) {
    const found = await refusedFor('member', doctor.process(await intrude(mallory, admission, info)))
    assert.ok(found.doubt, why)
  }
  assert.equal(doctor.members.length, 2)
  assert.deepEqual(await keysOf(doctor), await keysOf(patient), 'the visit goes on')
  await refusedFor('member', Group.join(circle, me(mallory), info))
  await refusedFor('member', Group.join(circle, me(mallory), begun))
})

test('a card put in the place of another is noticed', async () => {
  const { info, doctor } = await two()
  await refusedFor('rule', doctor.process(await intrude(amina, await admit(amina), info))) // a second leaf of a member
  const swapped: Circle = { ...circle, card: async (who) => (who === amina.id ? b64(new Uint8Array(32).fill(9)) : circle.card(who)) }
  const found = await refusedFor('member', Group.join(swapped, me(bilal, await admit(bilal)), info))
  assert.equal(found.doubt?.doubt, 'card')
  const other: Circle = { ...circle, hasBrowser: async (who, key) => who !== host && circle.hasBrowser(who, key) }
  assert.equal((await refusedFor('member', Group.join(other, me(bilal, await admit(bilal)), info))).doubt?.doubt, 'browser')
  assert.equal(doctor.members.length, 2)
})

test('bad messages are refused and the visit goes on', async () => {
  const { doctor, patient, commit, info } = await two()
  await refusedFor('epoch', doctor.process(commit)) // again
  await refusedFor('form', doctor.process(new Uint8Array(200 * 1024)))
  await refusedFor('form', doctor.process(utf8('hello')))
  await refusedFor('form', doctor.process(info))
  const update = await doctor.update()
  const altered = update.commit.slice()
  altered[altered.length - 1] = (altered.at(-1) ?? 0) ^ 1
  await refusedFor('forged', patient.process(altered))
  const mine = await patient.remove([host])
  assert.ok(mine)
  await refusedFor('rule', doctor.process(mine.commit))
  await doctor.take(update)
  await patient.process(update.commit)
  await refusedFor('epoch', patient.process(update.commit))
  assert.deepEqual(await keysOf(doctor), await keysOf(patient))

  const elsewhere: Circle = { ...circle, visit: id('x') }
  const { group: other } = await Group.begin(elsewhere, me(okafor))
  await refusedFor('group', patient.process(await other.send(utf8('hello'))))
  const late = await doctor.send(utf8('before'))
  const next = await doctor.update()
  await doctor.take(next)
  await patient.process(next.commit)
  assert.equal((await patient.process(late)).kind, 'message', 'what was said just before new keys is still heard')
})

/** A visit out of which Dr Okafor took Mallory, who keeps his admission and what he knew; Amina is in, and each browser has
 * its own shelf. */
async function oneOut(): Promise<{ doctor: Group; patient: Group; shelves: { doctor: MemoryShelf; patient: MemoryShelf }; had: { text: string; browser: string }; before: Uint8Array; after: Uint8Array }> {
  const shelves = { doctor: new MemoryShelf(), patient: new MemoryShelf() }
  const doctors = await keeping(shelves.doctor)
  const { group: doctor, groupInfo } = await Group.begin(doctors, me(okafor))
  const { group: patient, next: came } = await Group.join(await keeping(shelves.patient), me(amina, await admit(amina)), groupInfo)
  const had = await admit(mallory)
  const { group: other, next } = await Group.join(circle, me(mallory, had), came.groupInfo)
  await doctor.process(came.commit)
  for (const g of [doctor, patient]) await g.process(next.commit)
  await doctors.out.add([mallory.id])
  const shut = await doctor.shut()
  assert.ok(shut)
  await doctor.take(shut)
  for (const g of [patient, other]) await g.process(shut.commit)
  const removal = await doctor.remove()
  assert.ok(removal)
  await doctor.take(removal)
  await patient.process(removal.commit)
  assert.equal((await other.process(removal.commit)).kind, 'removed')
  return { doctor, patient, shelves, had, before: next.groupInfo, after: removal.groupInfo }
}

test('who was taken out does not come in again, though the clinician reloads and others come', async () => {
  const { patient, shelves, had, after } = await oneOut()
  const { group: doctor, next } = await Group.join(await keeping(shelves.doctor), me(okafor), after)
  await patient.process(next.commit)
  const { group: late, next: joined } = await Group.join(await keeping(), me(bilal, await admit(bilal)), next.groupInfo) // who never saw him
  for (const g of [doctor, patient]) await g.process(joined.commit)
  const back = await intrude(mallory, had, joined.groupInfo) // which a hostile server puts in its place
  const again = await intrude(mallory, await admit(mallory), joined.groupInfo)
  for (const g of [doctor, patient, late]) {
    assert.equal((await refusedFor('member', g.process(back))).doubt?.doubt, 'out')
    assert.equal((await refusedFor('member', g.process(again))).doubt?.doubt, 'out', 'let in once more he is still out')
    assert.equal(g.members.length, 3)
  }
  assert.deepEqual(await keysOf(doctor), await keysOf(late), 'the visit goes on')
  await refusedFor('member', Group.join(circle, me(mallory, had), joined.groupInfo))
})

test('no server shows the group as it was before someone was taken out', async () => {
  const { doctor, patient, shelves, had, before } = await oneOut()
  for (const [who, shelf] of [[me(okafor), shelves.doctor], [me(amina, await admit(amina)), shelves.patient]] as const) {
    const found = await refusedFor('older', Group.join(await keeping(shelf), who, before))
    assert.deepEqual([found.doubt?.doubt, found.doubt?.member], ['older', mallory.id])
  }
  const { group: fresh, groupInfo } = await Group.begin(await keeping(shelves.doctor), me(okafor)) // so the clinician begins it again
  const { group: amina_, next } = await Group.join(await keeping(shelves.patient), me(amina, await admit(amina)), groupInfo)
  await fresh.process(next.commit)
  const back = await intrude(mallory, had, next.groupInfo)
  for (const g of [fresh, amina_]) assert.equal((await refusedFor('member', g.process(back))).doubt?.doubt, 'out')
  const late = await admit(bilal, okafor, { out: listOut(new Set([mallory.id])) }) // who was let in after that
  await refusedFor('older', Group.join(await keeping(), me(bilal, late), before))
  const { groupInfo: forgetful } = await Group.begin(circle, me(okafor))
  await refusedFor('older', Group.join(await keeping(shelves.patient), me(amina, await admit(amina)), forgetful))
  assert.deepEqual(await keysOf(doctor), await keysOf(patient))
})

test('from when the clinician says that someone is out they cannot come again, and others can', async () => {
  const shelf = new MemoryShelf()
  const doctors = await keeping(shelf)
  const { group: doctor, groupInfo } = await Group.begin(doctors, me(okafor))
  const had = await admit(mallory)
  const { group: other, next } = await Group.join(circle, me(mallory, had), groupInfo)
  await doctor.process(next.commit)
  await doctors.out.add([mallory.id])
  const late = await doctor.shut() // whose place the server gives to Amina
  const { group: patient, next: came } = await Group.join(circle, me(amina, await admit(amina)), next.groupInfo)
  for (const g of [doctor, other]) await g.process(came.commit)
  const shut = await doctor.shut()
  assert.ok(late && shut)
  await doctor.take(shut)
  for (const g of [patient, other]) await g.process(shut.commit)
  assert.deepEqual(doctor.members.map((s) => s.member), [okafor.id, mallory.id, amina.id], 'his keys are still to be taken back')
  const again = await other.update() // with a leaf of his own that is new
  const back = await intrude(mallory, had, shut.groupInfo)
  for (const g of [doctor, patient]) for (const commit of [again.commit, back]) assert.equal((await refusedFor('member', g.process(commit))).doubt?.doubt, 'out')
  const removal = await doctor.remove()
  assert.ok(removal)
  await doctor.take(removal)
  await patient.process(removal.commit)
  assert.deepEqual(await keysOf(doctor), await keysOf(patient))
  assert.deepEqual([await doctor.shut(), await doctor.remove()], [undefined, undefined], 'there is nothing more to say')
  assert.deepEqual([...(await keeping(shelf)).out.members], [mallory.id])
})

test('only the clinician says who is out, and nobody takes it back', async () => {
  const { doctor, patient } = await oneOut()
  const cs = await getCiphersuiteImpl(getCiphersuiteFromName('MLS_256_XWING_AES256GCM_SHA512_Ed25519'))
  const saying = async (g: Group, extensions: Extension[]): Promise<Uint8Array> => {
    const proposal = { proposalType: 'group_context_extensions', groupContextExtensions: { extensions } } as const
    return encodeMlsMessage((await createCommit({ state: Reflect.get(g, 'state') as ClientState, cipherSuite: cs }, { extraProposals: [proposal] })).commit)
  }
  await refusedFor('rule', doctor.process(await saying(patient, [writeOut(new Set([mallory.id, bilal.id]))])))
  await refusedFor('rule', patient.process(await saying(doctor, [writeOut(new Set())])))
  await refusedFor('form', patient.process(await saying(doctor, [{ extensionType: outType, extensionData: utf8('mallory') }])))
  assert.deepEqual(await keysOf(doctor), await keysOf(patient))
})

test('who is out is written in one way, and nothing else is read', () => {
  const all = new Set([id('c'), id('a'), id('b')])
  const written = writeOut(all)
  assert.deepEqual(readOut([written]), new Set([id('a'), id('b'), id('c')]))
  assert.deepEqual(readOut([writeOut(new Set())]), new Set())
  const as = (extensionData: Uint8Array): Extension[] => [{ extensionType: outType, extensionData }]
  for (const [why, extensions] of [
    ['there is none', []], ['it is there twice', [written, written]], ['another is beside it', [written, { extensionType: outType + 1, extensionData: new Uint8Array() }]],
    ['they are in another order', as(utf8(id('b') + id('a')))], ['one is in it twice', as(utf8(id('a') + id('a')))], ['one is cut', as(written.extensionData.subarray(1))],
    ['it is too long', as(utf8(Array.from({ length: 101 }, () => id('a')).join('')))], ['it begins with a mark', as(new Uint8Array([0xef, 0xbb, 0xbf, ...written.extensionData]))],
  ] as const) assert.equal(readOut(extensions), undefined, why)
  for (let round = 0; round < 2000; round++) { // bytes that change what was written
    const data = written.extensionData.slice(0, Math.floor(Math.random() * 79))
    for (let n = 0; n < 3; n++) data[Math.floor(Math.random() * data.length)] = Math.floor(Math.random() * 256)
    const read = readOut(as(data))
    if (read) assert.deepEqual(writeOut(read).extensionData, data)
  }
})

test('what is kept of a visit goes when it matters no more', async () => {
  const shelf = new MemoryShelf()
  await shelf.put('pins', `out/${id('w')}`, { members: [bilal.id], until: Date.now() - 1 })
  await (await keeping(shelf)).out.add([mallory.id])
  await keeping(shelf)
  assert.deepEqual(await shelf.keys('pins'), [`out/${visit}`])
})

test('what is said is by whose leaf it is, whatever it says', async () => {
  const { doctor, patient } = await two()
  const said = utf8(host + JSON.stringify({ t: 'text', text: 'take ten', from: host, member: host }))
  assert.deepEqual(await doctor.process(await patient.send(said)), { kind: 'message', from: amina.id, body: said })
  const late = await patient.send(said) // in the epoch before
  const next = await doctor.update()
  await doctor.take(next)
  assert.deepEqual(await doctor.process(late), { kind: 'message', from: amina.id, body: said })
  await refusedFor('forged', doctor.process(late)) // once
})

test('a guest is in by the key and the name that the host let in, and by nothing else', async () => {
  const { doctor, patient, info } = await two()
  const key = await signingKey(new Uint8Array(32).fill(7))
  const called = b64(new Uint8Array(32).fill(8))
  const guest = (admission: { text: string; browser: string } | undefined, by = key): Me => ({ person: id('g'), browser: by.public, sign: by.sign, ...(admission && { admission }) })
  const asGuest = (change: object = {}): Promise<{ text: string; browser: string }> =>
    admit({ id: id('g'), card: undefined as never, browser: key }, okafor, { role: 'guest', guest: key.public, called, ...change })
  const stolen = await signingKey(new Uint8Array(32).fill(9))
  for (const [why, me_] of [
    ['nobody let them in', guest(undefined)],
    ['another browser has the admission', guest(await asGuest(), stolen)],
    ["it is a person's admission", guest(await admit(amina))],
    ['it is of another guest', guest(await asGuest({ member: id('z') }))],
  ] as const) {
    const found = await refusedFor('member', Group.join(circle, me_, info))
    assert.equal(found.doubt?.doubt, 'not-admitted', why)
  }
  const { group: alone, next: leaving } = await Group.join(circle, me(amina, await admit(amina)), info)
  const without = await alone.remove([host]) // a hostile member's, whose rule the others' browsers do not ask
  assert.ok(without && leaving)
  const asHost: Me = { person: host, browser: key.public, sign: key.sign, admission: await asGuest({ member: host }) }
  await refusedFor('member', Group.join(circle, asHost, without.groupInfo))
  const person: Me = { ...me(bilal, await asGuest({ member: bilal.id })) } // a person who comes as a guest
  await refusedFor('member', Group.join(circle, person, info))

  const { group: interpreter, next } = await Group.join(circle, guest(await asGuest()), info)
  for (const g of [doctor, patient]) await g.process(next.commit)
  const seat = patient.members.find((m) => m.member === id('g'))
  assert.deepEqual([seat?.role, seat?.called], ['guest', called])
  assert.deepEqual(await keysOf(interpreter), await keysOf(doctor))
  const out = await doctor.remove([id('g')])
  assert.ok(out)
  await doctor.take(out)
  await patient.process(out.commit)
  assert.equal((await interpreter.process(out.commit)).kind, 'removed')
  await refusedFor('epoch', interpreter.process(await doctor.send(utf8('only us'))))
})

test('a member whose card is not the one that the host let in is refused', async () => {
  const { info } = await two()
  const other = { ...bilal, card: b64(new Uint8Array(32).fill(42)) }
  const found = await refusedFor('member', Group.join(circle, me(bilal, await admit(other)), info))
  assert.equal(found.doubt?.doubt, 'card')
})
