// Entries of a lock: reading and checking each, remembering what was read, and writing.
//
// What does not check is never shown. It becomes a trouble, which says what is wrong and where; everything else goes
// on. The chain over all entries is computed anew from where this browser left off, and compared with the server's
// head: a history that was cut, changed or reordered does not fit.

import { Decrypter } from 'age-encryption'
import { maxSnapshotBody, readSnapshot, snapshotType, writeSnapshot, type Kept, type Opened } from '../seal/snapshot.ts'
import { Bad, hash, newID, newIDAt, text, unjson64, utf8, type Bytes, type SigningKey } from '../seal/bytes.ts'
import { checkAuthor, gunzip, gzip, padding, readContent, splitHeader, writeContent, writeHeader, type Content, type ContentHeader } from '../seal/content.ts'
import { checkSealed, openOnly, sealTo } from '../seal/keys.ts'
import { checkSignatures, next, parse, start, write, type Head, type Statement } from '../seal/statements.ts'
import { resourcesOf } from '../fhir/write.ts'
import { latest, type OpenLock, type Self } from './locks.ts'
import type { Net } from './net.ts'
import type { People } from './people.ts'
import { EngineProblem, problemOf } from './problem.ts'
import { isStaff } from './roles.ts'
import type { Safe, Shelf } from './shelf.ts'
import { hashFile, openStream, sealStream } from './stream.ts'
import type { EntryKind, ID, Progress, Resource, Role, Trouble } from './types.ts'
import type { WireEntries, WireStored } from './wire.ts'

export const fhirType = 'application/fhir+json'

/** The largest sealed entry that goes inline (wire.go MaxInline), less what sealing adds. */
const maxInlinePlain = 60 * 1024
const maxPart = 8 * 1024 * 1024
/** The largest body that is opened as FHIR; more is a file. */
const maxOpened = 40 * 1024 * 1024
const headerFetch = 1627 + 16 + 64 * 1024 + 16 + 1 // age's header and nonce, one whole chunk, and a byte of the next

/** An entry as read: what the screens need, and what is remembered. */
export interface Read {
  readonly entry: string; readonly seq: number; readonly kind: EntryKind; readonly author: string; readonly authorName: string
  readonly time: string; readonly type: string; readonly title?: string; readonly filename?: string; readonly size: number
  readonly encoding?: 'gzip'; readonly amends?: string; readonly retracts?: string; readonly large: boolean
  readonly resources: readonly Resource[]
}

/** What a snapshot says, checked. */
interface Checked { readonly head: Head; readonly chains: readonly string[]; readonly entries: readonly Read[] }

/** A snapshot that does not check, and who left it. */
class Spoiled extends Error {
  constructor(readonly author: ID, message: string) { super(message) }
}

interface Remembered { head: Head; chains: string[]; entries: Read[]; troubles: Trouble[]; snapshot?: number }

/** A snapshot is due when this many entries, or bytes of content, lie after the last one. */
const snapshotEntries = 40
const snapshotBytes = 2 ** 20
/** The largest snapshot, unpacked: what readers take (docs/formats.md). */
const maxSnapshot = 32 * 2 ** 20

/** Troubles of one entry: they stay, and the rest of the lock is sound. Those of the history are asked about each time. */
const ofHistory: readonly Trouble['code'][] = ['chain', 'fork', 'rollback']

export interface LockContents { readonly entries: readonly Read[]; readonly troubles: readonly Trouble[]; readonly head: Head }

export class Entries {
  private readonly net: Net
  private readonly people: People
  private readonly shelf: Shelf
  private readonly safe: Safe
  private readonly self: Self
  private readonly browser: SigningKey
  private readonly memory = new Map<string, Remembered>()

  constructor(net: Net, people: People, shelf: Shelf, safe: Safe, self: Self, browser: SigningKey) {
    this.net = net
    this.people = people
    this.shelf = shelf
    this.safe = safe
    this.self = self
    this.browser = browser
  }

