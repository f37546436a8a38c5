// What a person's browser makes of what a clinic shows of its ledger.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ownRelease, parseList } from '../src/engine/release.ts'
import { b64, random, sha256, signingKey, utf8 } from '../src/seal/bytes.ts'
import type { StateProof } from '../src/ledger/verify.ts'
import { be8, browser, Hillside, leaf } from './hillside.ts'

test('a history that grows is followed, and trust is pinned the first time', async () => {
  const h = await Hillside.of(4)
  const b = browser(() => h)
  assert.deepEqual(await b.look(), [])
  assert.equal(b.pinned()?.chain, 'ward-hillside')
  for (const n of [1, 1, 5, 12, 1]) {
    await h.grow(n)
    assert.deepEqual(await b.look(), [])
    assert.equal(b.ledger().state.size, h.leaves.length)
  }
  assert.equal(b.ledger().state.organisations?.length, 4)
})

test('a history that was changed, or cut short, is said to be', async () => {
  const h = await Hillside.of(1)
  const b = browser(() => h)
  await h.grow(20)
  assert.deepEqual(await b.look(), [])
  const before = [...h.leaves]
  h.leaves[7] = await leaf(random(32))
  await h.grow(3)
  assert.deepEqual(await b.look(), ['forked'])
  h.leaves = before.slice(0, 15)
  await h.agree()
  assert.deepEqual(await b.look(), ['shorter'])
  h.final = undefined
  assert.deepEqual(await b.look(), ['shorter'])
  h.leaves = before
  await h.grow(1)
  assert.deepEqual(await b.look(), [])
})

test('two people who are shown two histories: whoever saw the other one is told', async () => {
  const h = await Hillside.of(1)
  await h.grow(9)
  const fork = Object.assign(await Hillside.of(0), h, { leaves: [...h.leaves] })
  let shown = h
  const amina = browser(() => shown)
  await h.grow(2)
  await fork.grow(2)
  assert.deepEqual(await amina.look(), [])
  shown = fork
  assert.deepEqual(await amina.look(), ['forked'])
})

test('trust follows those who were named by the trusted, and nobody else', async () => {
  const h = await Hillside.of(4)
  const b = browser(() => h)
  await h.grow(3)
  assert.deepEqual(await b.look(), [])
  await h.change([...h.keys.slice(1), await signingKey(random(32)), await signingKey(random(32))])
  await h.grow(3)
  assert.deepEqual(await b.look(), [])
  assert.equal(b.pinned()?.validators.length, 5)
  h.keys = [await signingKey(random(32))]
  await h.grow(1)
  assert.deepEqual(await b.look(), ['strangers'])
})

test('a clinic that was alone may join others with the same log; one of several may not change its ledger unsaid', async () => {
  const alone = await Hillside.of(1)
  const b = browser(() => alone)
  await alone.grow(5)
  assert.deepEqual(await b.look(), [])
  alone.chain = 'ward-region'
  alone.keys = (await Hillside.of(4)).keys
  await alone.grow(2)
  assert.deepEqual(await b.look(), [])
  assert.equal(b.ledger().state.organisations?.length, 4)
  alone.chain = 'ward-elsewhere'
  await alone.grow(1)
  assert.deepEqual(await b.look(), ['other-chain'])
  const lost = await Hillside.of(1)
  const c = browser(() => lost)
  await lost.grow(5)
  await c.look()
  lost.origin = b64(random(32))
  await lost.grow(1)
  assert.deepEqual(await c.look(), ['other-log'])
})

test('keys that someone published in one’s name are said to be; another history of somebody is refused', async () => {
  const h = await Hillside.of(4)
  const b = browser(() => h)
  await h.grow(3)
  assert.deepEqual(await b.look(), [])
  h.agreed = [...h.cards, 'a card that she never made\n']
  assert.deepEqual(await b.look(), ['own-keys'])
  h.agreed = h.cards
  assert.deepEqual(await b.look(), [])
  const shown = async (): Promise<readonly string[]> => h.shown
  await b.ledger().checkLine('amina', h.cards, shown)
  await assert.rejects(b.ledger().checkLine('amina', ['a card of before\n'], shown), { code: 'conflict' })
  assert.deepEqual(b.ledger().state.alarms, [])
  h.shown = ['a substituted card\n']
  await assert.rejects(b.ledger().checkLine('amina', ['a substituted card\n'], shown), { code: 'tampered' })
  assert.deepEqual(b.ledger().state.alarms, [{ kind: 'other-keys', person: 'amina' }])
  // What is on its way is no alarm, and that the server cannot say is none either.
  h.agreed = undefined
  await b.ledger().checkLine('amina', ['another card\n'], shown)
})

test('what was seen and is gone is said to be', async () => {
  const h = await Hillside.of(1)
  const b = browser(() => h)
  await b.look()
  const events = [3, 2, 1].map((seq) => ({ seq, event: `e${seq}`, time: `t${seq}` }))
  assert.deepEqual(await b.ledger().vanished('chart', events, 0, 99), [])
  assert.deepEqual((await b.ledger().vanished('chart', events.filter((e) => e.seq !== 2), 0, 99)).map((e) => e.time), ['t2'])
  assert.deepEqual(await b.ledger().vanished('chart', events.slice(0, 1), 3, 99), []) // a page that does not reach so far
  assert.deepEqual(b.ledger().state.alarms, [{ kind: 'gone', time: 't2' }])
})

