// Files as streams: hashed, sealed and sent in pieces, so that a gigabyte needs no gigabyte of memory.

import { sha256 } from '@noble/hashes/sha2.js'
import { Decrypter, Encrypter } from 'age-encryption'
import { Bad, b64, concat, type Bytes } from '../seal/bytes.ts'
import { splitHeader, type ContentHeader } from '../seal/content.ts'
import { checkSealed, headerSize } from '../seal/keys.ts'
import { EngineProblem } from './problem.ts'

const stopIf = (signal?: AbortSignal): void => {
  if (signal?.aborted) throw new EngineProblem('cancelled', 'cancelled')
}

/** The SHA-256 of a file, b64. WebCrypto hashes only what is whole in memory, so this one is @noble/hashes. */
export async function hashFile(file: Blob, progress: (done: number) => void, signal?: AbortSignal): Promise<string> {
  const sum = sha256.create()
  let done = 0
  const reader = file.stream().getReader()
  for (;;) {
    const { done: end, value } = await reader.read()
    stopIf(signal)
    if (end) return b64(sum.digest())
    sum.update(value)
    done += value.length
    progress(done)
  }
}

/** Seals head, file and tail as one, and gives the sealed bytes in parts, in order. */
export async function sealStream(
  head: Bytes, file: Blob, tail: Bytes, recipient: string, partSize: number, send: (part: Bytes) => Promise<void>, signal?: AbortSignal,
): Promise<{ size: number; sha256: string }> {
  const e = new Encrypter()
  e.addRecipient(recipient)
  const sealed = await e.encrypt(new Blob([head, file, tail]).stream())
  const sum = sha256.create()
  let size = 0
  let waiting: Uint8Array[] = []
  let waitingSize = 0
  let onTheWay = Promise.resolve() // one part, while the next is sealed
  const push = async (part: Bytes): Promise<void> => {
    await onTheWay
    onTheWay = send(part)
    onTheWay.catch(() => undefined) // whoever waits for it next hears of it
  }
  const reader = sealed.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    stopIf(signal)
    if (done) break
    sum.update(value)
    size += value.length
    waiting.push(value)
    waitingSize += value.length
    if (waitingSize < partSize) continue
    const all = concat(...waiting)
    const whole = all.length - (all.length % partSize)
    for (let at = 0; at < whole; at += partSize) await push(all.slice(at, at + partSize))
    waiting = [all.slice(whole)]
    waitingSize = all.length - whole
  }
  if (waitingSize > 0) await push(concat(...waiting))
  await onTheWay
  return { size, sha256: b64(sum.digest()) }
}

/** Bytes that go to the browser in pieces of this size, which it keeps on disk when they are large. */
const pieceSize = 8 * 1024 * 1024

export interface OpenedStream { readonly header: ContentHeader; readonly lines: string; readonly body: Blob; readonly size: number; readonly sha256: string }

/** Opens a sealed file as it comes. Its body has the size and hash that its header says; size and sha256 are of the sealed bytes, for the caller to compare. */
export async function openStream(sealed: ReadableStream<Uint8Array>, identity: string, most: number, progress: (done: number) => void): Promise<OpenedStream> {
  const outside = sha256.create()
  let size = 0
  let start: Bytes | undefined = new Uint8Array()
  const checked = sealed.pipeThrough(new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, out) {
      outside.update(chunk)
      size += chunk.length
      if (size > most) throw new Bad('the file is longer than it says')
      if (start) {
        start = concat(start, chunk)
        if (start.length >= headerSize) {
          checkSealed(start)
          start = undefined
        }
      }
      out.enqueue(chunk)
      progress(size)
    },
  }))
  const d = new Decrypter()
  d.addIdentity(identity)
  const reader = (await d.decrypt(checked)).getReader()
  const first = await reader.read()
  if (first.done) throw new Bad('the content has no header')
  const { header, lines, length } = splitHeader(first.value)
  const body = new Body(header)
  body.take(first.value.subarray(length))
  for (let read = await reader.read(); !read.done; read = await reader.read()) body.take(read.value)
  return { header, lines, body: body.end(), size, sha256: b64(outside.digest()) }
}

/** Cuts a body from its padding and checks it, in pieces. */
class Body {
  private readonly header: ContentHeader
  private readonly sum = sha256.create()
  private left: number
  private readonly pieces: Blob[] = []
  private waiting: Bytes[] = []
  private size = 0

  constructor(header: ContentHeader) {
    this.header = header
    this.left = header.size
  }

  take(chunk: Uint8Array): void {
    const part = chunk.slice(0, this.left) as Bytes
    this.left -= part.length
    this.sum.update(part)
    this.waiting.push(part)
    this.size += part.length
    if (this.size >= pieceSize) this.flush()
  }

  private flush(): void {
    this.pieces.push(new Blob(this.waiting))
    this.waiting = []
    this.size = 0
  }

  end(): Blob {
    if (this.left > 0 || b64(this.sum.digest()) !== this.header.sha256) throw new Bad('the body does not have the size and hash its header says')
    this.flush()
    return new Blob(this.pieces)
  }
}