  forget(lock: string): void { this.memory.delete(lock) }

  private async remembered(lock: string): Promise<Remembered> {
    const here = this.memory.get(lock) ?? (await this.safe.open<Remembered>(`cache/${this.self.person}/${lock}`, await this.shelf.get('cache', `${this.self.person}/${lock}`)))
    return here ?? { head: await start(lock), chains: [], entries: [], troubles: [] }
  }

  /**
   * Reads what is new in a lock, checks it, and gives everything. If anything is in doubt that a snapshot said, all entries are read, and
   * who left it is named if they make another history or other contents.
   */
  async read(lock: OpenLock, progress: (done: number, total: number) => void): Promise<LockContents> {
    const spoiled = this.spoiled.get(lock.lock)
    const read = await this.readWith(lock, spoiled?.seq === lock.snapshot ? spoiled : undefined, progress)
    if (!read.begun || !read.troubles.some((t) => t.code === 'chain')) return read
    const whole = await this.readWith(lock, { code: 'snapshot', lock: lock.lock, seq: lock.snapshot, author: read.begun, detail: 'it is of another history than the entries' }, progress)
    return whole.troubles.some((t) => t.code === 'chain') ? read : whole
  }

  /** Snapshots that were found to be spoiled: never used again. */
  private readonly spoiled = new Map<string, Trouble>()

  private async readWith(lock: OpenLock, spoiled: Trouble | undefined, progress: (done: number, total: number) => void): Promise<LockContents & { begun?: ID }> {
    const before = await this.remembered(lock.lock)
    const pinned = (await this.shelf.get('heads', lock.lock)) as Head | undefined
    let { head, chains, entries, troubles } = { ...before, chains: [...before.chains], troubles: [...before.troubles] }
    if (lock.seq < head.seq || (lock.seq === head.seq && lock.chain !== head.chain) || (pinned && lock.seq < pinned.seq)) {
      const known = Math.max(head.seq, pinned?.seq ?? 0)
      const detail = `this browser saw ${known} entries; the server shows ${lock.seq} or another history`
      ;({ head, entries, chains } = { head: await start(lock.lock), entries: [], chains: [] })
      troubles = [{ code: lock.seq < known ? 'rollback' : 'fork', lock: lock.lock, detail }]
    }
    let begun: ID | undefined
    if (spoiled) {
      this.spoiled.set(lock.lock, spoiled)
      troubles = [...troubles.filter((t) => t.code !== 'snapshot'), spoiled]
    } else if (lock.snapshot > head.seq + 1) {
      try {
        const kept = await this.readSnapshot(lock)
        begun = kept?.author
        if (kept && kept.head.seq > head.seq) ({ head, chains, entries, troubles } = { head: kept.head, chains: [...kept.chains], entries: [...kept.entries], troubles: troubles.filter((t) => ofHistory.includes(t.code)) })
      } catch (error) {
        if (error instanceof EngineProblem) throw error
        const wrong: Trouble = { code: 'snapshot', lock: lock.lock, seq: lock.snapshot, detail: error instanceof Error ? error.message : String(error), ...(error instanceof Spoiled && { author: error.author }) }
        this.spoiled.set(lock.lock, wrong)
        troubles.push(wrong)
      }
    }
    const from = head.seq
    let server: Head = { seq: lock.seq, chain: lock.chain }
    const fresh: Read[] = []
    while (head.seq < server.seq) {
      const page = await this.net.get<WireEntries>(`/api/locks/${lock.lock}/entries?after=${head.seq}`)
      server = { seq: page.seq, chain: page.chain }
      const opening: Promise<Read | Trouble>[] = []
      for (const stored of page.entries) {
        if (stored.seq !== head.seq + 1) break
        head = await next(head, stored.text)
        chains.push(head.chain)
        opening.push(this.open(lock, stored, chains).catch((error: unknown) => troubleOf(lock.lock, stored, error)))
      }
      for (const [i, one] of opening.entries()) {
        const result = await one
        if ('code' in result) troubles.push(result)
        else if (result.kind !== 'snapshot') fresh.push(result)
        progress(head.seq - from - opening.length + i + 1, server.seq - from)
      }
      if (opening.length === 0 || opening.length < page.entries.length) {
        troubles.push({ code: 'chain', lock: lock.lock, seq: head.seq + 1, detail: `the server counts ${server.seq} entries and does not give entry ${head.seq + 1}` })
        break
      }
    }
    if (head.seq === server.seq && head.chain !== server.chain) {
      troubles.push({ code: 'chain', lock: lock.lock, detail: 'the entries do not add up to what the server says they are' })
    } else if (pinned && chains.length >= pinned.seq && pinned.seq > 0 && chains[pinned.seq - 1] !== pinned.chain) {
      troubles.push({ code: 'fork', lock: lock.lock, seq: pinned.seq, detail: 'the server shows another history than before' })
    }
    const all = [...entries, ...fresh]
    if (!troubles.some((t) => ofHistory.includes(t.code))) {
      const whole = { head, chains, entries: all, troubles, snapshot: lock.snapshot }
      this.memory.set(lock.lock, whole)
      if (head.seq !== before.head.seq) await this.keep(lock.lock, whole)
    }
    return { entries: all, troubles, head, ...(begun !== undefined && { begun }) }
  }

