// Seals and opens frames between the codec and the network, off the main thread. Keys come in; nothing goes out but
// sealed frames, opened frames, and counts of what was not let through. There is no way through it in the clear.

import { BadFrame, Receivers, Sender, type Fault } from './sframe.ts'

/** Which stream: one that I send, or one of another member; '' until it is known of whom. */
export interface StreamOf { readonly id: string; readonly side: 'send' | 'receive'; readonly participant: string }

export type ToWorker =
  | { readonly kind: 'stream'; readonly of: StreamOf; readonly readable: ReadableStream; readonly writable: WritableStream }
  | { readonly kind: 'assign'; readonly id: string; readonly participant: string } // a receiver that is used again
  | {
    readonly kind: 'keys'; readonly epoch: bigint; readonly switchAfter: number
    readonly own: { readonly leaf: number; readonly key: Uint8Array }
    readonly others: readonly { readonly participant: string; readonly leaf: number; readonly key: Uint8Array }[]
  }
  | { readonly kind: 'forget' }

export type FromWorker =
  | { readonly kind: 'counts'; readonly participant: string; readonly opened: number; readonly refused: Partial<Record<Fault, number>> }
  | { readonly kind: 'sending'; readonly epoch: bigint }

/** A frame as WebRTC gives it: a video frame has a type, sound has none. */
interface Frame { data: ArrayBuffer; readonly type?: 'key' | 'delta' | 'empty' }

// What stays in the clear is what the media server and the depacketiser of VP8 read: the frame header. It is
// authenticated. Sound, with its redundancy, is sealed whole.
const clearOfKey = 10
const clearOfDelta = 3
const clearOf = (frame: Frame): number => (frame.type === undefined ? 0 : frame.type === 'key' ? clearOfKey : clearOfDelta)

/** For how long frames of the epoch before are still opened: they were on their way, in milliseconds. */
const grace = 3000
/** How often counts are told, in milliseconds. */
const countEvery = 500

let sender: Sender | undefined
let latest = -1n
let waiting = false // to seal with the keys of an epoch that others have to learn of
let life = 0 // of the group: a new one begins at epoch 0 again
const receivers = new Receivers()
const streams = new Map<string, Stream>()
const counts = new Map<string, { opened: number; refused: Partial<Record<Fault, number>> }>()
const heardOf = new Set<string>() // participants of whom something was opened
const post = (message: FromWorker): void => postMessage(message)

function count(participant: string, fault?: Fault): void {
  let c = counts.get(participant)
  if (!c) counts.set(participant, (c = { opened: 0, refused: {} }))
  if (fault === undefined) c.opened++
  else c.refused[fault] = (c.refused[fault] ?? 0) + 1
  if (fault !== undefined || heardOf.has(participant)) return
  heardOf.add(participant)
  tell() // who is waited for is shown with their first frame
}

setInterval(tell, countEvery)

function tell(): void {
  for (const [participant, c] of counts) post({ kind: 'counts', participant, ...c })
  counts.clear()
}

async function outgoing(frame: Frame, controller: TransformStreamDefaultController<Frame>): Promise<void> {
  if (!sender) return // without a key nothing leaves
  const data = new Uint8Array(frame.data)
  const clear = data.subarray(0, clearOf(frame))
  const sealed = await sender.seal(clear, data.subarray(clear.length))
  const out = new Uint8Array(clear.length + sealed.length)
  out.set(clear)
  out.set(sealed, clear.length)
  frame.data = out.buffer
  controller.enqueue(frame)
}

interface Stream { participant: string; readonly known: Promise<void>; know(): void }

function incoming(stream: Stream) {
  return async (frame: Frame, controller: TransformStreamDefaultController<Frame>): Promise<void> => {
    if (stream.participant === '') await stream.known // the browser keeps some frames and drops the rest
    const { participant } = stream
    try {
      const data = new Uint8Array(frame.data)
      const clear = data.subarray(0, clearOf(frame))
      const opened = await receivers.open(participant, clear, data.subarray(clear.length))
      const out = new Uint8Array(clear.length + opened.length)
      out.set(clear)
      out.set(opened, clear.length)
      frame.data = out.buffer
      count(participant)
      controller.enqueue(frame)
    } catch (error) {
      count(participant, error instanceof BadFrame ? error.fault : 'forged')
    }
  }
}

function pipe(of: StreamOf, readable: ReadableStream, writable: WritableStream): void {
  let know = (): void => undefined
  const known = new Promise<void>((resolve) => { know = resolve })
  const stream: Stream = { participant: of.participant, known, know }
  streams.set(of.id, stream)
  const transform = new TransformStream<Frame, Frame>({ transform: of.side === 'send' ? outgoing : incoming(stream) })
  readable.pipeThrough(transform).pipeTo(writable).catch(() => undefined).finally(() => streams.delete(of.id)) // the track has ended
}

async function rekey(keys: Extract<ToWorker, { kind: 'keys' }>): Promise<void> {
  if (keys.epoch <= latest) return
  const before = latest
  latest = keys.epoch
  for (const o of keys.others) await receivers.add(o.participant, o.key, keys.epoch, o.leaf)
  const here = new Set(keys.others.map((o) => o.participant))
  receivers.forget(before, (participant) => !here.has(participant))
  const during = life
  setTimeout(() => { if (life === during) receivers.forget(latest, () => false) }, grace)
  const mine = await Sender.of(keys.own.key, keys.epoch, keys.own.leaf)
  keys.own.key.fill(0)
  for (const o of keys.others) o.key.fill(0)
  const take = (): void => {
    if (life !== during || latest !== keys.epoch) return
    sender = mine
    post({ kind: 'sending', epoch: keys.epoch })
  }
  // The others learn of the epoch at about the same time; until they have, they would miss what is sealed with it.
  // Whoever waited for one epoch and hears of the next waits no longer, or a member could keep everyone waiting.
  if (sender && keys.switchAfter > 0 && !waiting) {
    waiting = true
    setTimeout(() => {
      waiting = false
      take()
    }, keys.switchAfter)
  } else take()
}

let rekeying = Promise.resolve()

addEventListener('message', (event: MessageEvent<ToWorker>) => {
  const message = event.data
  if (message.kind === 'stream') pipe(message.of, message.readable, message.writable)
  if (message.kind === 'assign') {
    const stream = streams.get(message.id)
    if (stream) {
      stream.participant = message.participant
      stream.know()
    }
  }
  if (message.kind === 'keys') rekeying = rekeying.then(() => rekey(message))
  if (message.kind === 'forget') rekeying = rekeying.then(() => {
    life++
    latest = -1n
    sender = undefined
    receivers.forget(1n << 63n, () => true)
  })
})

// Firefox and Safari hand streams over this way (W3C WebRTC Encoded Transform).
addEventListener('rtctransform', (event: Event) => {
  const { transformer } = event as Event & { transformer: { options: StreamOf; readable: ReadableStream; writable: WritableStream } }
  pipe(transformer.options, transformer.readable, transformer.writable)
})
