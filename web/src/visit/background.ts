// What others see behind someone in a visit: their room as it is, blurred, or a drawn one. It is done on the device
// (background.worker.ts), by code and a model of Ward's own origin that come only when someone asks for it.
//
// The rule: while a background is chosen, no picture leaves as it came. Until the model is here a drawn figure is sent,
// and when it cannot be done a figure is sent too, and `failed` is called, so that the call turns the camera off and
// says so. LiveKit keeps the processor through muting and a change of camera. At the start of a call give it with the
// camera, setCameraEnabled(true, { processor }), not afterwards: what was published before was seen.

import type { LocalVideoTrack, Track, TrackProcessor, VideoProcessorOptions } from 'livekit-client'
import { useState } from 'preact/hooks'
import { scriptURL } from '../trusted.ts'
import type { Behind } from './background/picture.ts'
import type { Failure, FromWorker, ToWorker } from './background.worker.ts'

export type { Failure }
export type Background = 'none' | Behind
export const backgrounds: readonly Background[] = ['none', 'blur', 'room']

/** A processor for LiveKit's setProcessor or camera options. */
export interface BackgroundProcessor extends TrackProcessor<Track.Kind.Video> {
  processedTrack?: MediaStreamTrack
  /** Another background, at once. */
  choose(behind: Behind): void
  /** init() and destroy(), for a camera without LiveKit: a look before the visit. */
  start(camera: MediaStreamTrack): MediaStreamTrack
  stop(): void
}

/** What Chromium has for pictures outside of a page, which TypeScript does not know. */
interface Streams {
  readonly MediaStreamTrackProcessor?: new (init: { track: MediaStreamTrack; maxBufferSize?: number }) => { readonly readable: ReadableStream<VideoFrame> }
  readonly MediaStreamTrackGenerator?: new (init: { kind: 'video' }) => MediaStreamTrack & { readonly writable: WritableStream<VideoFrame> }
}
const streams = globalThis as Streams

const canStream = (): boolean => !!streams.MediaStreamTrackProcessor && !!streams.MediaStreamTrackGenerator
const canCapture = (): boolean => typeof HTMLCanvasElement !== 'undefined' && 'captureStream' in HTMLCanvasElement.prototype

/** Whether this browser can do it. Whether the device is quick enough shows only when it is tried. */
export async function backgroundsSupported(): Promise<boolean> {
  if (typeof Worker === 'undefined' || typeof WebAssembly === 'undefined' || typeof OffscreenCanvas === 'undefined') return false
  if (!canStream() && !canCapture()) return false
  try {
    return new OffscreenCanvas(1, 1).getContext('2d') !== null
  } catch {
    return false
  }
}

/** Puts a background behind whoever is before the camera. failed is called once, and from then on only a figure is sent. */
export function backgroundProcessor(behind: Behind, failed: (why: Failure) => void): BackgroundProcessor {
  return new Processor(behind, failed)
}

/** Changes what is behind someone whose camera is on already. */
export async function setBackground(camera: LocalVideoTrack, background: Background, failed: (why: Failure) => void): Promise<void> {
  const now = camera.getProcessor()
  if (background === 'none') return camera.stopProcessor()
  if (now instanceof Processor) return now.choose(background)
  try {
    await camera.setProcessor(backgroundProcessor(background, failed))
  } catch {
    failed('broken')
  }
}

/** How often a picture is taken where the browser gives no stream of them, in milliseconds. The worker keeps its own pace within. */
const takeEvery = 50
/** What a camera gives when it does not say how large its pictures are. */
const usual = { width: 640, height: 480 }

class Processor implements BackgroundProcessor {
  readonly name = 'ward-background'
  processedTrack?: MediaStreamTrack
  private behind: Behind
  private readonly failed: (why: Failure) => void
  private worker: Worker | undefined
  private taking: Taking | undefined
  private broken = false

  constructor(behind: Behind, failed: (why: Failure) => void) {
    this.behind = behind
    this.failed = failed
  }

  async init({ track }: VideoProcessorOptions): Promise<void> { this.start(track) }

