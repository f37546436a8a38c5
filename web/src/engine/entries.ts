// Entries of a lock: reading and checking each, remembering what was read, and writing.
//
// What does not check is never shown. It becomes a trouble, which says what is wrong and where; everything else goes
// on. The chain over all entries is computed anew from where this browser left off, and compared with the server's
// head: a history that was cut, changed or reordered does not fit.

import { Decrypter } from 'age-encryption'
import { Bad, b64, concat, hash, newID, now, text, unjson64, utf8, type Bytes, type SigningKey } from '../seal/bytes.ts'
import { checkAuthor, gunzip, gzip, maxWords, padding, readContent, splitHeader, writeContent, writeHeader, type Content, type ContentHeader } from '../seal/content.ts'
import { sealTo } from '../seal/keys.ts'
import { checkSignatures, next, parse, start, write, type Head, type Statement } from '../seal/statements.ts'
import { resourcesOf } from '../fhir/write.ts'
import { latest, type OpenLock, type Self } from './locks.ts'
import type { Net } from './net.ts'
import type { People } from './people.ts'
import { EngineProblem, problemOf } from './problem.ts'
import type { Safe, Shelf } from './shelf.ts'
import { sealStream, hashFile } from './stream.ts'
import type { EntryKind, Progress, Resource, Role, Trouble } from './types.ts'
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

