// A lock whose server does as it likes: what a reader says, and what they are shown, when entries are dropped,
// reordered, altered, repeated or kept back; and that a snapshot saves fetching and never checking.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isID, newIDAt } from '../src/seal/bytes.ts'
import { Entries } from '../src/engine/entries.ts'
import { makeGrant, newLock, type OpenLock } from '../src/engine/locks.ts'
import type { Net } from '../src/engine/net.ts'
import { EngineProblem } from '../src/engine/problem.ts'
import { MemoryShelf, Safe } from '../src/engine/shelf.ts'
import type { WireStored } from '../src/engine/wire.ts'
import { Clinic, type Someone } from './clinic.ts'
import * as fhir from '../src/fhir/write.ts'
import { b64, concat, hash, json64, newID, now, random, recipientOf, unjson64, utf8, type Bytes } from '../src/seal/bytes.ts'
import { gzip } from '../src/seal/content.ts'
import { openLockFile, sealTo, type LockKey } from '../src/seal/keys.ts'
import { snapshotType, writeSnapshot, type Opened } from '../src/seal/snapshot.ts'
import { next, start, type Head } from '../src/seal/statements.ts'

const clinic = await Clinic.start()
const someone = (): Promise<Someone> => clinic.join('patient')

/** One lock's entries as a server keeps them: whatever a test puts here is what readers get. */
class Server {
  entries: WireStored[] = []
  head: Head | undefined
  fetched = 0
  private readonly objects = new Map<string, Bytes>()
  private readonly uploads = new Map<string, Bytes>()
  private readonly lock: string
  constructor(lock: string) { this.lock = lock }

  async now(): Promise<Head> {
    if (this.head) return this.head
    let head = await start(this.lock)
    for (const e of this.entries) head = await next(head, e.text)
    return head
  }

  net(): Net {
    return { get: (path: string) => this.get(path), post: (_: string, body: never) => this.post(body), send: (method: string, path: string, options?: { body?: Bytes }) => this.send(method, path, options?.body) } as unknown as Net
  }

  private async get(path: string): Promise<unknown> {
    const answer = clinic.answer(path)
    if (answer !== undefined) return answer
    const after = Number(/after=(\d+)$/.exec(path)?.[1])
    if (Number.isNaN(after)) throw new EngineProblem('missing', path)
    const page = this.entries.filter((e) => e.seq > after).slice(0, 20)
    this.fetched += page.length
    return { entries: page, more: false, ...(await this.now()) }
  }

  private async send(method: string, path: string, body?: Bytes): Promise<Response> {
    const [, id, part] = /(?:uploads|entries)\/([a-z2-7]+)(?:\/(\d+|sealed))?$/.exec(path) ?? []
    if (method === 'PUT') this.uploads.set(id as string, concat(part === '1' ? new Uint8Array() : (this.uploads.get(id as string) as Bytes), body as Bytes))
    else return new Response(this.objects.get(id as string))
    return new Response('{}')
  }

  async post(body: { entries: { text: string; sealed?: Bytes; upload?: string }[] }): Promise<void> {
    for (const e of body.entries) {
      const { entry } = JSON.parse(e.text.split('\n')[1] as string) as { entry: string }
      if (e.upload !== undefined) this.objects.set(entry, this.uploads.get(e.upload) as Bytes)
      this.entries.push({ seq: this.entries.length + 1, text: e.text, ...(e.sealed && { sealed: json64(e.sealed) }) })
    }
  }
}

/** A snapshot as a member can bend it who holds the keys. */
interface Bent { upto: Head; entries: { seq: number; statement: string; content: string; body?: string }[] }

interface Room { readonly server: Server; readonly author: Someone; readonly key: LockKey; readonly lock: () => Promise<OpenLock>; readonly reader: (shelf?: MemoryShelf) => Promise<Entries>; readonly spoil: (writer: Entries, change: (snapshot: Bent) => void) => Promise<void> }

