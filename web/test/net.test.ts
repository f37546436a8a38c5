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