test('an app says which release it is, by what the organisations signed', async () => {
  const h = await Hillside.of(4)
  const b = browser(() => h)
  await h.grow(1)
  await b.look()
  const hex = async (text: string): Promise<string> => [...(await sha256(utf8(text)))].map((x) => x.toString(16).padStart(2, '0')).join('')
  const app = new Map([['/index.html', 'page'], ['/sw.js', 'worker'], ['/assets/main.js', 'code'], ['/assets/later.js', 'later']])
  const list = (await Promise.all([...app].map(async ([path, text]) => `${await hex(text)}  ${path.slice(1)}\n`))).join('')
  app.set('/files.txt', list)
  const loaded = ['assets/main.js']
  const own = (): ReturnType<typeof ownRelease> => ownRelease(async (path) => (app.has(path) ? new Response(app.get(path)) : new Response('', { status: 404 })), loaded, (sum) => b.ledger().released(sum))
  const sum = await hex(list)
  assert.deepEqual(await own(), { state: 'unrecorded', sum })
  h.released = 7
  assert.deepEqual(await own(), { state: 'recorded', sum, number: 7 })

  // A number that nobody signed is none.
  const honest = h.net.get
  Object.defineProperty(h, 'net', { configurable: true, get: () => ({ get: async (path: string) => {
    const answer = await honest(path) as { proof?: StateProof }
    return answer.proof ? { proof: { ...answer.proof, value: b64(new Uint8Array([...new Uint8Array(24), ...be8(8)])) } } : answer
  } }) })
  await assert.rejects(own(), { fault: 'signers' })
  Reflect.deleteProperty(h, 'net')

  // What is loaded must be in the list, as it is there.
  app.set('/assets/later.js', 'other')
  assert.equal((await own()).state, 'recorded')
  loaded.push('assets/later.js')
  assert.deepEqual(await own(), { state: 'changed', sum, file: 'assets/later.js' })
  loaded[1] = 'assets/unlisted.js'
  assert.deepEqual(await own(), { state: 'changed', sum, file: 'assets/unlisted.js' })
  app.delete('/files.txt')
  assert.deepEqual(await own(), { state: 'unknown' })
})

test('a list of files that is none is not read as one', () => {
  const sum = 'a'.repeat(64)
  assert.equal(parseList(`${sum}  index.html\n`)?.get('index.html'), sum)
  for (const text of ['', '\n', '<!doctype html>\n', `${sum} index.html\n`, `${sum}  index.html`, `${sum}  index.html\n\n`, `${sum.toUpperCase()}  index.html\n`]) assert.equal(parseList(text), undefined, text)
})

test('who goes on from the history as it is now is not told again of what they saw before', async () => {
  const h = await Hillside.of(1)
  const b = browser(() => h)
  await h.grow(1)
  await b.look()
  const line = { seq: 3, event: 'a', time: '2026-11-25T10:00:00.000Z' }
  await b.ledger().vanished('chart', [line], 0, 9)
  assert.equal((await b.ledger().vanished('chart', [], 0, 9)).length, 1)
  assert.deepEqual(b.ledger().state.alarms, [{ kind: 'gone', time: line.time }])
  await b.ledger().accept(async () => h.own)
  assert.deepEqual(b.ledger().state.alarms, [])
  assert.equal((await b.ledger().vanished('chart', [], 0, 9)).length, 0)
})

test('who has a ledger is not told that there is none, when it cannot be checked or does not hold', async () => {
  const h = await Hillside.of(4)
  const b = browser(() => h)
  await h.grow(2)
  assert.deepEqual(await b.look(), [])
  h.isAway = true
  assert.deepEqual(await b.look(), [])
  assert.equal((await b.ledger().proofs('/api/charts/c/receipts', 'event', [{ ref: 'e', time: '', says: () => true }]))[0]?.state, 'unchecked')
  assert.equal((await b.ledger().lineProof(h.own)).state, 'unchecked')
  h.isAway = false
  h.leaves = [await leaf(random(32)), await leaf(random(32))]
  await h.agree()
  assert.deepEqual(await b.look(), ['forked'])
  assert.equal((await b.ledger().lineProof(h.own)).state, 'unchecked')
})

