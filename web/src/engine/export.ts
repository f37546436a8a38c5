// Take everything with me: one folder, as a zip, that the stock age command and the recovery code open without Ward
// (docs/formats.md, Export folder). Files go from the server into the zip as they come, sealed as they are; what is
// packed is handed to the browser in pieces, which keeps them on disk when they are large.

import { sha256 } from '@noble/hashes/sha2.js'
import { Zip, ZipPassThrough } from 'fflate'
import { Bad, b64, hash, idOf, now, recipientOf, sha256 as digest, unjson64, utf8, type Bytes } from '../seal/bytes.ts'
import { lockFile, sealTo } from '../seal/keys.ts'
import { next, parse, start, type Head } from '../seal/statements.ts'
import { openMD } from './openmd.ts'
import { EngineProblem } from './problem.ts'
import type { Session } from './session.ts'
import type { Progress } from './types.ts'
import type { WireCardProof, WireCards, WireChart, WireEntries, WireEvent, WireLock, WireReceipt, WireStored } from './wire.ts'

/** How many bytes of the zip are in memory at a time. */
const pieceSize = 8 * 1024 * 1024
/** How many proofs the server gives at a time. */
const receiptsAtOnce = 50

/** A zip being written, into a Blob. Sealed bytes do not compress, so nothing is. */
class Folder {
  private readonly pieces: Blob[] = []
  private waiting: Bytes[] = []
  private size = 0
  private failed: Error | undefined
  private readonly zip = new Zip((error, data) => {
    if (error) this.failed = error
    else this.take(data.slice() as Bytes)
  })

  private take(data: Bytes): void {
    this.waiting.push(data)
    this.size += data.length
    if (this.size >= pieceSize) this.flush()
  }

  private flush(): void {
    this.pieces.push(new Blob(this.waiting))
    this.waiting = []
    this.size = 0
  }

  async add(name: string, data: Uint8Array | string | ReadableStream<Uint8Array>): Promise<void> {
    const file = new ZipPassThrough(`ward-export/${name}`)
    this.zip.add(file)
    if (data instanceof ReadableStream) {
      const reader = data.getReader()
      for (let read = await reader.read(); !read.done; read = await reader.read()) file.push(read.value)
      file.push(new Uint8Array(), true)
    } else {
      file.push(typeof data === 'string' ? utf8(data) : data, true)
    }
    if (this.failed) throw this.failed
  }

  end(): Blob {
    this.zip.end()
    if (this.failed) throw this.failed
    this.flush()
    return new Blob(this.pieces, { type: 'application/zip' })
  }
}

/** Packs everything of one's own charts; for who has none, of those shared with them. */
export async function takeEverything(session: Session, progress: Progress): Promise<Blob> {
  const packing = new Packing(session, progress)
  return packing.all()
}

class Packing {
  private readonly folder = new Folder()
  private readonly people = new Set<string>()
  private readonly looks: string[] = []
  private readonly index: object[] = []
  private readonly asked: { path: string; name: string; refs: string[] }[] = [] // what proofs belong into the folder
  private readonly session: Session
  private readonly progress: Progress
  private done = 0
  private total = 0

  constructor(session: Session, progress: Progress) {
    this.session = session
    this.progress = progress
  }

  async all(): Promise<Blob> {
    const { self, net } = this.session.exportParts()
    const { charts } = await net.get<{ charts: WireChart[] }>('/api/charts')
    const own = charts.filter((c) => c.person === self.person)
    const packed = own.length > 0 ? own : charts
    this.total = packed.reduce((sum, c) => sum + c.locks.reduce((n, l) => n + l.seq, 0), 0)
    await this.session.ledger.forExport() // the keyring then has what was pinned
    const keyring = await net.get<{ recoveryKeyring: string }>('/api/keyring')
    await this.folder.add('OPEN.md', openMD)
    await this.folder.add('keyring.recovery.age', unjson64(keyring.recoveryKeyring))
    await this.folder.add('clinic.txt', this.session.wire.clinicText)
    for (const chart of packed) {
      for (const lock of chart.locks) await this.lock(lock.lock)
      await this.looksOf(chart.chart)
    }
    await this.person(self.person)
    await this.membership()
    await this.folder.add('access.jsonl', this.looks.join(''))
    await this.proofs()
    const about = { format: 'ward/export/1', org: self.org, person: self.person, time: now(), locks: this.index }
    await this.folder.add('export.json', `${JSON.stringify(about, null, 2)}\n`)
    return this.folder.end()
  }

