// What was begun is there after a reload, for who wrote it and nobody else, and nowhere in the open.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Drafts } from '../src/engine/drafts.ts'
import { MemoryShelf, Safe } from '../src/engine/shelf.ts'

async function browser() {
  const [shelf, safe] = [new MemoryShelf(), new Safe(await Safe.newKey())]
  return {
    shelf,
    async signedIn(person: string): Promise<Drafts> {
      const drafts = new Drafts(shelf, safe, person)
      await drafts.load()
      return drafts
    },
  }
}

test('a draft outlives the page, and is gone once it was sent', async () => {
  const b = await browser()
  const first = await b.signedIn('amina')
  first.keep('chart/message', 'Since Tue')
  first.keep('chart/message', 'Since Tuesday I')
  assert.equal(first.get('chart/message'), 'Since Tuesday I')
  await first.flush()
  const second = await b.signedIn('amina')
  assert.equal(second.get('chart/message'), 'Since Tuesday I')
  second.keep('chart/message', undefined)
  await second.flush()
  assert.equal((await b.signedIn('amina')).get('chart/message'), undefined)
  assert.deepEqual(await b.shelf.keys('drafts'), [])
})

test('a draft is of one person, and sealed', async () => {
  const b = await browser()
  const hers = await b.signedIn('amina')
  hers.keep('chart/message', 'ombrelune')
  await hers.flush()
  assert.equal((await b.signedIn('farid')).get('chart/message'), undefined)
  for (const key of await b.shelf.keys('drafts')) {
    const kept = await b.shelf.get('drafts', key)
    assert.ok(kept instanceof Uint8Array)
    assert.ok(!new TextDecoder('latin1').decode(kept).includes('ombrelune'))
  }
})

test('the drafts of a chart that was erased go with it', async () => {
  const b = await browser()
  const drafts = await b.signedIn('amina')
  drafts.keep('one/message', 'a')
  drafts.keep('two/message', 'b')
  await drafts.forget('one/')
  const after = await b.signedIn('amina')
  assert.equal(after.get('one/message'), undefined)
  assert.equal(after.get('two/message'), 'b')
})