/** What a writer has inside: a member's own client can be any. */
const inside = (e: Entries) => e as unknown as { reopen(lock: OpenLock, stored: WireStored): Promise<Opened>; upload(...args: unknown[]): Promise<void> }

async function room(messages: number): Promise<Room> {
  const author = await someone()
  const { key, epoch } = await newLock(author.self, 'chart', { chart: newID(), compartment: 'general' })
  const server = new Server(key.lock)
  const safe = new Safe(await Safe.newKey())
  const reader = async (shelf = new MemoryShelf()): Promise<Entries> => new Entries(server.net(), await clinic.people(undefined, shelf, server.net()), shelf, safe, author.self, author.browser)
  const lock = async (snapshot = 0): Promise<OpenLock> => ({ lock: key.lock, kind: 'chart', epochs: [epoch], keys: new Map([[1, key]]), due: false, snapshot, ...(await server.now()) })
  const writer = await reader()
  for (let i = 1; i <= messages; i++) {
    const { body, sha256 } = await writer.pack(fhir.message('chart', author.self.person, 'Amina', now(), `message ${i}`))
    const header = await writer.header(key.lock, 'message', 'application/fhir+json', { size: body.length, sha256 }, { encoding: 'gzip', title: String(i) })
    await server.post({ entries: [await writer.seal([epoch], await server.now(), header, body)] })
  }
  // What a member can do who holds the keys: leave a snapshot of which something is not so.
  const spoil = async (writer: Entries, change: (snapshot: Bent) => void): Promise<void> => {
    const opened = []
    for (const stored of server.entries) opened.push(await inside(writer).reopen(await lock(), stored))
    const snapshot = JSON.parse(await writeSnapshot(key.lock, opened)) as Bent
    change(snapshot)
    if (snapshot.entries.every((e, i) => e.seq === i + 1)) {
      let head = await start(key.lock)
      for (const e of snapshot.entries) head = await next(head, e.statement)
      snapshot.upto = head
    }
    const body = new Blob([await gzip(utf8(JSON.stringify(snapshot)))])
    await inside(writer).upload([epoch], await server.now(), key.lock, body, 'snapshot', snapshotType, { encoding: 'gzip' }, () => undefined)
  }
  return { server, author, key, lock, reader, spoil }
}

const quiet = (): undefined => undefined
const titles = (entries: readonly { title?: string }[]): string => entries.map((e) => e.title).join(' ')

test('an honest server is read without trouble, and again from memory without fetching', async () => {
  const r = await room(5)
  const shelf = new MemoryShelf()
  const first = await (await r.reader(shelf)).read(await r.lock(), quiet)
  assert.deepEqual([titles(first.entries), first.troubles], ['1 2 3 4 5', []])
  r.server.fetched = 0
  const again = await (await r.reader(shelf)).read(await r.lock(), quiet)
  assert.deepEqual([titles(again.entries), again.troubles, r.server.fetched], ['1 2 3 4 5', [], 0])
  assert.equal(again.entries[4]?.resources[0]?.resourceType, 'Communication')
})