  /**
   * The latest snapshot, opened, and everything in it checked as if it had come alone; nothing if it is a patient's or a proxy's, whose
   * snapshots are for themselves.
   */
  private async readSnapshot(lock: OpenLock): Promise<(Checked & { author: ID }) | undefined> {
    const page = await this.net.get<WireEntries>(`/api/locks/${lock.lock}/entries?after=${lock.snapshot - 1}`)
    const stored = page.entries[0]
    if (stored?.seq !== lock.snapshot) throw new Bad('the server does not give the snapshot that it names')
    const s = await this.outside(lock.lock, stored.text)
    const { author } = s.body
    if (author !== this.self.person && !isStaff(await this.rolesOf(author))) return undefined
    try {
      return { ...(await this.inSnapshot(lock, s, stored)), author }
    } catch (error) {
      if (error instanceof EngineProblem) throw error // the network's fault is nobody's snapshot's
      throw new Spoiled(author, error instanceof Error ? error.message : String(error))
    }
  }

  private async inSnapshot(lock: OpenLock, s: Statement<'ward/entry/1'>, stored: WireStored): Promise<Checked> {
    const content = await this.whole(lock, s, stored)
    if (s.body.kind !== 'snapshot' || content.header.type !== snapshotType || content.header.encoding !== 'gzip') throw new Bad('this is not a snapshot')
    return this.checkSnapshot(lock, await gunzip(content.body))
  }

  /** Checks the contents of a snapshot. If one entry in it does not check, none of it is used: the entries themselves are read. */
  async checkSnapshot(lock: Pick<OpenLock, 'lock' | 'keys'>, json: Uint8Array): Promise<Checked> {
    const { upto, chains, entries } = await readSnapshot(lock.lock, json)
    const read = await Promise.all(entries.map((e) => {
      if ('wrong' in e) throw new Bad(`snapshot: entry ${e.seq}: ${e.wrong}`)
      return this.fromSnapshot(lock, e, chains)
    }))
    return { head: upto, chains, entries: read.filter((r) => r.kind !== 'snapshot') }
  }

  private async fromSnapshot(lock: Pick<OpenLock, 'lock' | 'keys'>, e: Kept, chains: readonly string[]): Promise<Read> {
    const s = await this.outside(lock.lock, e.statement)
    await this.checkSeen(s, e.seq, chains)
    const apart = e.header.kind === 'file' || e.header.kind === 'snapshot' // fetched when they are wanted
    if (e.body === undefined && !apart && e.header.size <= maxSnapshotBody) throw new Bad(`snapshot: what entry ${e.seq} says is left out`)
    if (e.body === undefined && !apart) return this.read1(s, e.seq, true, await this.whole(lock, s, { seq: e.seq, text: e.statement }))
    const content = { header: e.header, lines: e.lines, body: e.body ?? new Uint8Array() }
    await this.checkInside(s, content)
    return this.read1(s, e.seq, e.body === undefined, content)
  }

