// Runs a model on a picture: for each point, how surely it is part of a person. The steps are few and small, so they
// are written out here and in kernels.wat rather than taken from a runtime of several megabytes that reports to its
// maker (docs/decisions/0006). Numbers lie in rows of points, each point with its channels side by side.
//
// A picture of any shape is squeezed into the model's own, also a tall one: that was tried on photographs against the
// model run at other sizes, and against the same maker's model for squares, and kept arms and shoulders best.

import { BadModel, type Model, type Step, type Tensor } from './model.ts'

interface Size { readonly h: number; readonly w: number; readonly c: number }
/** Where a tensor lies in the memory, in numbers of four bytes. */
interface Block extends Size { readonly at: number; readonly count: number }
interface Weights { readonly shape: readonly number[]; readonly at: number; readonly count: number }

/** kernels.wat. Addresses are in bytes. */
interface Kernels {
  matrix(a: number, w: number, bias: number, to: number, rows: number, inner: number, columns: number, floor: number): void
  depthwise(
    a: number, w: number, bias: number, to: number, h: number, v: number, channels: number,
    toH: number, toV: number, window: number, stride: number, top: number, left: number, floor: number,
  ): void
  add(a: number, b: number, to: number, count: number, period: number): void
  multiply(a: number, b: number, to: number, count: number, period: number): void
  relu(a: number, to: number, count: number): void
  hardSwish(a: number, to: number, count: number): void
}

/** How many numbers the kernels take at once. Every count of channels divides by it but the picture's and the mask's. */
const lanes = 4
const pageBytes = 65_536
/** More than the model in use needs (18 MB), and less than would hurt a small phone. */
const maxBytes = 64 << 20

export class Network {
  readonly width: number
  readonly height: number
  /** Red, green and blue of each point, from 0 to 1, are put here. */
  readonly input: Float32Array
  /** What comes out: one number for each point, from 0 to 1. */
  readonly output: Float32Array
  private readonly steps: readonly (() => void)[]
  private readonly numbers: Float32Array
  private readonly kernels: Kernels
  private taken = 0

  constructor(model: Model, kernels: WebAssembly.Module) {
    const [, h = 0, w = 0] = model.tensors[model.input]?.shape ?? []
    const blocks = new Map<number, Block>([[model.input, this.room({ h, w, c: 3 })]])
    const kept = new Map<Tensor, Weights>()
    const of = (index: number): Block => {
      const b = blocks.get(index)
      if (!b) throw new BadModel('a step before what it needs')
      return b
    }
    const weights = (index: number, turned: boolean): Weights => {
      const t = model.tensors[index]
      if (!t?.data) throw new BadModel('weights that are not there')
      const known = kept.get(t)
      if (known) return known
      const [rows = 1, ...rest] = t.shape
      const data = turned ? transpose(t.data, rows, rest.reduce((a, n) => a * n, 1)) : t.data
      const w = { shape: t.shape, at: this.take(data.length), count: data.length }
      kept.set(t, w)
      stored.push([w.at, data])
      return w
    }
    const stored: [number, Float32Array][] = []
    const steps = []
    for (const step of model.steps) {
      const { to, work } = this.plan(step, of, (i, turned = false) => weights(step.from[i] ?? -1, turned))
      if ([1, to.h, to.w, to.c].join() !== model.tensors[step.to]?.shape.join()) throw new BadModel('a step that makes another size than it says')
      blocks.set(step.to, to)
      steps.push(work)
    }
    const into = of(model.input)
    const out = of(model.output)
    if (into.count === 0 || out.h !== h || out.w !== w || out.c !== 1) throw new BadModel('something else than a mask comes out')

    // All room was taken above, so the memory never grows, and running takes none.
    const memory = new WebAssembly.Memory({ initial: Math.ceil((this.taken * 4) / pageBytes) })
    this.numbers = new Float32Array(memory.buffer)
    for (const [at, data] of stored) this.numbers.set(data, at)
    this.kernels = new WebAssembly.Instance(kernels, { network: { memory } }).exports as unknown as Kernels
    this.steps = steps
    this.width = w
    this.height = h
    this.input = this.view(into)
    this.output = this.view(out)
  }

