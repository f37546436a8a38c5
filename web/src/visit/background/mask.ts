// From what the model says of each point to what is shown: how much of the person, and what lies behind. Plain
// arithmetic on small pictures, so that it is the same in every browser.

/** Below the first a point is background, above the second it is the person; between them the edge is soft. */
const edge = [0.3, 0.7] as const
/** How much of the newest answer counts, so that the edge does not tremble. What a person just left drops below the edge at once. */
const newest = 0.75

/** Brings what was known of each point nearer to the newest answer, and writes how much of it is seen, 0 to 255. */
export function soften(answer: Float32Array, known: Float32Array, pixels: Uint8ClampedArray): void {
  const [low, high] = edge
  for (let i = 0; i < answer.length; i++) {
    const m = (known[i]! += newest * (answer[i]! - known[i]!))
    const t = m <= low ? 0 : m >= high ? 1 : (m - low) / (high - low)
    pixels[4 * i + 3] = 255 * t * t * (3 - 2 * t)
  }
}

/** How many points each way become one in the blurred picture. */
export const coarse = 4
/** How far the blur reaches each way in a pass, in points of the blurred picture, and how often: a tenth of the picture in all. */
const reach = 2
const passes = 3

/**
 * Blurs what is behind a person. The person does not count in it: otherwise a glow of their own colours would lie around
 * them. Where there is nothing but the person, the mean of all the rest stands.
 */
export function blur(pixels: Uint8ClampedArray, mask: Uint8ClampedArray, width: number, height: number, to: Uint8ClampedArray): void {
  const w = width / coarse
  const h = height / coarse
  const sums = new Float32Array(w * h * 4)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const s = 4 * (y * width + x)
      const at = 4 * ((y / coarse | 0) * w + (x / coarse | 0))
      const behind = 255 - mask[s + 3]!
      for (let c = 0; c < 3; c++) sums[at + c]! += behind * pixels[s + c]!
      sums[at + 3]! += behind
    }
  }
  const mean = [0, 0, 0, 0]
  for (let i = 0; i < sums.length; i++) mean[i & 3]! += sums[i]!
  const other = new Float32Array(sums.length)
  for (let pass = 0; pass < passes; pass++) {
    smear(sums, other, w, h, 4, 4 * w)
    smear(other, sums, h, w, 4 * w, 4)
  }
  // A sliver of the mean everywhere, so that no point is without a colour.
  const sliver = 1e-3 / (w * h)
  for (let i = 0; i < sums.length; i += 4) {
    const all = sums[i + 3]! + sliver * mean[3]! + 1e-6
    for (let c = 0; c < 3; c++) to[i + c] = (sums[i + c]! + sliver * mean[c]!) / all
    to[i + 3] = 255
  }
}

/** Each point becomes the mean of those beside it in its line. At the ends the last point stands for what is beyond. */
function smear(from: Float32Array, to: Float32Array, length: number, lines: number, step: number, line: number): void {
  for (let l = 0; l < lines; l++) {
    for (let i = 0; i < length; i++) {
      const at = l * line + i * step
      for (let c = 0; c < 4; c++) {
        let sum = 0
        for (let d = -reach; d <= reach; d++) sum += from[l * line + Math.min(Math.max(i + d, 0), length - 1) * step + c]!
        to[at + c] = sum / (2 * reach + 1)
      }
    }
  }
}