  /** Whether a text is the statement at a place of a lock's history, as this browser checked it. */
  async isStatement(lock: string, seq: number, text: string): Promise<boolean> {
    const chains = this.memory.get(lock)?.chains
    const chain = chains?.[seq - 1]
    if (!chains || chain === undefined) return false
    const before = seq === 1 ? await start(lock) : { seq: seq - 1, chain: chains[seq - 2] as string }
    return (await next(before, text)).chain === chain
  }

  /** Whether much lies after the last snapshot, as far as this browser knows, and nothing in the lock is broken. */
  isSnapshotDue(lock: string, last = this.memory.get(lock)?.snapshot ?? 0): boolean {
    const known = this.memory.get(lock)
    if (!known || known.troubles.some((t) => t.code !== 'snapshot')) return false
    const spoiled = known.troubles.some((t) => t.code === 'snapshot' && t.seq === last) // one that nobody uses is none
    const after = known.entries.filter((e) => spoiled || e.seq > last)
    return after.length >= snapshotEntries || after.reduce((sum, e) => sum + (e.kind === 'file' ? 0 : e.size), 0) >= snapshotBytes
  }

  /** Leaves a snapshot of a lock that was read whole, if one is due; false if not. */
  async leaveSnapshot(lock: OpenLock): Promise<boolean> {
    const known = this.memory.get(lock.lock)
    if (!known || known.head.seq !== lock.seq || !this.isSnapshotDue(lock.lock, lock.snapshot)) return false
    const opened: Opened[] = []
    while (opened.length < known.head.seq) {
      const page = await this.net.get<WireEntries>(`/api/locks/${lock.lock}/entries?after=${opened.length}`)
      for (const stored of page.entries.slice(0, known.head.seq - opened.length)) opened.push(await this.reopen(lock, stored))
      if (page.entries.length === 0) return false
    }
    const json = utf8(await writeSnapshot(lock.lock, opened))
    if (json.length > maxSnapshot) return false
    const body = new Blob([await gzip(json)])
    await this.upload(lock.epochs, known.head, lock.lock, body, 'snapshot', snapshotType, { encoding: 'gzip' }, () => undefined)
    return true
  }

  /** An entry as a snapshot keeps it. It was checked when it was read; here its bytes must only be those. */
  private async reopen(lock: OpenLock, stored: WireStored): Promise<Opened> {
    const s = await this.outside(lock.lock, stored.text)
    const apart = s.body.kind === 'file' && stored.sealed === undefined
    const content = apart ? await this.peek(lock.lock, s, this.keyOf(lock, s)) : await this.whole(lock, s, stored)
    const keep = !apart && s.body.kind !== 'snapshot' && content.body.length <= maxSnapshotBody
    return { seq: stored.seq, statement: stored.text, lines: content.lines, body: keep ? content.body : undefined }
  }

  private async keep(lock: string, whole: Remembered): Promise<void> {
    await this.shelf.put('heads', lock, whole.head)
    try {
      await this.shelf.put('cache', `${this.self.person}/${lock}`, await this.safe.seal(`cache/${this.self.person}/${lock}`, whole))
    } catch {
      // full storage costs speed only
    }
  }

