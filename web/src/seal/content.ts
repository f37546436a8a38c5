// What is inside a sealed entry: a signed header and the body, padded (docs/formats.md).

import { Bad, b64, concat, hash, isID, readJSON, text, unb64, utf8, verify, type Bytes, type Sign } from './bytes.ts'

export interface ContentHeader {
  org: string; lock: string; entry: string; kind: string; author: string; card: string; name: string; time: string; type: string
  encoding?: 'gzip' | undefined; title?: string | undefined; filename?: string | undefined; amends?: string | undefined; retracts?: string | undefined
  size: number; sha256: string
}

const order = ['org', 'lock', 'entry', 'kind', 'author', 'card', 'name', 'time', 'type', 'encoding', 'title', 'filename', 'amends', 'retracts', 'size', 'sha256'] as const
const type = 'ward/content/1'
const maxHeader = 8 * 1024
const minPadded = 256

/** Limits of what is inside. */
export const maxGunzipped = 32 * 1024 * 1024
export const maxWords = 200

/** Bytes of a body: a file of 1 GB fits, sealed (wire.go MaxFile). */
const maxFile = 2 ** 30 + 64 * 2 ** 20

/** Padmé: at most 12 % more, and only O(log log L) bits of the length show. */
export function padme(length: number): number {
  if (length < 2) return length
  const e = Math.floor(Math.log2(length))
  const s = Math.floor(Math.log2(e)) + 1
  const step = 2 ** Math.max(0, e - s)
  return Math.ceil(length / step) * step
}

const headerJSON = (h: ContentHeader): string => JSON.stringify(Object.fromEntries(order.filter((k) => h[k] !== undefined).map((k) => [k, h[k]])))

/** The three lines before the body, signed by the author. */
export async function writeHeader(header: ContentHeader, sign: Sign): Promise<Bytes> {
  const wrong = headerWrong(header)
  if (wrong) throw new Bad(`write a content: ${wrong}`)
  const signed = `${type}\n${headerJSON(header)}\n`
  if (signed.length > maxHeader) throw new Bad('the header is too long')
  return utf8(`${signed}${b64(await sign(utf8(signed)))}\n`)
}

export const padding = (length: number): Bytes => new Uint8Array(Math.max(padme(length), minPadded) - length).fill(10)

export async function writeContent(header: ContentHeader, body: Uint8Array, sign: Sign): Promise<Bytes> {
  const head = await writeHeader(header, sign)
  return concat(head, body, padding(head.length + body.length))
}

export interface Content { readonly header: ContentHeader; readonly lines: string; readonly body: Bytes }

/** Splits a content into header and body and checks the body's hash. The signature is for checkAuthor. */
export async function readContent(plain: Uint8Array): Promise<Content> {
  const { header, lines, length } = splitHeader(plain)
  const body = plain.slice(length, length + header.size) as Bytes
  if (body.length !== header.size || (await hash(body)) !== header.sha256) throw new Bad('the body does not have the size and hash its header says')
  return { header, lines, body }
}

export function splitHeader(plain: Uint8Array): { header: ContentHeader; lines: string; length: number } {
  let at = 0
  for (let line = 0; line < 3; line++) {
    const end = plain.subarray(0, maxHeader + 256).indexOf(10, at)
    if (end < 0) throw new Bad('the content has no header')
    at = end + 1
  }
  const lines = text(plain.subarray(0, at))
  return { header: parseHeader(lines), lines, length: at }
}

export function parseHeader(lines: string): ContentHeader {
  const [first, json] = lines.split('\n')
  if (first !== type) throw new Bad('the content is not of a known type')
  const header = readJSON(json ?? '') as ContentHeader
  for (const key of Object.keys(header)) if (!(order as readonly string[]).includes(key)) throw new Bad(`unknown field ${key.slice(0, 40)} in a content`)
  const wrong = headerWrong(header)
  if (wrong) throw new Bad(`the content's header: ${wrong}`)
  return header
}

const isHash = (value: unknown): boolean => typeof value === 'string' && /^[A-Za-z0-9_-]{43}$/.test(value)
const isWords = (value: unknown): boolean => value === undefined || (typeof value === 'string' && [...value].length <= maxWords)
const isAbsentOrID = (value: unknown): boolean => value === undefined || (typeof value === 'string' && isID(value))

/** What is wrong with a header's fields, or ''. */
function headerWrong(h: ContentHeader): string {
  if (![h.org, h.lock, h.entry, h.author].every((v) => typeof v === 'string' && isID(v))) return 'org, lock, entry or author is not an id'
  if (!isHash(h.card) || !isHash(h.sha256)) return 'card or sha256 is not a hash'
  if (![h.kind, h.name, h.time, h.type].every((v) => typeof v === 'string') || h.type === '') return 'kind, name, time or type is missing'
  if (h.encoding !== undefined && h.encoding !== 'gzip') return 'the encoding is not known'
  if (!isWords(h.title) || !isWords(h.filename)) return `title or filename is longer than ${maxWords} characters`
  if (!isAbsentOrID(h.amends) || !isAbsentOrID(h.retracts)) return 'amends or retracts is not an id'
  if (!Number.isSafeInteger(h.size) || h.size < 0 || h.size > maxFile) return 'the size is out of bounds'
  return ''
}

export async function checkAuthor(lines: string, signing: string): Promise<void> {
  const [first, json, sig] = lines.split('\n')
  if (!(await verify(signing, utf8(`${first}\n${json}\n`), unb64(sig ?? '')))) throw new Bad("the author's signature does not match")
}

export async function gzip(data: Uint8Array): Promise<Bytes> {
  return collect(new Blob([data as Bytes]).stream().pipeThrough(new CompressionStream('gzip')), Number.MAX_SAFE_INTEGER)
}

export async function gunzip(data: Uint8Array): Promise<Bytes> {
  return collect(new Blob([data as Bytes]).stream().pipeThrough(new DecompressionStream('gzip')), maxGunzipped)
}

async function collect(stream: ReadableStream<Uint8Array>, most: number): Promise<Bytes> {
  const parts: Uint8Array[] = []
  let size = 0
  const reader = stream.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return concat(...parts)
    size += value.length
    if (size > most) throw new Bad('the content is too large when unpacked')
    parts.push(value)
  }
}
