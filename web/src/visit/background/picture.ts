// One picture of the camera in, one out in which only the person is left of it. The mask is always of the very picture
// it is laid on: with one of a moment before, the room would show where someone moved away.

import { blur, coarse, soften } from './mask.ts'
import type { Network } from './network.ts'
import { context, nobody, room } from './room.ts'

/** What lies behind the person. */
export type Behind = 'blur' | 'room'

/** A picture of a camera: a frame of a video, or a still one. */
export type Seen = VideoFrame | ImageBitmap

/** The longest side of what is made. A face in a tile needs no more, and each point is worked on. */
const longest = 960

export class Pictures {
  behind: Behind
  private network: Network | undefined
  private small: OffscreenCanvasRenderingContext2D | undefined
  private known = new Float32Array(0)
  private readonly out = context(new OffscreenCanvas(16, 16))
  private readonly mask = context(new OffscreenCanvas(16, 16))
  private readonly soft = context(new OffscreenCanvas(16, 16))
  private readonly room = room()
  private readonly nobody = nobody()

  constructor(behind: Behind) {
    this.behind = behind
  }

  /** From now on people are found. Until then, and after close(), only nobody() can be shown. */
  open(network: Network): void {
    const { width, height } = network
    this.small = context(new OffscreenCanvas(width, height), { willReadFrequently: true })
    this.mask.canvas.width = width
    this.mask.canvas.height = height
    this.soft.canvas.width = width / coarse
    this.soft.canvas.height = height / coarse
    this.known = new Float32Array(width * height)
    this.network = network
  }

  close(): void { this.network = undefined }

  get isOpen(): boolean { return this.network !== undefined }

  /** A picture that shows nothing of the camera's, in its size. */
  empty(seen: Seen): OffscreenCanvas {
    this.fit(seen)
    this.cover(this.nobody)
    return this.out.canvas
  }

  /** The person, and behind them what was chosen. */
  draw(seen: Seen): OffscreenCanvas {
    const { network, small } = this
    if (!network || !small) return this.empty(seen)
    const { width, height } = network
    small.drawImage(seen, 0, 0, width, height)
    const { data: pixels } = small.getImageData(0, 0, width, height)
    for (let s = 0, i = 0; s < pixels.length; s += 4) {
      network.input[i++] = pixels[s]! / 255
      network.input[i++] = pixels[s + 1]! / 255
      network.input[i++] = pixels[s + 2]! / 255
    }
    network.run()
    const mask = this.mask.createImageData(width, height)
    soften(network.output, this.known, mask.data)
    this.mask.putImageData(mask, 0, 0)

    const { out } = this
    this.fit(seen)
    const { width: w, height: h } = out.canvas
    out.globalCompositeOperation = 'copy'
    out.drawImage(this.mask.canvas, 0, 0, w, h)
    out.globalCompositeOperation = 'source-in'
    out.drawImage(seen, 0, 0, w, h)
    out.globalCompositeOperation = 'destination-over'
    if (this.behind === 'room') this.cover(this.room)
    else {
      const soft = this.soft.createImageData(width / coarse, height / coarse)
      blur(pixels, mask.data, width, height, soft.data)
      this.soft.putImageData(soft, 0, 0)
      out.drawImage(this.soft.canvas, 0, 0, w, h)
    }
    out.globalCompositeOperation = 'source-over'
    return out.canvas
  }

  /**
   * What was made last, as a frame of the kind that cameras give. Chromium would send a drawing's own kind with colours
   * of the full range, and say so in a part of the packet that a media server does not pass on: others saw them glaring.
   */
  frame(timestamp: number): VideoFrame {
    const { width, height } = this.out.canvas
    const data = planes(this.out.getImageData(0, 0, width, height).data, width, height)
    return new VideoFrame(data, {
      format: 'I420', codedWidth: width, codedHeight: height, timestamp,
      colorSpace: { primaries: 'smpte170m', transfer: 'smpte170m', matrix: 'smpte170m', fullRange: false },
    })
  }

  /** Makes what comes out as large as what comes in, or as what is sent. */
  private fit(seen: Seen): void {
    const [w, h] = 'displayWidth' in seen ? [seen.displayWidth, seen.displayHeight] : [seen.width, seen.height]
    const scale = Math.min(1, longest / Math.max(w, h))
    const { canvas } = this.out
    const width = Math.round((w * scale) / 2) * 2 // colours are kept for two points together
    const height = Math.round((h * scale) / 2) * 2
    if (canvas.width !== width) canvas.width = width
    if (canvas.height !== height) canvas.height = height
    this.out.imageSmoothingEnabled = true
    this.out.imageSmoothingQuality = 'medium'
  }

  /** Fills what comes out with a drawing, cut where the shapes differ. */
  private cover(drawing: OffscreenCanvas): void {
    const { width: w, height: h } = this.out.canvas
    const scale = Math.max(w / drawing.width, h / drawing.height)
    const [dw, dh] = [drawing.width * scale, drawing.height * scale]
    this.out.drawImage(drawing, (w - dw) / 2, (h - dh) / 2, dw, dh)
  }
}

/** Brightness of each point, then two colours of each four, in the limited range of BT.601. */
export function planes(rgba: Uint8ClampedArray, width: number, height: number): Uint8Array<ArrayBuffer> {
  const points = width * height
  const to = new Uint8Array(points * 1.5)
  for (let i = 0, s = 0; i < points; i++, s += 4) to[i] = 16 + ((66 * rgba[s]! + 129 * rgba[s + 1]! + 25 * rgba[s + 2]! + 128) >> 8)
  let u = points
  let v = points * 1.25
  for (let y = 0; y < height; y += 2) {
    for (let x = 0; x < width; x += 2) {
      const s = 4 * (y * width + x)
      const below = s + 4 * width
      const r = (rgba[s]! + rgba[s + 4]! + rgba[below]! + rgba[below + 4]!) >> 2
      const g = (rgba[s + 1]! + rgba[s + 5]! + rgba[below + 1]! + rgba[below + 5]!) >> 2
      const b = (rgba[s + 2]! + rgba[s + 6]! + rgba[below + 2]! + rgba[below + 6]!) >> 2
      to[u++] = 128 + ((112 * b - 74 * g - 38 * r + 128) >> 8)
      to[v++] = 128 + ((112 * r - 94 * g - 18 * b + 128) >> 8)
    }
  }
  return to
}
