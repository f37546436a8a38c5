// When someone's pictures wait so that their sound comes through.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { heardIn, SoundFirst, type Heard, type Pictures } from '../src/visit/sound.ts'

/** Someone's sound over some seconds, fifty packets each unless said, of which shares are lost and made up; it gives what
 * is asked for after each second. */
function someone() {
  const sound = new SoundFirst()
  let h: Heard = { at: 1000, packets: 0, lost: 0, samples: 0, made: 0 }
  return (seconds: number, lost: number, made: number, packets = 50): Pictures[] => Array.from({ length: seconds }, () => {
    h = { at: h.at + 1000, packets: h.packets + packets * (1 - lost), lost: h.lost + packets * lost, samples: h.samples + 48_000, made: h.made + 48_000 * made }
    return sound.hear(h.at, h)
  })
}

test('pictures wait when sound is lost and made up, and are tried again small, and then large', () => {
  const after = someone()
  assert.deepEqual(new Set(after(10, 0, 0)), new Set(['all']))
  const narrow = after(6, 0.3, 0.3)
  assert.ok(narrow.indexOf('none') >= 0 && narrow.indexOf('none') <= 4, String(narrow))
  const wide = after(22, 0, 0)
  assert.ok(wide.indexOf('small') >= 0 && wide.indexOf('small') <= 10, String(wide))
  assert.equal(wide.at(-1), 'all')
})

test('where there is no room still, small pictures wait again after seconds', () => {
  const after = someone()
  after(5, 0.3, 0.3)
  const tried = after(11, 0, 0)
  assert.equal(tried.at(-1), 'small')
  const again = after(5, 0.3, 0.3)
  assert.equal(again.at(-1), 'none')
  assert.ok(!again.includes('all'))
})

test('sound that its redundancy mends takes nobody\'s picture away', () => assert.deepEqual(new Set(someone()(60, 0.1, 0.02)), new Set(['all'])))

test('a busy browser, for which sound comes too late, keeps its pictures', () => assert.deepEqual(new Set(someone()(60, 0.1, 0.4)), new Set(['all'])))

test('a pause of speech says nothing', () => assert.deepEqual(new Set(someone()(60, 0.5, 0.5, 2)), new Set(['all'])))

test('who turns their microphone off has their pictures again', () => {
  const sound = new SoundFirst()
  for (let i = 0; i <= 4; i++) sound.hear(1000 * i, { at: 1000 * i, packets: 30 * i, lost: 20 * i, samples: 48_000 * i, made: 20_000 * i })
  assert.equal(sound.pictures, 'none')
  for (let i = 5; i < 30; i++) sound.hear(1000 * i)
  assert.equal(sound.pictures, 'all')
})

test('another track begins to count anew', () => {
  const sound = new SoundFirst()
  sound.hear(0, { at: 0, packets: 5000, lost: 900, samples: 9e6, made: 4e6 })
  sound.hear(4000, { at: 4000, packets: 200, lost: 0, samples: 192_000, made: 0 })
  assert.equal(sound.hear(8000, { at: 8000, packets: 400, lost: 0, samples: 384_000, made: 0 }), 'all')
})

test('silence that is made up does not count', () => {
  const report = new Map<string, object>([
    ['a', { type: 'codec' }],
    ['b', { type: 'inbound-rtp', kind: 'audio', packetsReceived: 9, packetsLost: 1, totalSamplesReceived: 4800, concealedSamples: 700, silentConcealedSamples: 600 }],
  ])
  assert.deepEqual(heardIn(report as unknown as RTCStatsReport, 5), { at: 5, packets: 9, lost: 1, samples: 4800, made: 100 })
  assert.equal(heardIn(new Map() as unknown as RTCStatsReport, 5), undefined)
})
