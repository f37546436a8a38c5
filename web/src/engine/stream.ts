// Files as streams: hashed, sealed and sent in pieces, so that a gigabyte needs no gigabyte of memory.

import { sha256 } from '@noble/hashes/sha2.js'
import { Encrypter } from 'age-encryption'
import { b64, concat, type Bytes } from '../seal/bytes.ts'
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
  const flush = async (): Promise<void> => {
    const all = concat(...waiting)
    for (let at = 0; at < all.length; at += partSize) await send(all.slice(at, at + partSize))
    waiting = []
    waitingSize = 0
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
    if (waitingSize >= partSize) {
      const all = concat(...waiting)
      const whole = all.length - (all.length % partSize)
      for (let at = 0; at < whole; at += partSize) await send(all.slice(at, at + partSize))
      waiting = [all.slice(whole)]
      waitingSize = all.length - whole
    }
  }
  await flush()
  return { size, sha256: b64(sum.digest()) }
}