  /** Works the output out from the input. */
  run(): void {
    for (const step of this.steps) step()
  }

  private take(count: number): number {
    const at = this.taken
    this.taken += Math.ceil(count / lanes) * lanes
    if (this.taken * 4 > maxBytes) throw new BadModel('a model too large for a phone')
    return at
  }

  /** Room for a block, and for rows up to a number that divides by four, since the matrix kernel takes four at a time. */
  private room(size: Size): Block {
    const points = Math.ceil((size.h * size.w) / lanes) * lanes
    return { ...size, at: this.take(points * size.c), count: size.h * size.w * size.c }
  }

  private view(b: { at: number; count: number }): Float32Array { return this.numbers.subarray(b.at, b.at + b.count) }

  /** What a step makes, and how. */
  private plan(step: Step, of: (tensor: number) => Block, weights: (i: number, turned?: boolean) => Weights): { to: Block; work: () => void } {
    const a = of(step.from[0] ?? -1)
    const floor = step.relu ? 0 : -Infinity
    const like = (size: Partial<Size> = {}): Block => this.room({ h: a.h, w: a.w, c: a.c, ...size })
    const smaller = { h: Math.ceil(a.h / step.stride), w: Math.ceil(a.w / step.stride) }
    switch (step.does) {
      case 'conv': {
        const w = weights(1, true)
        const [out = 0, kh = 0, kw = 0, c = 0] = w.shape
        const bias = weights(2)
        if (c !== a.c || bias.count !== out || out % lanes !== 0) throw new BadModel('weights that do not fit')
        const to = like({ ...smaller, c: out })
        const inner = kh * kw * c
        const points = to.h * to.w
        if (inner === c && step.stride === 1) {
          return { to, work: () => this.kernels.matrix(a.at * 4, w.at * 4, bias.at * 4, to.at * 4, points, inner, out, floor) }
        }
        const rows = like({ ...smaller, c: inner })
        return {
          to,
          work: () => {
            windows(this.numbers, a, rows, to, kh, kw, step.stride)
            this.kernels.matrix(rows.at * 4, w.at * 4, bias.at * 4, to.at * 4, points, inner, out, floor)
          },
        }
      }
      case 'depthwise': {
        const w = weights(1)
        const [, window = 0, across = 0, c = 0] = w.shape
        const bias = weights(2)
        if (c !== a.c || bias.count !== c || window !== across || c % lanes !== 0) throw new BadModel('weights that do not fit')
        const to = like(smaller)
        const top = margin(a.h, to.h, window, step.stride)
        const left = margin(a.w, to.w, window, step.stride)
        return {
          to,
          work: () => this.kernels.depthwise(a.at * 4, w.at * 4, bias.at * 4, to.at * 4, a.h, a.w, c, to.h, to.w, window, step.stride, top, left, floor),
        }
      }
      case 'deconv': {
        const w = weights(1)
        const bias = weights(2)
        if (w.shape.join() !== [1, 2, 2, a.c].join() || bias.count !== 1) throw new BadModel('weights that do not fit')
        const to = like({ h: a.h * 2, w: a.w * 2, c: 1 })
        return { to, work: () => spread(this.view(a), a, this.view(w), this.view(bias)[0]!, this.view(to)) }
      }
      case 'add':
      case 'mul': {
        const b = of(step.from[1] ?? -1)
        const whole = b.h === a.h && b.w === a.w
        if (b.c !== a.c || a.c % lanes !== 0 || step.relu || !(whole || (b.h === 1 && b.w === 1))) throw new BadModel('blocks that do not fit')
        const to = like()
        const kernel = step.does === 'mul' ? 'multiply' : 'add'
        return { to, work: () => this.kernels[kernel](a.at * 4, b.at * 4, to.at * 4, a.count, b.count) }
      }
      case 'mean': {
        const to = like({ h: 1, w: 1 })
        return { to, work: () => mean(this.view(a), this.view(to)) }
      }
      case 'double': {
        const to = like({ h: a.h * 2, w: a.w * 2 })
        return { to, work: () => double(this.view(a), a, this.view(to), to) }
      }
      case 'relu':
      case 'hardSwish': {
        if (a.c % lanes !== 0) throw new BadModel('blocks that do not fit')
        const to = like()
        const kernel = step.does
        return { to, work: () => this.kernels[kernel](a.at * 4, to.at * 4, a.count) }
      }
      case 'sigmoid': {
        const to = like()
        return { to, work: () => sigmoid(this.view(a), this.view(to)) }
      }
    }
  }
}

