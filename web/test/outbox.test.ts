// What is written without a network is stored once, whatever happens to requests and answers on the way.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Drafts } from '../src/engine/drafts.ts'
import { Entries } from '../src/engine/entries.ts'
import { newLock, type Self } from '../src/engine/locks.ts'
import type { Net } from '../src/engine/net.ts'
import { Outbox } from '../src/engine/outbox.ts'
import type { People } from '../src/engine/people.ts'
import { EngineProblem } from '../src/engine/problem.ts'
import { MemoryShelf, Safe } from '../src/engine/shelf.ts'
import { hash, newID, newIdentity, random, signingKey, utf8 } from '../src/seal/bytes.ts'

interface Posted { readonly entries: { readonly text: string; readonly sealed: Uint8Array }[] }

/** A server that stores an entry once under its id, as the real one does, and may fail before or after. */
class Server {
  readonly stored = new Map<string, string>()
  epoch = 1
  fail: ('before' | 'after')[] = []
  async post(_: string, body: Posted): Promise<void> {
    const how = this.fail.shift()
    if (how === 'before') throw new EngineProblem('offline', 'the request was lost')
    for (const { text } of body.entries) {
      const { entry, epoch } = JSON.parse(text.split('\n')[1] as string) as { entry: string; epoch: number }
      const there = this.stored.get(entry)
      if (there !== undefined && there !== text) throw new EngineProblem('conflict', 'another entry has this id')
      if (there === undefined && epoch !== this.epoch) throw new EngineProblem('conflict', 'the lock has turned')
      this.stored.set(entry, text)
    }
    if (how === 'after') throw new EngineProblem('offline', 'the answer was lost')
  }
}

async function desk() {
  const org = newID()
  const signing = await signingKey(random(32))
  const self: Self = { org, person: newID(), identity: await newIdentity(), signing, card: await hash('card'), name: 'Dana' }
  const server = new Server()
  const net = server as unknown as Net
  const [shelf, safe] = [new MemoryShelf(), new Safe(await Safe.newKey())]
  const entries = new Entries(net, {} as People, shelf, safe, self, signing)
  const locks = [await newLock(self, 'team'), await newLock(self, 'team')]
  const epochs = async () => [{ ...(locks[server.epoch - 1] as (typeof locks)[0]).epoch, body: { ...(locks[server.epoch - 1] as (typeof locks)[0]).epoch.body, epoch: server.epoch } }]
  let known = await epochs() // until the outbox asks afresh
  const box = (): Outbox => new Outbox(shelf, safe, self.person, net, entries, async (_, fresh) => (fresh ? (known = await epochs()) : known), () => undefined)
  const put = async (to: Outbox, words: string): Promise<string> => {
    const body = utf8(words)
    const header = await entries.header((locks[0] as (typeof locks)[0]).key.lock, 'message', 'text/plain', { size: body.length, sha256: await hash(body) })
    await to.add('chart', 'general', header, body)
    return header.entry
  }
  return { server, box, put }
}

test('what waits is sent in order, and then gone', async () => {
  const d = await desk()
  const box = d.box()
  const ids = [await d.put(box, 'one'), await d.put(box, 'two')]
  await box.send()
  assert.deepEqual([...d.server.stored.keys()], ids)
  assert.equal(box.count, 0)
})

test('what was sent stays in its chart until the chart was read again', async () => {
  const d = await desk()
  const box = d.box()
  const one = await d.put(box, 'one')
  await box.send()
  const taken = box.unreadOf('chart')
  const two = await d.put(box, 'two')
  await box.send()
  assert.deepEqual([box.count, box.of('chart').map((w) => w.header.entry)], [0, [one, two]])
  box.readBack(taken)
  assert.deepEqual(box.of('chart').map((w) => w.header.entry), [two])
})

test('a lost request is sent again', async () => {
  const d = await desk()
  const box = d.box()
  await d.put(box, 'one')
  d.server.fail = ['before']
  await box.send()
  assert.deepEqual([d.server.stored.size, box.of('chart').map((w) => w.state)], [0, ['waiting']])
  await box.send()
  assert.deepEqual([d.server.stored.size, box.count], [1, 0])
})

test('a lost answer stores nothing twice, in this tab or after a reload', async () => {
  for (const reload of [false, true]) {
    const d = await desk()
    let box = d.box()
    await d.put(box, 'one')
    d.server.fail = ['after']
    await box.send()
    assert.equal(box.count, 1)
    if (reload) await (box = d.box()).load()
    await box.send()
    assert.deepEqual([d.server.stored.size, box.count], [1, 0])
  }
})

test('a lost answer and then a new epoch still store it once', async () => {
  const d = await desk()
  const box = d.box()
  await d.put(box, 'one')
  d.server.fail = ['after']
  await box.send()
  d.server.epoch = 2
  await box.send()
  assert.deepEqual([d.server.stored.size, box.count], [1, 0])
})

test('a new epoch has it sealed anew, under the same id', async () => {
  const d = await desk()
  const box = d.box()
  const id = await d.put(box, 'one')
  d.server.epoch = 2
  await box.send()
  assert.deepEqual([[...d.server.stored.keys()], box.count], [[id], 0])
})

test('two tabs send what waits once', async () => {
  const d = await desk()
  const [a, b] = [d.box(), d.box()]
  await d.put(a, 'one')
  await b.load()
  await a.send()
  await b.send()
  assert.deepEqual([d.server.stored.size, a.count, b.count], [1, 0, 0])
})

test('a draft is gone before anybody is told that what it became is written, and only once that cannot be lost', async () => {
  const shelf = new MemoryShelf()
  const safe = new Safe(await Safe.newKey())
  const drafts = new Drafts(shelf, safe, 'dana')
  void drafts.keep('chart/note', 'Subjective: better')
  await drafts.flush()
  const seen: string[] = []
  const look = async (when: string): Promise<void> => { seen.push(`${when}: ${(await shelf.keys('drafts')).length} drafts, ${(await shelf.keys('outbox')).length} to send`) }
  let told = Promise.resolve()
  const out = new Outbox(shelf, safe, 'dana', {} as Net, {} as Entries, async () => [], () => { told = look('told') })
  const header = { entry: newID(), lock: newID(), time: new Date().toISOString() } as Parameters<Outbox['add']>[2]
  await out.add('chart', 'general', header, utf8('Subjective: better'), async () => {
    await look('kept')
    await drafts.drop(['chart/note', 'chart/no-such'])
  })
  await told
  assert.deepEqual(seen, ['kept: 1 drafts, 1 to send', 'told: 0 drafts, 1 to send'])
  assert.equal(drafts.get('chart/note'), undefined)
})
