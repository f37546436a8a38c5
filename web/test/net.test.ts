// The stream of notices: whoever knows that it stands need not ask what has changed.

import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { Net } from '../src/engine/net.ts'
import { utf8, type SigningKey } from '../src/seal/bytes.ts'

/** A net whose server answers with a stream, and what is written on it. */
function listening() {
  const stream = new TransformStream<Uint8Array, Uint8Array>()
  Object.assign(globalThis, { location: { origin: 'http://localhost' }, fetch: async () => new Response(stream.readable) })
  const key = { public: '', sign: async () => new Uint8Array(64) } as unknown as SigningKey
  const net = new Net(key, () => undefined, () => undefined)
  net.token = 'token'
  let begun = false
  const notices = net.notices(new AbortController().signal, () => { begun = true })
  const writer = stream.writable.getWriter()
  return { net, notices, hasBegun: () => begun, write: (text: string) => writer.write(utf8(text)), close: () => writer.close() }
}

test('a net says that it hears from when the stream begins until it ends', async () => {
  const { net, notices, hasBegun, write, close } = listening()
  assert.equal(net.hearing, false)
  const first = notices.next()
  void write(': listening\n\ndata: {"kind":"visit","seq":7}\n\n')
  assert.deepEqual((await first).value, { kind: 'visit', seq: 7 })
  assert.ok(hasBegun() && net.hearing)
  void close()
  assert.equal((await notices.next()).done, true)
  assert.equal(net.hearing, false)
})

test('a stream on which nothing comes any more is over', async () => {
  mock.timers.enable({ apis: ['setTimeout'] })
  try {
    const { net, notices, write } = listening()
    const first = notices.next()
    await write(': listening\n\n')
    await new Promise((done) => setImmediate(done))
    assert.equal(net.hearing, true)
    mock.timers.tick(49_000)
    await write(': still here\n\n')
    await new Promise((done) => setImmediate(done))
    mock.timers.tick(49_000)
    await new Promise((done) => setImmediate(done))
    assert.equal(net.hearing, true)
    mock.timers.tick(2000)
    assert.equal((await first).done, true)
    assert.equal(net.hearing, false)
  } finally {
    mock.timers.reset()
  }
})

/** A net whose server answers requests with these, one after the other. */
function answering(...answers: readonly Response[]) {
  const sent: string[] = []
  Object.assign(globalThis, { location: { origin: 'http://localhost' }, fetch: async (path: string) => { sent.push(path); return answers[sent.length - 1] as Response } })
  let ended = 0
  const net = new Net({ public: '', sign: async () => new Uint8Array(64) } as unknown as SigningKey, () => { ended++ }, () => undefined)
  net.token = 'token'
  return { net, sent, ended: () => ended }
}

const refusal = (challenge: string): Response => new Response(JSON.stringify({ error: { kind: 'unauthenticated', message: 'no' } }), { status: 401, headers: { 'WWW-Authenticate': challenge, 'DPoP-Nonce': 'new' } })
const touch = (): Response => refusal('DPoP error="insufficient_user_authentication", max_age=300')
const stale = (): Response => refusal('DPoP error="use_dpop_nonce", algs="EdDSA"')
const done = (): Response => new Response(null, { status: 204 })

test('what wants the passkey waits for it, and is sent again', async () => {
  const { net, sent, ended } = answering(stale(), touch(), stale(), done())
  let asked = 0
  net.confirm = async () => { asked++ }
  await net.post('/api/people/x/end', {})
  assert.deepEqual([sent.length, asked, ended()], [4, 1, 0])
})

test('who does not give the passkey did not do it, and stays signed in', async () => {
  const { net, sent, ended } = answering(touch())
  net.confirm = async () => { throw new Error('not now') }
  await assert.rejects(net.del('/api/me'), /not now/)
  assert.deepEqual([sent.length, ended()], [1, 0])
})

test('a server that never has enough of the passkey is asked no more, and ends no session', async () => {
  const { net, sent, ended } = answering(touch(), touch())
  net.confirm = async () => undefined
  await assert.rejects(net.del('/api/me'), { code: 'unauthenticated' })
  assert.deepEqual([sent.length, ended()], [2, 0])
})

test('a session that is over is over', async () => {
  const { net, ended } = answering(refusal('DPoP error="invalid_token", algs="EdDSA"'))
  net.confirm = async () => { throw new Error('asked for nothing') }
  await assert.rejects(net.del('/api/me'), { code: 'unauthenticated' })
  assert.equal(ended(), 1)
})

const tooMuch = (): Response => new Response(JSON.stringify({ error: { kind: 'too_many', message: 'wait' } }), { status: 429, headers: { 'Retry-After': '5' } })

test('too much at once waits as it is asked to, and not for ever', async () => {
  mock.timers.enable({ apis: ['setTimeout'] })
  try {
    const { net, sent } = answering(tooMuch(), done(), tooMuch(), tooMuch(), tooMuch(), tooMuch())
    const waits = async (n: number): Promise<void> => { // until so many were sent, and the last one's answer has been read
      for (let more = 0; more < 2; more += sent.length >= n ? 1 : 0) await new Promise((next) => setImmediate(next))
    }
    const first = net.post('/api/x', {})
    await waits(1)
    mock.timers.tick(4999)
    await waits(1)
    assert.equal(sent.length, 1)
    mock.timers.tick(1)
    await first
    assert.equal(sent.length, 2)
    const second = assert.rejects(net.post('/api/x', {}), { code: 'too_many' })
    for (let n = 3; n < 6; n++) {
      await waits(n)
      mock.timers.tick(5000)
    }
    await second
    assert.equal(sent.length, 6)
  } finally {
    mock.timers.reset()
  }
})

test('who is not signed in is told at once that there is too much', async () => {
  const { net, sent } = answering(tooMuch())
  await assert.rejects(net.post('/api/sign-in', {}, 'browser'), { code: 'too_many' })
  assert.equal(sent.length, 1)
})