  /** Opens one entry and checks everything about it, in the order of docs/formats.md. */
  private async open(lock: OpenLock, stored: WireStored, chains: readonly string[]): Promise<Read> {
    const s = await this.outside(lock.lock, stored.text)
    const b = s.body
    await this.checkSeen(s, stored.seq, chains)
    if (b.kind === 'snapshot') { // opened by who needs it; its place in the chain is all that counts here
      return { entry: b.entry, seq: stored.seq, kind: 'snapshot', author: b.author, authorName: '', time: b.time, type: snapshotType, size: 0, large: true, resources: [] }
    }
    const large = stored.sealed === undefined
    if (!large || (b.kind !== 'file' && b.size <= maxOpened)) return this.read1(s, stored.seq, large, await this.whole(lock, s, stored))
    const content = await step('sealed', this.peek(lock.lock, s, this.keyOf(lock, s)))
    await this.checkInside(s, content)
    return this.read1(s, stored.seq, large, content)
  }

  /** Checks an entry from outside: its form, and that a browser of its author signed it. */
  private async outside(lock: string, text: string): Promise<Statement<'ward/entry/1'>> {
    const s = await step('statement', parse('ward/entry/1', text))
    const b = s.body
    if (b.org !== this.self.org || b.lock !== lock) throw new Wrong('statement', 'it is for another lock')
    if (!(await step('card', this.people.hasBrowser(b.author, b.browser)))) throw new Wrong('browser', 'its browser is not certified by its author')
    await step('signature', checkSignatures(s, b.browser))
    return s
  }

  private async checkSeen(s: Statement<'ward/entry/1'>, seq: number, chains: readonly string[]): Promise<void> {
    const { seen, lock } = s.body
    const chain = seen.seq === 0 ? (await start(lock)).chain : chains[seen.seq - 1]
    if (seen.seq >= seq || chain !== seen.chain) throw new Wrong('chain', 'its author had seen another history')
  }

  private keyOf(lock: Pick<OpenLock, 'keys'>, s: Statement<'ward/entry/1'>): string {
    const key = lock.keys.get(s.body.epoch)
    if (!key) throw new Wrong('epoch', `epoch ${s.body.epoch} is not open to you`)
    return key.identity
  }

  /** An entry's content, opened and checked inside; fetched if it did not come with its statement. */
  private async whole(lock: Pick<OpenLock, 'lock' | 'keys'>, s: Statement<'ward/entry/1'>, stored: WireStored): Promise<Content> {
    const identity = this.keyOf(lock, s)
    const sealed = stored.sealed === undefined ? await step('sealed', this.fetchSealed(lock.lock, s.body.entry)) : unjson64(stored.sealed)
    const content = await this.openSealed(s, sealed, identity)
    await this.checkInside(s, content)
    return content
  }

  /** What is remembered of an entry that was checked. */
  private async read1(s: Statement<'ward/entry/1'>, seq: number, large: boolean, content: Content): Promise<Read> {
    const b = s.body
    const h = content.header
    let resources: Resource[] = []
    if (h.type === fhirType && content.body.length > 0) {
      const found = resourcesOf(text(h.encoding === 'gzip' ? await step('body', gunzip(content.body)) : content.body))
      if (!found) throw new Wrong('body', 'it is not FHIR')
      resources = found
    }
    return {
      entry: b.entry, seq, kind: b.kind as EntryKind, author: b.author, authorName: h.name, time: h.time, type: h.type, size: h.size, large, resources,
      ...(h.encoding && { encoding: h.encoding }), ...(h.title && { title: h.title }), ...(h.filename && { filename: h.filename }),
      ...(h.amends && { amends: h.amends }), ...(h.retracts && { retracts: h.retracts }),
    }
  }

  private async openSealed(s: Statement<'ward/entry/1'>, sealed: Bytes, identity: string): Promise<Content> {
    if (sealed.length !== s.body.size || (await hash(sealed)) !== s.body.sha256) throw new Wrong('hash', 'the sealed bytes are not those its author sent')
    return step('body', readContent(await step('sealed', openOnly(identity, sealed))))
  }

