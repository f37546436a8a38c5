// What this browser keeps: keys that cannot leave it, and, sealed under one of them, what a person wrote without a
// network or did not send yet, and what they read before. IndexedDB, or memory for tests and where the browser keeps nothing.

import { text, utf8, type Bytes } from '../seal/bytes.ts'

export interface Shelf {
  get(box: Box, key: string): Promise<unknown>
  put(box: Box, key: string, value: unknown): Promise<void>
  remove(box: Box, key: string): Promise<void>
  keys(box: Box): Promise<readonly string[]>
  clear(box: Box): Promise<void>
}

const boxes = ['keys', 'session', 'heads', 'pins', 'outbox', 'drafts', 'cache', 'seen'] as const
/** One more whenever there is another box. */
const version = 2
export type Box = (typeof boxes)[number]

export class MemoryShelf implements Shelf {
  private readonly all = new Map<string, Map<string, unknown>>()
  private box(box: Box): Map<string, unknown> {
    let found = this.all.get(box)
    if (!found) this.all.set(box, (found = new Map()))
    return found
  }
  async get(box: Box, key: string): Promise<unknown> { return this.box(box).get(key) }
  async put(box: Box, key: string, value: unknown): Promise<void> { this.box(box).set(key, value) }
  async remove(box: Box, key: string): Promise<void> { this.box(box).delete(key) }
  async keys(box: Box): Promise<readonly string[]> { return [...this.box(box).keys()] }
  async clear(box: Box): Promise<void> { this.box(box).clear() }
}

const done = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error as DOMException)
  })

const whole = (t: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    t.oncomplete = () => resolve()
    t.onabort = () => reject(t.error ?? new DOMException('it was undone', 'AbortError'))
  })

/** What a person wrote counts as kept, or as gone, only once it is on the disk; the rest can be had again. */
const written: ReadonlySet<Box> = new Set(['outbox', 'drafts'])

class DiskShelf implements Shelf {
  private readonly db: IDBDatabase
  constructor(db: IDBDatabase) { this.db = db }
  private box(box: Box, mode: IDBTransactionMode): IDBObjectStore { return this.db.transaction(box, mode, { durability: 'strict' }).objectStore(box) }
  get(box: Box, key: string): Promise<unknown> { return done(this.box(box, 'readonly').get(key)) }
  put(box: Box, key: string, value: unknown): Promise<void> { return this.change(box, (store) => store.put(value, key)) }
  remove(box: Box, key: string): Promise<void> { return this.change(box, (store) => store.delete(key)) }
  private async change(box: Box, work: (store: IDBObjectStore) => IDBRequest): Promise<void> {
    const store = this.box(box, 'readwrite')
    const kept = whole(store.transaction)
    kept.catch(() => undefined) // whoever waits for it hears
    await done(work(store))
    if (written.has(box)) await kept
  }
  async keys(box: Box): Promise<readonly string[]> { return (await done(this.box(box, 'readonly').getAllKeys())).map(String) }
  async clear(box: Box): Promise<void> { await done(this.box(box, 'readwrite').clear()) }
}

export async function openShelf(): Promise<Shelf> {
  if (typeof indexedDB === 'undefined') return new MemoryShelf()
  try {
    const request = indexedDB.open('ward', version)
    request.onupgradeneeded = () => { for (const box of boxes) if (!request.result.objectStoreNames.contains(box)) request.result.createObjectStore(box) }
    const db = await done(request)
    db.onversionchange = () => db.close() // a newer Ward in another tab must not wait for this one
    return new DiskShelf(db)
  } catch {
    return new MemoryShelf() // private windows of some browsers
  }
}

/** A value of the keys box, made the first time. */
export async function kept<T>(shelf: Shelf, name: string, make: () => Promise<T>): Promise<T> {
  const found = (await shelf.get('keys', name)) as T | undefined
  if (found !== undefined) return found
  const made = await make()
  await shelf.put('keys', name, made)
  return made
}

/** Seals and opens JSON under a key of this browser (AES-256-GCM, the name as additional data). */
export class Safe {
  private readonly key: CryptoKey
  constructor(key: CryptoKey) { this.key = key }

  static newKey(): Promise<CryptoKey> {
    return crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
  }

  async seal(name: string, value: unknown): Promise<Bytes> {
    const iv = crypto.getRandomValues(new Uint8Array(12))
    const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: utf8(name) }, this.key, utf8(JSON.stringify(value))))
    const out = new Uint8Array(12 + sealed.length)
    out.set(iv)
    out.set(sealed, 12)
    return out
  }

  async open<T>(name: string, sealed: unknown): Promise<T | undefined> {
    if (!(sealed instanceof Uint8Array)) return undefined
    try {
      const plain = await crypto.subtle.decrypt({ name: 'AES-GCM', iv: sealed.slice(0, 12), additionalData: utf8(name) }, this.key, sealed.slice(12))
      return JSON.parse(text(new Uint8Array(plain))) as T
    } catch {
      return undefined
    }
  }
}