interface Remembered { head: Head; chains: string[]; entries: Read[] }

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
    return here ?? { head: await start(lock), chains: [], entries: [] }
  }

  /** Reads what is new in a lock, checks it, and gives everything. */
  async read(lock: OpenLock, progress: (done: number, total: number) => void): Promise<LockContents> {
    const before = await this.remembered(lock.lock)
    const troubles: Trouble[] = []
    const pinned = (await this.shelf.get('heads', lock.lock)) as Head | undefined
    let { head } = before
    let entries = before.entries
    let chains = before.chains
    if (lock.seq < head.seq || (lock.seq === head.seq && lock.chain !== head.chain) || (pinned && lock.seq < pinned.seq)) {
      troubles.push({ code: lock.seq < Math.max(head.seq, pinned?.seq ?? 0) ? 'rollback' : 'fork', lock: lock.lock, detail: `this browser saw ${pinned?.seq ?? head.seq} entries; the server shows ${lock.seq} or another history` })
      ;({ head, entries, chains } = { head: await start(lock.lock), entries: [], chains: [] })
    }
    const from = head.seq
    let server: Head = { seq: lock.seq, chain: lock.chain }
    const fresh: Read[] = []
    while (head.seq < server.seq) {
      const page = await this.net.get<WireEntries>(`/api/locks/${lock.lock}/entries?after=${head.seq}`)
      server = { seq: page.seq, chain: page.chain }
      if (page.entries.length === 0) {
        troubles.push({ code: 'chain', lock: lock.lock, seq: head.seq + 1, detail: 'the server keeps back entries that it counts' })
        break
      }
      const opening: Promise<Read | Trouble>[] = []
      for (const stored of page.entries) {
        if (stored.seq !== head.seq + 1) {
          troubles.push({ code: 'chain', lock: lock.lock, seq: head.seq + 1, detail: `entry ${head.seq + 1} is missing; the server gave ${stored.seq}` })
          head = { seq: stored.seq - 1, chain: head.chain }
        }
        head = await next(head, stored.text)
        chains = [...chains, head.chain]
        opening.push(this.open(lock, stored, chains).catch((error: unknown) => troubleOf(lock.lock, stored, error)))
      }
      for (const [i, one] of opening.entries()) {
        const result = await one
        if ('code' in result) troubles.push(result)
        else if (result.kind !== 'snapshot') fresh.push(result)
        progress(head.seq - from - opening.length + i + 1, server.seq - from)
      }
    }
    if (head.seq === server.seq && head.chain !== server.chain) {
      troubles.push({ code: 'chain', lock: lock.lock, detail: 'the entries do not add up to what the server says they are' })
    } else if (pinned && chains.length >= pinned.seq && pinned.seq > 0 && chains[pinned.seq - 1] !== pinned.chain) {
      troubles.push({ code: 'fork', lock: lock.lock, seq: pinned.seq, detail: 'the server shows another history than before' })
    }
    const all = [...entries, ...fresh]
    if (troubles.length === 0) {
      const whole = { head, chains, entries: all }
      this.memory.set(lock.lock, whole)
      if (head.seq !== before.head.seq) await this.keep(lock.lock, whole)
    }
    return { entries: all, troubles, head }
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
    const s = await step('statement', parse('ward/entry/1', stored.text))
    const b = s.body
    if (b.org !== this.self.org || b.lock !== lock.lock) throw new Wrong('statement', 'it is for another lock')
    if (!(await step('author', this.people.hasBrowser(b.author, b.browser)))) throw new Wrong('browser', 'its browser is not certified by its author')
    await step('signature', checkSignatures(s, b.browser))
    const seen = b.seen.seq === 0 ? (await start(lock.lock)).chain : chains[b.seen.seq - 1]
    if (b.seen.seq >= stored.seq || seen !== b.seen.chain) throw new Wrong('chain', 'its author had seen another history')
    const key = lock.keys.get(b.epoch)
    if (!key) throw new Wrong('epoch', `epoch ${b.epoch} is not open to you`)
    let content: Content
    const large = stored.sealed === undefined
    if (large && (b.kind === 'file' || b.size > maxOpened)) {
      content = await step('sealed', this.peek(lock.lock, s, key.identity))
    } else {
      const sealed = large ? await this.fetchSealed(lock.lock, b.entry) : unjson64(stored.sealed as string)
      content = await this.openSealed(s, sealed, key.identity)
    }
    const h = content.header
    await this.checkInside(s, content)
    let resources: Resource[] = []
    if (h.type === fhirType && content.body.length > 0) {
      const found = resourcesOf(text(h.encoding === 'gzip' ? await step('body', gunzip(content.body)) : content.body))
      if (!found) throw new Wrong('body', 'it is not FHIR')
      resources = found
    }
    return {
      entry: b.entry, seq: stored.seq, kind: b.kind as EntryKind, author: b.author, authorName: h.name, time: h.time, type: h.type, size: h.size, large, resources,
      ...(h.encoding && { encoding: h.encoding }), ...(h.title && { title: h.title.slice(0, maxWords) }), ...(h.filename && { filename: h.filename.slice(0, maxWords) }),
      ...(h.amends && { amends: h.amends }), ...(h.retracts && { retracts: h.retracts }),
    }
  }

  private async openSealed(s: Statement<'ward/entry/1'>, sealed: Bytes, identity: string): Promise<Content> {
    if (sealed.length !== s.body.size || (await hash(sealed)) !== s.body.sha256) throw new Wrong('hash', 'the sealed bytes are not those its author sent')
    const d = new Decrypter()
    d.addIdentity(identity)
    const plain = await step('sealed', d.decrypt(sealed))
    return step('body', readContent(plain))
  }

  private async checkInside(s: Statement<'ward/entry/1'>, content: Content): Promise<void> {
    const { header: h } = content
    const b = s.body
    if (h.org !== b.org || h.lock !== b.lock || h.entry !== b.entry || h.kind !== b.kind || h.author !== b.author || h.time !== b.time) {
      throw new Wrong('header', 'what is inside is not what the outside says')
    }
    const signing = await step('author', this.people.signingKey(h.author, h.card))
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
    let sealed: Bytes
    if (stored.sealed !== undefined) {
      sealed = unjson64(stored.sealed)
    } else {
      const response = await this.net.send('GET', `/api/locks/${lock.lock}/entries/${entry.entry}/sealed`)
      sealed = await collect(response, s.body.size, progress)
    }
    progress('opening', s.body.size, s.body.size)
    const content = await this.openSealed(s, sealed, key.identity)
    await this.checkInside(s, content)
    const body = content.header.encoding === 'gzip' ? await gunzip(content.body) : content.body
    return new Blob([body], { type: safeType(content.header.type) })
  }

  /** Seals one content and gives what is to be posted. */
  async seal(epochs: OpenLock['epochs'], seen: Head, header: ContentHeader, body: Uint8Array): Promise<{ text: string; sealed: Bytes }> {
    const e = latest(epochs)
    const sealed = await sealTo(await writeContent(header, body, this.self.signing.sign), e.recipient)
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
    return {
      org: this.self.org, lock, entry: newID(), kind, author: this.self.person, card: this.self.card, name: this.self.name, time: now(), type,
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

async function collect(response: Response, size: number, progress: Progress): Promise<Bytes> {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  const parts: Uint8Array[] = []
  let got = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return concat(...parts)
    parts.push(value)
    got += value.length
    if (got > size) throw new Bad('the file is longer than it says')
    progress('fetching', got, size)
  }
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
    if (error instanceof EngineProblem || error instanceof Wrong) throw error
    throw new Wrong(code, error instanceof Error ? error.message : String(error))
  }
}

function troubleOf(lock: string, stored: WireStored, error: unknown): Trouble {
  if (error instanceof EngineProblem && error.code !== 'tampered' && error.code !== 'missing') throw error
  const code = error instanceof Wrong ? error.code : 'statement'
  return { code, lock, seq: stored.seq, detail: error instanceof Error ? error.message : String(error) }
}

export { b64 }
