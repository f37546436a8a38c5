// Takes the pictures of a camera, and gives back such in which only the person is left of them. It has a policy of its
// own (server/middleware.go): it may run the small program in kernels.wat, and talk to nobody but this origin.
//
// Until the model is here, and when anything goes wrong, what it gives back shows nothing of the camera's at all. There
// is no way through it for a picture as it came.

import kernels from './background/kernels.wat'
import { readModel } from './background/model.ts'
import { Network } from './background/network.ts'
import { Pace } from './background/pace.ts'
import { Pictures, type Behind, type Seen } from './background/picture.ts'
import model from '@mediapipe/selfie_segmentation/selfie_segmentation_landscape.tflite'

/** Why there is no picture: the device is too slow for it, or something broke. */
export type Failure = 'slow' | 'broken'

export type ToWorker =
  | { readonly kind: 'behind'; readonly behind: Behind }
  | { readonly kind: 'out'; readonly frames: WritableStream<VideoFrame> }  // where pictures go
  | { readonly kind: 'in'; readonly frames: ReadableStream<VideoFrame> }   // where they come from, from now on
  | { readonly kind: 'picture'; readonly picture: ImageBitmap }            // or one by one, answered each

export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly why: Failure }
  | { readonly kind: 'picture'; readonly picture?: ImageBitmap }           // none: it was not time for one

const pictures = new Pictures('blur')
const pace = new Pace()
let writer: WritableStreamDefaultWriter<VideoFrame> | undefined
let reader: ReadableStreamDefaultReader<VideoFrame> | undefined
const post = (message: FromWorker, transfer: Transferable[] = []): void => postMessage(message, { transfer })

addEventListener('message', (event: MessageEvent<ToWorker>) => {
  const m = event.data
  switch (m.kind) {
    case 'behind': pictures.behind = m.behind; break
    case 'out': writer = m.frames.getWriter(); break
    case 'in': follow(m.frames).catch(() => fail('broken')); break
    case 'picture': {
      const made = make(m.picture)
      m.picture.close()
      const picture = made?.transferToImageBitmap()
      if (picture) post({ kind: 'picture', picture }, [picture])
      else post({ kind: 'picture' })
    }
  }
})

load().catch(() => fail('broken'))

async function load(): Promise<void> {
  const answer = await fetch(model)
  if (!answer.ok) throw new Error(`the model cannot be had: ${answer.status}`)
  const file = readModel(new Uint8Array(await answer.arrayBuffer()))
  pictures.open(new Network(file, await WebAssembly.compile(kernels)))
  post({ kind: 'ready' })
}

function fail(why: Failure): void {
  pictures.close()
  post({ kind: 'failed', why })
}

/** The pictures of one camera, until it ends or another takes its place. */
async function follow(frames: ReadableStream<VideoFrame>): Promise<void> {
  const mine = frames.getReader()
  void reader?.cancel().catch(() => undefined) // of the camera before; it has ended if that fails
  reader = mine
  for (;;) {
    const { value: frame } = await mine.read()
    if (!frame) return
    try {
      if (make(frame)) await writer?.write(pictures.frame(frame.timestamp))
    } finally {
      frame.close()
    }
  }
}

/** What is shown instead of a picture, if it is time for one. */
function make(seen: Seen): OffscreenCanvas | undefined {
  const begun = performance.now()
  if (!pace.due(begun)) return undefined
  if (!pictures.isOpen) return pictures.empty(seen)
  try {
    const made = pictures.draw(seen)
    if (pace.took(begun, performance.now() - begun) === 'fine') return made
    fail('slow')
  } catch {
    fail('broken')
  }
  return pictures.empty(seen)
}
