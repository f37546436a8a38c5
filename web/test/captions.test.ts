// Captions are made on the device or not at all: which browsers count as able.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { captionsOf, type Recogniser } from '../src/visit/captions.ts'

/** A browser's SpeechRecognition, by what it has. */
function browser(has: { local?: boolean; available?: string | Error }): Recogniser {
  const made = class {} as unknown as { prototype: object; available?: unknown }
  if (has.local) Object.defineProperty(made.prototype, 'processLocally', { value: false, writable: true })
  if (has.available !== undefined) made.available = async (options: { processLocally: boolean }) => {
    assert.equal(options.processLocally, true, 'asked about a service')
    if (has.available instanceof Error) throw has.available
    return has.available
  }
  return made as unknown as Recogniser
}

test('only a browser that recognises speech on the device makes captions', async () => {
  const of = (has: Parameters<typeof browser>[0]): Promise<string> => captionsOf('en', browser(has))
  assert.equal(await captionsOf('en', undefined), 'no')
  assert.equal(await of({}), 'no')
  assert.equal(await of({ available: 'available' }), 'no', 'it would send the sound away')
  assert.equal(await of({ local: true }), 'no', 'it cannot say whether it has the language')
  assert.equal(await of({ local: true, available: 'available' }), 'ready')
  assert.equal(await of({ local: true, available: 'downloadable' }), 'to-fetch')
  assert.equal(await of({ local: true, available: 'unavailable' }), 'no')
  assert.equal(await of({ local: true, available: new Error('not for this page') }), 'no')
})