  private async lock(id: string): Promise<void> {
    const { self, net, locks } = this.session.exportParts()
    const lock = await locks.open(id)
    const recipient = await recipientOf(self.identity)
    for (const [i, epoch] of lock.epochs.entries()) {
      const key = lock.keys.get(i + 1)
      if (!key) throw new Bad(`epoch ${i + 1} of a chart does not open`)
      await this.folder.add(`epochs/${id}-${i + 1}.txt`, epoch.text)
      await this.folder.add(`grants/${id}-${i + 1}.age`, await sealTo(lockFile(key), recipient))
      await this.person(epoch.body.author)
    }
    const { grants } = await net.get<WireLock>(`/api/locks/${id}`)
    const shown = new Set<number>()
    for (const { text } of grants) {
      const { body } = await parse('ward/grant/1', text)
      if (body.person !== self.person || shown.has(body.epoch)) continue
      shown.add(body.epoch)
      await this.folder.add(`grants/${id}-${body.epoch}.txt`, text)
    }
    const head = await this.entries(id)
    this.index.push({
      lock: id, kind: lock.kind, ...(lock.chart && { chart: lock.chart }), ...(lock.compartment && { compartment: lock.compartment }), epochs: lock.epochs.length, head,
    })
  }

  /** A lock's entries as they are; their chain must end where the server says. */
  private async entries(lock: string): Promise<Head> {
    const { net } = this.session.exportParts()
    let head = await start(lock)
    const refs: string[] = []
    this.asked.push({ path: `/api/locks/${lock}/receipts`, name: 'entry', refs })
    for (;;) {
      const page = await net.get<WireEntries>(`/api/locks/${lock}/entries?after=${head.seq}`)
      for (const stored of page.entries) {
        head = await next(head, stored.text)
        await this.entry(lock, head.seq, stored)
        refs.push((await parse('ward/entry/1', stored.text)).body.entry)
        this.progress('exporting', ++this.done, this.total)
      }
      if (page.more && page.entries.length > 0) continue
      if (head.seq !== page.seq || head.chain !== page.chain) throw new EngineProblem('tampered', 'the entries do not add up to what the server says they are')
      return head
    }
  }

  private async entry(lock: string, seq: number, stored: WireStored): Promise<void> {
    const { body } = await parse('ward/entry/1', stored.text)
    const name = `entries/${lock}-${String(seq).padStart(6, '0')}-${body.entry}`
    await this.folder.add(`${name}.txt`, stored.text)
    await this.person(body.author)
    let sum: string
    if (stored.sealed !== undefined) {
      const sealed = unjson64(stored.sealed)
      sum = await hash(sealed)
      await this.folder.add(`${name}.age`, sealed)
    } else {
      const response = await this.session.exportParts().net.send('GET', `/api/locks/${lock}/entries/${body.entry}/sealed`)
      const hashing = sha256.create()
      const through = new TransformStream<Uint8Array, Uint8Array>({ transform: (chunk, out) => { hashing.update(chunk); out.enqueue(chunk) } })
      await this.folder.add(`${name}.age`, (response.body as ReadableStream<Uint8Array>).pipeThrough(through))
      sum = b64(hashing.digest())
    }
    if (sum !== body.sha256) throw new EngineProblem('tampered', `entry ${seq} is not what its author sent`)
  }