  private async checkInside(s: Statement<'ward/entry/1'>, content: Pick<Content, 'header' | 'lines'>): Promise<void> {
    const { header: h } = content
    const b = s.body
    if (h.org !== b.org || h.lock !== b.lock || h.entry !== b.entry || h.kind !== b.kind || h.author !== b.author || h.time !== b.time) {
      throw new Wrong('header', 'what is inside is not what the outside says')
    }
    const signing = await step('card', this.people.signingKey(h.author, h.card))
    if (signing === undefined) throw new Wrong('author', "its author's card is not known")
    await step('signature', checkAuthor(content.lines, signing))
  }

  private async fetchSealed(lock: string, entry: string): Promise<Bytes> {
    const response = await this.net.send('GET', `/api/locks/${lock}/entries/${entry}/sealed`)
    return new Uint8Array(await response.arrayBuffer())
  }

  /** The header of a large file, from its first chunk; the body is checked when it is fetched. */
  private async peek(lock: string, s: Statement<'ward/entry/1'>, identity: string): Promise<Content> {
    const response = await this.net.send('GET', `/api/locks/${lock}/entries/${s.body.entry}/sealed`, { headers: { Range: `bytes=0-${headerFetch - 1}` } })
    const beginning = new Uint8Array(await response.arrayBuffer())
    checkSealed(beginning)
    const d = new Decrypter()
    d.addIdentity(identity)
    const reader = (await d.decrypt(new Blob([beginning]).stream())).getReader()
    const { value } = await reader.read()
    reader.cancel().catch(() => undefined)
    if (!value) throw new Bad('the file is empty')
    const { header, lines } = splitHeader(value)
    return { header, lines, body: new Uint8Array() }
  }

  /** A file's body, fetched, opened and checked. */
  async body(lock: OpenLock, entry: Read, progress: Progress): Promise<Blob> {
    const page = await this.net.get<WireEntries>(`/api/locks/${lock.lock}/entries?after=${entry.seq - 1}`)
    const stored = page.entries[0]
    if (!stored) throw new EngineProblem('missing', 'the entry is not there')
    const s = await parse('ward/entry/1', stored.text)
    const key = lock.keys.get(s.body.epoch)
    if (s.body.entry !== entry.entry || !key) throw new Bad('the server gave another entry')
    const sealed = stored.sealed !== undefined ? new Blob([unjson64(stored.sealed)]).stream()
      : (await this.net.send('GET', `/api/locks/${lock.lock}/entries/${entry.entry}/sealed`)).body as ReadableStream<Uint8Array>
    const opened = await openStream(sealed, key.identity, s.body.size, (done) => progress('fetching', done, s.body.size))
    if (opened.size !== s.body.size || opened.sha256 !== s.body.sha256) throw new Bad('the sealed bytes are not those its author sent')
    await this.checkInside(s, opened)
    const body = opened.header.encoding === 'gzip' ? new Blob([await gunzip(new Uint8Array(await opened.body.arrayBuffer()))]) : opened.body
    return body.slice(0, body.size, safeType(opened.header.type))
  }

  /** Seals one content and gives what is to be posted. */
  async seal(epochs: OpenLock['epochs'], seen: Head, header: ContentHeader, body: Uint8Array): Promise<{ text: string; sealed: Bytes }> {
    const e = latest(epochs)
    const signed = { ...header, card: this.self.card } // what waited may be older than these keys
    const sealed = await sealTo(await writeContent(signed, body, this.self.signing.sign), e.recipient)
    return { text: (await this.statement(e.epoch, header, seen, sealed.length, await hash(sealed))).text, sealed }
  }

  private statement(epoch: number, header: ContentHeader, seen: Head, size: number, sha256: string): Promise<Statement<'ward/entry/1'>> {
    return write('ward/entry/1', {
      org: this.self.org, lock: header.lock, epoch, entry: header.entry, kind: header.kind, author: this.self.person, browser: this.browser.public,
      time: header.time, seen: { seq: seen.seq, chain: seen.chain }, size, sha256,
    }, this.browser.sign)
  }