function transpose(w: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(w.length)
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) turned[c * rows + r] = w[r * columns + c]!
  return turned
}

/** How far a window reaches over the first edge. It reaches as far over both, or one point more over the last. */
function margin(from: number, to: number, window: number, stride: number): number {
  return Math.floor(Math.max((to - 1) * stride + window - from, 0) / 2)
}

/** Lays the points that each window sees in a row of their own, so that a matrix product does the rest. Outside is zero. */
function windows(numbers: Float32Array, a: Block, rows: Block, to: Size, kh: number, kw: number, stride: number): void {
  const top = margin(a.h, to.h, kh, stride)
  const left = margin(a.w, to.w, kw, stride)
  let at = rows.at
  for (let y = 0; y < to.h; y++) {
    for (let x = 0; x < to.w; x++) {
      for (let j = 0; j < kh; j++) {
        const row = y * stride + j - top
        for (let i = 0; i < kw; i++) {
          const column = x * stride + i - left
          const inside = row >= 0 && row < a.h && column >= 0 && column < a.w
          for (let c = 0, s = a.at + (row * a.w + column) * a.c; c < a.c; c++) numbers[at++] = inside ? numbers[s + c]! : 0
        }
      }
    }
  }
}

/** Each point becomes four, each with weights of its own. */
function spread(from: Float32Array, { h, w, c }: Size, weights: Float32Array, bias: number, to: Float32Array): void {
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const s = (y * w + x) * c
      for (let part = 0; part < 4; part++) {
        let sum = bias
        for (let k = 0; k < c; k++) sum += from[s + k]! * weights[part * c + k]!
        to[(2 * y + (part >> 1)) * 2 * w + 2 * x + (part & 1)] = sum
      }
    }
  }
}

/** Twice the size. The centres of points stay where they are, so each new one lies a quarter from the nearest old one. */
function double(from: Float32Array, { h, w, c }: Size, to: Float32Array, size: Size): void {
  for (let y = 0; y < size.h; y++) {
    const near = y >> 1
    const far = Math.min(Math.max(near + (y & 1 ? 1 : -1), 0), h - 1)
    for (let x = 0; x < size.w; x++) {
      const beside = x >> 1
      const beyond = Math.min(Math.max(beside + (x & 1 ? 1 : -1), 0), w - 1)
      const s0 = (near * w + beside) * c, s1 = (near * w + beyond) * c
      const s2 = (far * w + beside) * c, s3 = (far * w + beyond) * c
      const at = (y * size.w + x) * c
      for (let k = 0; k < c; k++) to[at + k] = (9 * from[s0 + k]! + 3 * from[s1 + k]! + 3 * from[s2 + k]! + from[s3 + k]!) / 16
    }
  }
}

function mean(from: Float32Array, to: Float32Array): void {
  to.fill(0)
  for (let s = 0; s < from.length;) for (let k = 0; k < to.length; k++, s++) to[k]! += from[s]!
  const points = from.length / to.length
  for (let k = 0; k < to.length; k++) to[k]! /= points
}

function sigmoid(from: Float32Array, to: Float32Array): void {
  for (let i = 0; i < from.length; i++) to[i] = 1 / (1 + Math.exp(-from[i]!))
}