  /** What belongs to someone's cards, and their thread. Who was erased has none. */
  private async person(id: string): Promise<void> {
    if (this.people.has(id)) return
    this.people.add(id)
    const { net, people: known } = this.session.exportParts()
    const missing = (error: unknown): undefined => {
      if (!(error instanceof EngineProblem && error.code === 'missing')) throw error
    }
    const wire = await net.get<WireCards>(`/api/people/${id}/cards`).catch(missing)
    const found = wire && (await known.check(wire).catch(missing))
    if (!found) return
    const { cards, chain } = found
    if (chain !== known.membership.chain) await this.chain(id, chain.texts)
    for (const { serial, recipient } of cards) if (recipient !== '') await this.folder.add(`recipients/${id}-${serial}.txt`, recipient)
    for (const text of new Set(wire.browsers)) await this.folder.add(`browsers/${idOf(await digest(utf8(text))).slice(0, 26)}.txt`, text)
  }

  /** The roster: threads are judged by it. */
  private async membership(): Promise<void> {
    const { membership } = this.session.exportParts().people
    await membership.sync()
    await this.chain(membership.org, membership.chain.texts)
  }

  private readonly chains: string[] = []

  private async chain(id: string, texts: readonly string[]): Promise<void> {
    this.chains.push(id)
    for (const [i, text] of texts.entries()) await this.folder.add(`membership/${id}/${String(i + 1).padStart(6, '0')}.txt`, text)
  }

  /** Who looked, newest first; not everyone who may read a chart may know this. */
  private async looksOf(chart: string): Promise<void> {
    const { net } = this.session.exportParts()
    const refs: string[] = []
    this.asked.push({ path: `/api/charts/${chart}/receipts`, name: 'event', refs })
    for (let before = 0; ; ) {
      const page = await net.get<{ events: WireEvent[]; more: boolean }>(`/api/charts/${chart}/looks${before ? `?before=${before}` : ''}`).catch((error: unknown) => {
        if (error instanceof EngineProblem && error.code === 'refused') return { events: [], more: false }
        throw error
      })
      for (const event of page.events) {
        this.looks.push(`${JSON.stringify(event)}\n`)
        refs.push(event.event)
      }
      before = page.events.at(-1)?.seq ?? 0
      if (!page.more || before <= 1) return
    }
  }

  /** What the ledger shows of all that is in the folder, so that it can be checked without a server. A clinic without a ledger has none. */
  private async proofs(): Promise<void> {
    const { net } = this.session.exportParts()
    const { trust, changes, final, names } = (await this.session.ledger.forExport()) ?? {}
    if (!trust) return
    await this.folder.add('ledger.json', `${JSON.stringify({ format: 'ward/export-ledger/1', trust, changes, ...(final && { final }) })}\n`)
    if (names) await this.folder.add('names.json', `${JSON.stringify(names)}\n`)
    const lines: string[] = []
    for (const { path, name, refs } of this.asked) {
      for (let at = 0; at < refs.length; at += receiptsAtOnce) {
        const { receipts } = await net.get<{ receipts: WireReceipt[] }>(`${path}?from=${trust.height}${refs.slice(at, at + receiptsAtOnce).map((ref) => `&${name}=${ref}`).join('')}`)
        for (const { kind, ref, salt, text, receipt } of receipts) lines.push(`${JSON.stringify({ kind, ref, salt, text, ...(receipt && { receipt }) })}\n`)
      }
    }
    await this.folder.add('receipts.jsonl', lines.join(''))
    const people: string[] = []
    for (const person of this.chains) {
      const path = person === this.session.wire.org.org ? '/api/membership/proof' : `/api/people/${person}/card-proof`
      const { proof } = await net.get<WireCardProof>(path).catch((error: unknown) => {
        if (error instanceof EngineProblem && error.code === 'missing') return {} as WireCardProof
        throw error
      })
      if (proof) people.push(`${JSON.stringify({ person, proof })}\n`)
    }
    await this.folder.add('lines.jsonl', people.join(''))
  }
}
