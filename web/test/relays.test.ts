// Which servers a browser is sent to for a visit on an outside LiveKit.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { relaysOf } from '../src/visit/relays.ts'

test('nobody but a relay of the media server learns who meets when', () => {
  const found = relaysOf([
    { urls: ['stun:public.example:19302', 'stuns:public.example:5349'] },
    { urls: 'stun:media.example:3478' },
    { urls: ['stun:media.example:3478', 'turn:media.example:3478?transport=udp', 'turns:media.example:443'], username: 'u', credential: 'c' },
  ])
  assert.deepEqual(found, [{ urls: ['turn:media.example:3478?transport=udp', 'turns:media.example:443'], username: 'u', credential: 'c' }])
  assert.deepEqual(relaysOf([]), [])
})