  start(camera: MediaStreamTrack): MediaStreamTrack {
    this.stop()
    const worker = new Worker(scriptURL('background'), { type: 'module' })
    this.worker = worker
    this.broken = false
    worker.addEventListener('error', () => this.fail(worker, 'broken'))
    worker.addEventListener('message', (event: MessageEvent<FromWorker>) => {
      if (event.data.kind === 'failed') this.fail(worker, event.data.why)
    })
    this.tell({ kind: 'behind', behind: this.behind })
    if (canStream()) {
      const generator = new streams.MediaStreamTrackGenerator!({ kind: 'video' })
      this.tell({ kind: 'out', frames: generator.writable }, [generator.writable])
      this.processedTrack = generator
    } else {
      this.taking = new Taking(worker)
      this.processedTrack = this.taking.track
    }
    this.follow(camera)
    return this.processedTrack
  }

  /** Another camera, or the same one after it was off. What failed before is tried again. */
  async restart(options: VideoProcessorOptions): Promise<void> {
    if (this.worker && !this.broken) this.follow(options.track)
    else this.start(options.track)
  }

  async destroy(): Promise<void> { this.stop() }

  stop(): void {
    this.worker?.terminate()
    this.worker = undefined
    this.taking?.stop()
    this.taking = undefined
    this.processedTrack?.stop()
    delete this.processedTrack
  }

  choose(behind: Behind): void {
    this.behind = behind
    this.tell({ kind: 'behind', behind })
  }

  private follow(track: MediaStreamTrack): void {
    if (track.readyState === 'ended') return // the camera is off; restart() comes with it when it is on
    if (this.taking) {
      this.taking.follow(track)
      return
    }
    const { readable } = new streams.MediaStreamTrackProcessor!({ track, maxBufferSize: 1 })
    this.tell({ kind: 'in', frames: readable }, [readable])
  }

  private fail(worker: Worker, why: Failure): void {
    if (worker !== this.worker || this.broken) return
    this.broken = true
    this.failed(why)
  }

  private tell(message: ToWorker, transfer: Transferable[] = []): void { this.worker?.postMessage(message, transfer) }
}

/** Takes pictures from a video and draws what comes back, for browsers that give no stream of pictures. */
class Taking {
  readonly track: MediaStreamTrack
  private readonly worker: Worker
  private readonly video = document.createElement('video')
  private readonly canvas = document.createElement('canvas')
  private timer: ReturnType<typeof setTimeout> | undefined
  private stopped = false

  constructor(worker: Worker) {
    this.worker = worker
    Object.assign(this.canvas, usual)
    const to = this.canvas.getContext('2d')
    const [track] = this.canvas.captureStream().getVideoTracks()
    if (!to || !track) throw new Error('this browser makes no video of a drawing')
    this.track = track
    this.video.muted = true
    this.video.playsInline = true
    worker.addEventListener('message', (event: MessageEvent<FromWorker>) => {
      const m = event.data
      if (m.kind !== 'picture') return
      if (m.picture) {
        if (this.canvas.width !== m.picture.width) this.canvas.width = m.picture.width
        if (this.canvas.height !== m.picture.height) this.canvas.height = m.picture.height
        to.drawImage(m.picture, 0, 0)
        m.picture.close()
      }
      this.later()
    })
  }

  follow(track: MediaStreamTrack): void {
    this.video.srcObject = new MediaStream([track])
    void this.video.play().catch(() => undefined) // it plays when the browser lets it; until then there is no picture
    this.later()
  }

  stop(): void {
    this.stopped = true
    clearTimeout(this.timer)
    this.video.srcObject = null
  }

  private later(): void {
    clearTimeout(this.timer)
    if (!this.stopped) this.timer = setTimeout(() => void this.take(), takeEvery)
  }

  private async take(): Promise<void> {
    if (this.video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) {
      this.later()
      return
    }
    const picture = await createImageBitmap(this.video).catch(() => undefined)
    if (!picture) this.later()
    else if (this.stopped) picture.close()
    else this.worker.postMessage({ kind: 'picture', picture } satisfies ToWorker, [picture])
  }
}

// What someone chose last is kept on the device, like how they like their screen. It says nothing about anyone.

const name = 'ward-background'
let chosen: Background | undefined // in this page, which counts also where storage is closed

export function keptBackground(): Background {
  if (chosen) return chosen
  try {
    return backgrounds.find((b) => b === localStorage.getItem(name)) ?? 'none'
  } catch {
    return 'none' // storage is closed
  }
}

export function keepBackground(background: Background): void {
  chosen = background
  try {
    localStorage.setItem(name, background)
  } catch {
    // it lasts until the page is closed
  }
}

/** What was chosen, and a way to choose that is kept. */
export function useBackground(): [Background, (background: Background) => void] {
  const [background, set] = useState(keptBackground)
  return [background, (chosen) => {
    keepBackground(chosen)
    set(chosen)
  }]
}
