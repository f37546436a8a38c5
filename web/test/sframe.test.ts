// SFrame against the vectors of RFC 9605, Appendix C, and against what must not pass.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aes128, aes256, BadFrame, decodeHeader, deriveKeys, encodeHeader, kidOf, open, Receivers, ReplayWindow, seal, Sender, type Fault } from '../src/visit/sframe.ts'

const hex = (text: string): Uint8Array => Uint8Array.from(text.match(/../g) ?? [], (byte) => parseInt(byte, 16))
const toHex = (bytes: Uint8Array): string => [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('')

// Appendix C.1: key id, counter, header.
const headers: readonly (readonly [bigint, bigint, string])[] = [
  [4294967295n, 16777216n, 'bbffffffff01000000'], [4294967295n, 4294967295n, 'bbffffffffffffffff'], [4294967295n, 4294967296n, 'bcffffffff0100000000'],
  [4294967296n, 0n, 'c00100000000'], [4294967296n, 1n, 'c10100000000'], [4294967296n, 255n, 'c80100000000ff'], [4294967296n, 256n, 'c901000000000100'],
  [4294967296n, 65535n, 'c90100000000ffff'], [4294967296n, 65536n, 'ca0100000000010000'], [1099511627775n, 0n, 'c0ffffffffff'],
  [1099511627776n, 255n, 'd8010000000000ff'], [281474976710655n, 1n, 'd1ffffffffffff'], [281474976710656n, 65535n, 'e901000000000000ffff'],
  [72057594037927935n, 281474976710656n, 'eeffffffffffffff01000000000000'], [72057594037927936n, 0n, 'f00100000000000000'],
  [72057594037927936n, 18446744073709551615n, 'ff0100000000000000ffffffffffffffff'], [18446744073709551615n, 0n, 'f0ffffffffffffffff'],
  [18446744073709551615n, 256n, 'f9ffffffffffffffff0100'], [18446744073709551615n, 72057594037927935n, 'feffffffffffffffffffffffffffffff'],
  [0n, 0n, '00'], [7n, 7n, '77'], [8n, 7n, '8708'], [7n, 8n, '7808'], [8n, 8n, '880808'],
]

// Appendix C.3, suites with AES-GCM.
const frames = [
  {
    suite: aes128, salt: '75234edefe07819026751816',
    ct: '9901234567b7412c2513a1b66dbb48841bbaf17f598751176ad847681a69c6d0b091c07018ce4adb34eb',
  },
  {
    suite: aes256, salt: '84991c167b8cd23c93708ec7',
    ct: '990123456794f509d36e9beacb0e261d99c7d1e972f1fed787d4049f17ca21353c1cc24d56ceabced279',
  },
]
const base = hex('000102030405060708090a0b0c0d0e0f')
const metadata = hex('4945544620534672616d65205747')
const plaintext = hex('64726166742d696574662d736672616d652d656e63')

test('headers are those of the RFC', () => {
  for (const [kid, ctr, encoded] of headers) {
    assert.equal(toHex(encodeHeader(kid, ctr)), encoded)
    assert.deepEqual(decodeHeader(hex(encoded)), { kid, ctr, size: encoded.length / 2 })
    for (let cut = 0; cut < encoded.length / 2; cut++) assert.throws(() => decodeHeader(hex(encoded).subarray(0, cut)), BadFrame)
  }
  for (const other of ['8007', '900008', '0800', '090008']) assert.throws(() => decodeHeader(hex(other)), BadFrame, `${other} says a number in another way`)
})

test('frames are those of the RFC', async () => {
  for (const f of frames) {
    const keys = await deriveKeys(f.suite, base, 0x123n)
    assert.equal(toHex(keys.salt), f.salt)
    assert.equal(toHex(await seal(keys, 0x123n, 0x4567n, metadata, plaintext)), f.ct)
    const data = hex(f.ct)
    assert.deepEqual(await open(keys, decodeHeader(data), metadata, data), plaintext)
  }
})

async function faultOf(what: Promise<unknown>): Promise<Fault | 'none'> {
  try {
    await what
    return 'none'
  } catch (error) {
    assert.ok(error instanceof BadFrame, String(error))
    return error.fault
  }
}

const key = (n: number): Uint8Array => new Uint8Array(32).fill(n)

test('only what a member sealed, from that member, once', async () => {
  const receivers = new Receivers()
  await receivers.add('amina', key(1), 5n, 1)
  await receivers.add('okafor', key(2), 5n, 0)
  const amina = await Sender.of(key(1), 5n, 1)
  const none = new Uint8Array()
  const first = await amina.seal(metadata, plaintext)
  const second = await amina.seal(metadata, plaintext)
  assert.notDeepEqual(first, second)
  assert.deepEqual(await receivers.open('amina', metadata, second), plaintext)
  assert.deepEqual(await receivers.open('amina', metadata, first), plaintext, 'late is not replayed')
  assert.equal(await faultOf(receivers.open('amina', metadata, first)), 'replayed')

  const third = await amina.seal(metadata, plaintext)
  assert.equal(await faultOf(receivers.open('okafor', metadata, third)), 'wrong-sender')
  assert.equal(await faultOf(receivers.open('amina', hex('00'), third)), 'forged', 'what is in the clear was altered')
  for (let i = 0; i < third.length; i++) {
    const altered = third.slice()
    altered[i] = (altered[i] ?? 0) ^ 1
    assert.notEqual(await faultOf(receivers.open('amina', metadata, altered)), 'none', `byte ${i} was altered`)
  }
  assert.deepEqual(await receivers.open('amina', metadata, third), plaintext, 'forgeries use no counter up')
  assert.equal(await faultOf(receivers.open('amina', none, plaintext)), 'unknown-key', 'in the clear')
  const [a, b] = await Promise.all([1, 2].map(async () => faultOf(receivers.open('amina', none, await fourth))))
  assert.deepEqual([a, b].sort(), ['none', 'replayed'], 'twice at the same time')
})
const fourth = Sender.of(key(1), 5n, 1).then(async (s) => {
  for (let i = 0; i < 3; i++) await s.seal(new Uint8Array(), plaintext)
  return s.seal(new Uint8Array(), plaintext)
})

test('keys of another epoch, or of someone who is gone, open nothing', async () => {
  const receivers = new Receivers()
  await receivers.add('amina', key(1), 5n, 1)
  await receivers.add('bilal', key(3), 5n, 2)
  const seal5 = async (n: number, leaf: number): Promise<Uint8Array> => (await Sender.of(key(n), 5n, leaf)).seal(metadata, plaintext)
  const stranger = await (await Sender.of(key(9), 5n, 1)).seal(metadata, plaintext)
  assert.equal(await faultOf(receivers.open('amina', metadata, stranger)), 'forged')
  await receivers.add('amina', key(4), 6n, 1)
  receivers.forget(5n, (who) => who === 'bilal')
  assert.equal(await faultOf(receivers.open('bilal', metadata, await seal5(3, 2))), 'unknown-key')
  assert.equal(await faultOf(receivers.open('amina', metadata, await seal5(1, 1))), 'none', 'it was on its way')
  receivers.forget(6n, () => false)
  const again = await Sender.of(key(1), 5n, 1)
  await again.seal(metadata, plaintext)
  assert.equal(await faultOf(receivers.open('amina', metadata, await again.seal(metadata, plaintext))), 'unknown-key')
})

test('the window of what was seen moves on and forgets nothing in it', () => {
  const w = new ReplayWindow()
  for (const ctr of [0n, 5n, 3n, 2000n, 1500n, 977n]) {
    assert.ok(w.fresh(ctr), `${ctr}`)
    w.mark(ctr)
    assert.ok(!w.fresh(ctr), `${ctr} again`)
  }
  assert.ok(!w.fresh(976n), 'older than the window')
  assert.ok(w.fresh(1999n))
})

test('no bytes make it fail otherwise than by refusing', async () => {
  const receivers = new Receivers()
  await receivers.add('amina', key(1), 0n, 1)
  let seed = 1
  const random = (n: number): number => {
    seed = (seed * 1103515245 + 12345) % 2147483648
    return Math.floor(seed / 65536) % n
  }
  for (let round = 0; round < 2000; round++) {
    const data = Uint8Array.from({ length: random(60) }, () => random(256))
    if (data.length > 1 && round % 2 === 0) data.set(encodeHeader(kidOf(0n, 1), BigInt(random(300))).subarray(0, data.length))
    assert.notEqual(await faultOf(receivers.open('amina', data.subarray(0, random(4)), data)), 'none')
  }
})