test('names are those that are agreed, and only told ones are said to be', async () => {
  const h = await Hillside.of(4)
  const b = browser(() => h)
  h.named = false
  await h.grow(1)
  assert.deepEqual(await b.look(), [])
  assert.deepEqual(b.ledger().state.organisations, ['Clinic 1', 'Clinic 2', 'Clinic 3', 'Clinic 4'])
  const told = await b.ledger().lineProof(h.own)
  assert.ok(told.state === 'agreed' && !told.named && told.clinic === undefined && told.by[0] === 'Clinic 1')
  h.named = true
  assert.deepEqual(await b.look(), [])
  assert.deepEqual(b.ledger().state.organisations, ['Agreed 1', 'Agreed 2', 'Agreed 3', 'Agreed 4'])
  const agreed = await b.ledger().lineProof(h.own)
  assert.ok(agreed.state === 'agreed' && agreed.named && agreed.clinic === 'Hillside Clinic' && agreed.by[3] === 'Agreed 4')
  // Names that somebody made up are nobody's.
  const honest = h.names.bind(h)
  h.names = async () => { const n = await honest(); return { ...n, logs: n.logs.map((l) => ({ ...l, name: 'Riverside Clinic' })) } }
  const c = browser(() => h)
  assert.deepEqual(await c.look(), ['strangers'])
})

test('a salt that hides what is agreed of keys is found out', async () => {
  const h = await Hillside.of(4)
  const b = browser(() => h)
  h.registered = b64(random(32))
  await h.grow(1)
  assert.deepEqual(await b.look(), ['salt'])
})

test('who was away for longer than a month is asked before others are trusted', async () => {
  const h = await Hillside.of(4)
  const b = browser(() => h)
  await h.grow(2)
  assert.deepEqual(await b.look(), [])
  const start = Date.now()
  const real = Date.now
  try {
    const days = (n: number): void => { Date.now = () => start + n * 24 * 60 * 60 * 1000 }
    days(400)
    await h.grow(1)
    assert.deepEqual(await b.look(), [], 'the same still sign')
    const joined = await signingKey(random(32))
    await h.change([...h.keys, joined])
    await h.grow(1)
    days(425)
    assert.deepEqual(await b.look(), [], 'others do, and it is not long ago')
    assert.equal(b.pinned()?.validators.length, 5)
    await h.change(h.keys.slice(1))
    await h.grow(1)
    days(460)
    assert.deepEqual(await b.look(), ['long-away'])
    assert.equal(b.ledger().state.alarms[0]?.organisations?.length, 4)
    assert.deepEqual(await b.look(), ['long-away'], 'it does not go by itself')
    await b.ledger().accept(async () => h.own)
    assert.deepEqual(b.ledger().state.alarms, [])
    assert.deepEqual(await b.look(), [])
    // What another device found out counts here too.
    assert.ok((b.pinned()?.checked ?? 0) >= Math.floor(Date.now() / 1000) - 1)
  } finally { Date.now = real }
})

test('a log that was begun again after a loss is told with how much is lost, and only if the chain knows the one of before', async () => {
  const h = await Hillside.of(4)
  const b = browser(() => h)
  await h.grow(9)
  assert.deepEqual(await b.look(), [])
  const origin = h.origin
  h.leaves = h.leaves.slice(0, 5)
  h.origin = b64(random(32))
  await h.grow(2)
  assert.deepEqual(await b.look(), ['other-log'], 'nothing is said of the one of before')
  h.before = [{ origin, size: 8, root: '', time: '2026-11-25T10:00:00.000Z', lost: 3 }]
  assert.deepEqual(await b.look(), ['other-log'], 'less is admitted than was seen')
  h.before = [{ origin, size: 9, root: '', time: '2026-11-25T10:00:00.000Z', lost: 4 }]
  assert.deepEqual(await b.look(), ['begun-again'])
  h.named = false
  assert.deepEqual(await b.look(), ['other-log'], 'the server alone says so')
  h.named = true
  assert.deepEqual(await b.look(), ['begun-again'])
  assert.deepEqual(b.ledger().state.alarms[0], { kind: 'begun-again', time: '2026-11-25T10:00:00.000Z', size: 9, lost: 4 })
  await b.ledger().accept(async () => h.own)
  assert.deepEqual(await b.look(), [])
  assert.equal(b.ledger().state.begun, '2026-11-25T10:00:00.000Z')
})

test('access that was taken back and stands again is said to', async () => {
  const h = await Hillside.of(1)
  const b = browser(() => h)
  await h.grow(1)
  await b.look()
  await b.ledger().takenBack('chart', [{ grant: 'friend', state: 'live' }, { grant: 'before', state: 'removed' }, { grant: 'over', state: 'expired' }])
  await b.ledger().takenBack('chart', [{ grant: 'friend', state: 'removed' }, { grant: 'anew', state: 'live' }, { grant: 'over', state: 'live' }])
  await b.ledger().takenBack('other', [{ grant: 'friend', state: 'live' }])
  assert.deepEqual(b.ledger().state.alarms, [])
  await b.ledger().takenBack('chart', [{ grant: 'friend', state: 'live' }])
  assert.deepEqual(b.ledger().state.alarms, [{ kind: 'stands-again' }])
  await b.ledger().refresh(async () => h.own)
  assert.deepEqual(b.ledger().state.alarms, [{ kind: 'stands-again' }])
  await b.ledger().accept(async () => h.own)
  await b.ledger().takenBack('chart', [{ grant: 'friend', state: 'live' }])
  assert.deepEqual(b.ledger().state.alarms, [])
})