const wrongs: Record<string, { do: (s: Server) => void | Promise<void>; says: string; shows: string }> = {
  'an altered sealed body': { do: (s) => { const e = s.entries[2] as WireStored; const b = unjson64(e.sealed as string); b[2000] = (b[2000] as number) ^ 1; s.entries[2] = { ...e, sealed: json64(b) } }, says: 'hash', shows: '1 2 4 5' },
  'an altered statement': { do: (s) => { const e = s.entries[2] as WireStored; s.entries[2] = { ...e, text: e.text.replace('"kind":"message"', '"kind":"note"') } }, says: 'signature', shows: '1 2' },
  'a body that is another entry\'s': { do: (s) => { s.entries[2] = { ...(s.entries[2] as WireStored), sealed: (s.entries[3] as WireStored).sealed as string } }, says: 'hash', shows: '1 2 4 5' },
  'two entries in each other\'s places': { do: (s) => { const [a, b] = [s.entries[1] as WireStored, s.entries[2] as WireStored]; s.entries[1] = { ...b, seq: 2 }; s.entries[2] = { ...a, seq: 3 } }, says: 'chain', shows: '1 2' },
  'an entry that is left out': { do: (s) => { s.entries = s.entries.filter((e) => e.seq !== 3).map((e, i) => ({ ...e, seq: i + 1 })) }, says: 'chain', shows: '1 2' },
  'an entry that is kept back': { do: async (s) => { s.head = await s.now(); s.entries.pop() }, says: 'chain', shows: '1 2 3 4' },
  'a gap in the numbers': { do: async (s) => { s.head = await s.now(); s.entries.splice(2, 1) }, says: 'chain', shows: '1 2' },
  'an entry twice': { do: async (s) => { s.head = await s.now(); s.entries.splice(2, 0, s.entries[1] as WireStored) }, says: 'chain', shows: '1 2' },
  'another head than the entries make': { do: async (s) => { s.head = { ...(await s.now()), chain: await hash('another') } }, says: 'chain', shows: '1 2 3 4 5' },
}
for (const [name, wrong] of Object.entries(wrongs)) {
  test(`${name} is told, and nothing false is shown`, async () => {
    const r = await room(5)
    await wrong.do(r.server)
    const { entries, troubles } = await (await r.reader()).read(await r.lock(), quiet)
    assert.ok(troubles.some((t) => t.code === wrong.says), JSON.stringify(troubles))
    assert.equal(titles(entries), wrong.shows)
  })
}

test('a history that was cut is a rollback to who saw more, in a new tab too', async () => {
  const r = await room(5)
  const shelf = new MemoryShelf()
  await (await r.reader(shelf)).read(await r.lock(), quiet)
  r.server.entries.splice(3)
  await shelf.clear('cache')
  assert.deepEqual((await (await r.reader(shelf)).read(await r.lock(), quiet)).troubles.map((t) => t.code), ['rollback'])
})

test('another history of the same length is a fork', async () => {
  const [r, other] = [await room(5), await room(5)]
  const shelf = new MemoryShelf()
  const reader = await r.reader(shelf)
  await reader.read(await r.lock(), quiet)
  r.server.entries = other.server.entries
  const { troubles } = await reader.read(await r.lock(), quiet)
  assert.ok(troubles.some((t) => t.code === 'fork'), JSON.stringify(troubles))
})

test('an entry by a stranger\'s browser is not shown, and the others are', async () => {
  const r = await room(3)
  const stranger = await someone()
  const forged = new Entries(r.server.net(), await clinic.people(undefined, undefined, r.server.net()), new MemoryShelf(), new Safe(await Safe.newKey()), r.author.self, stranger.browser)
  const { body, sha256 } = await forged.pack(fhir.message('chart', r.author.self.person, 'Amina', now(), 'not by Amina'))
  const header = await forged.header(r.key.lock, 'message', 'application/fhir+json', { size: body.length, sha256 }, { encoding: 'gzip', title: '4' })
  await r.server.post({ entries: [await forged.seal((await r.lock()).epochs, await r.server.now(), header, body)] })
  const { entries, troubles } = await (await r.reader()).read(await r.lock(), quiet)
  assert.deepEqual([titles(entries), troubles.map((t) => t.code)], ['1 2 3', ['browser']])
})

test('a snapshot is left when it is due, and who comes next fetches little and sees the same', async () => {
  const r = await room(45)
  const writer = await r.reader()
  const { entries } = await writer.read(await r.lock(), quiet)
  assert.equal(await writer.leaveSnapshot(await r.lock()), true)
  const lock = { ...(await r.lock()), snapshot: 46 }
  r.server.fetched = 0
  const next_ = await (await r.reader()).read(lock, quiet)
  assert.deepEqual([next_.troubles, r.server.fetched], [[], 2])
  assert.deepEqual(next_.entries.map((e) => ({ ...e, large: false })), entries.map((e) => ({ ...e, large: false })))
  assert.equal(await writer.leaveSnapshot(lock), false, 'nothing new, so none is due')
})