  /** The header of something new by this person. */
  async header(lock: string, kind: EntryKind, type: string, body: { size: number; sha256: string }, more: Partial<ContentHeader> = {}): Promise<ContentHeader> {
    const written = new Date()
    return {
      org: this.self.org, lock, entry: newIDAt(written), kind, author: this.self.person, card: this.self.card, name: this.self.name, time: written.toISOString(), type,
      size: body.size, sha256: body.sha256, ...more,
    }
  }

  /** Resources as the body of an entry. */
  async pack(resource: Resource): Promise<{ body: Bytes; sha256: string }> {
    const body = await gzip(utf8(JSON.stringify(resource)))
    return { body, sha256: await hash(body) }
  }

  fitsInline(bodySize: number): boolean { return bodySize < maxInlinePlain / 1.13 }

  /** What this lock's history was when it was last checked here. */
  async seen(lock: string): Promise<Head> {
    return this.memory.get(lock)?.head ?? (await this.remembered(lock)).head
  }

  /** Seals a file as a stream and sends it in parts; then its entry. Nothing is whole in memory. */
  async upload(epochs: OpenLock['epochs'], seen: Head, lock: string, file: Blob, kind: EntryKind, type: string, more: Partial<ContentHeader>, progress: Progress, signal?: AbortSignal): Promise<string> {
    const body = { size: file.size, sha256: await hashFile(file, (n) => progress('reading', n, file.size), signal) }
    const header = await this.header(lock, kind, type, body, more)
    const e = latest(epochs)
    const head = await writeHeader(header, this.self.signing.sign)
    const id = newID()
    let part = 0
    let sent = 0
    const total = head.length + file.size
    const { size, sha256 } = await sealStream(head, file, padding(head.length + file.size), e.recipient, maxPart, async (bytes) => {
      part++
      await this.sendPart(`/api/locks/${lock}/uploads/${id}/${part}`, bytes, signal)
      sent += bytes.length
      progress('sending', Math.min(sent, total), total)
    }, signal)
    const statement = await this.statement(e.epoch, header, seen, size, sha256)
    await this.net.post(`/api/locks/${lock}/entries`, { entries: [{ text: statement.text, upload: id }] })
    return header.entry
  }

  /** A part again and again, with pauses, while the network is away for a moment. */
  private async sendPart(path: string, bytes: Bytes, signal?: AbortSignal): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        await this.net.send('PUT', path, { body: bytes, type: 'application/octet-stream', ...(signal && { signal }) })
        return
      } catch (error) {
        const { code } = problemOf(error)
        if ((code !== 'offline' && code !== 'unavailable') || attempt >= 6) throw error
        await new Promise((resolve) => setTimeout(resolve, 1000 * 2 ** attempt))
      }
    }
  }

  /** Body of a message, note or record as roles and names need it: who wrote. */
  async rolesOf(person: string): Promise<readonly Role[]> {
    return this.people.get(person).then((p) => p.roles, () => [])
  }
}

/** A media type that a browser may show: never one that runs. */
export function safeType(type: string): string {
  return /^(image\/(png|jpeg|gif|webp|avif)|audio\/[\w.+-]+|video\/[\w.+-]+|text\/plain(;.*)?|application\/(pdf|fhir\+json|dicom))$/i.test(type) ? type : 'application/octet-stream'
}

/** Something wrong with one entry, with the code that a trouble carries. */
class Wrong extends Error {
  readonly code: Trouble['code']
  constructor(code: Trouble['code'], message: string) {
    super(message)
    this.code = code
  }
}

/** Names what a failed check was about. Problems of the network stay what they are. */
async function step<T>(code: Trouble['code'], work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof Wrong || (error instanceof EngineProblem && error.code !== 'missing')) throw error
    throw new Wrong(code, error instanceof Error ? error.message : String(error))
  }
}

function troubleOf(lock: string, stored: Pick<WireStored, 'seq' | 'text'>, error: unknown): Trouble {
  if (error instanceof EngineProblem) throw error
  const code = error instanceof Wrong ? error.code : 'statement'
  return { code, lock, seq: stored.seq, detail: error instanceof Error ? error.message : String(error) }
}