const bend: Record<string, (s: Bent) => void> = {
  'an altered content': (s) => { const e = s.entries[2] as { content: string }; e.content = e.content.replace('"title":"3"', '"title":"x"') },
  'another body': (s) => { (s.entries[2] as { body?: string }).body = (s.entries[3] as { body: string }).body },
  'a body that is left out': (s) => { delete (s.entries[2] as { body?: string }).body },
  'a content that is no header': (s) => { (s.entries[2] as { content: string }).content = 'none' },
  'an entry that is left out': (s) => { s.entries.splice(2, 1) },
  'a history of its own': (s) => { const e = s.entries[2] as Bent['entries'][number]; e.statement = (s.entries[3] as Bent['entries'][number]).statement },
}
for (const [name, change] of Object.entries(bend)) {
  test(`a snapshot with ${name} hides nothing: the entries are read, and who left it is named`, async () => {
    const r = await room(45)
    const writer = await r.reader()
    await writer.read(await r.lock(), quiet)
    await r.spoil(writer, change)
    const reader = await r.reader()
    const { entries, troubles } = await reader.read({ ...(await r.lock()), snapshot: 46 }, quiet)
    assert.equal(titles(entries), Array.from({ length: 45 }, (_, i) => i + 1).join(' '))
    assert.ok(entries.every((e) => e.resources.length === 1), 'what an entry says was left out')
    assert.deepEqual(troubles.map((t) => [t.code, t.author]), [['snapshot', r.author.self.person]])
    assert.equal(reader.isSnapshotDue(r.key.lock), true, 'one that nobody uses keeps a good one away')
  })
}

test('a server that changed what a snapshot was made of is told of it', async () => {
  const r = await room(45)
  const writer = await r.reader()
  await writer.read(await r.lock(), quiet)
  await writer.leaveSnapshot(await r.lock())
  const [first, second] = [r.server.entries[0] as WireStored, r.server.entries[1] as WireStored]
  r.server.entries[0] = { ...second, seq: 1 }
  r.server.entries[1] = { ...first, seq: 2 }
  const { troubles } = await (await r.reader()).read({ ...(await r.lock()), snapshot: 46 }, quiet)
  assert.ok(troubles.some((t) => t.code === 'chain'), JSON.stringify(troubles)) // the server's entries are not what the snapshot was made of
})

test('a grant opens for whom it is, and for nobody else', async () => {
  const [amina, chidi] = [await someone(), await someone()]
  const { key, epoch } = await newLock(amina.self, 'team')
  const grant = await makeGrant(amina.self, key, { person: chidi.self.person, card: chidi.self.card }, await recipientOf(chidi.self.identity), 'work')
  assert.equal((await openLockFile(chidi.self.identity, grant.sealed, epoch.body)).identity, key.identity)
  await assert.rejects(openLockFile(amina.self.identity, grant.sealed, epoch.body))
  const both = await sealTo(random(100), await recipientOf(amina.self.identity), await recipientOf(chidi.self.identity))
  await assert.rejects(openLockFile(chidi.self.identity, both, epoch.body), /exactly one recipient/)
  assert.equal(b64(random(32)).length, 43)
})

test('ids of one moment begin alike, as those that Go makes', () => {
  const at = new Date('2026-11-25T12:04:31Z')
  const [first, second] = [newIDAt(at), newIDAt(at)]
  assert.ok(isID(first))
  assert.notEqual(first, second)
  assert.equal(first.slice(0, 9), 'agrbff6yt') // ids_test.go
  assert.equal(second.slice(0, 9), 'agrbff6yt')
})
