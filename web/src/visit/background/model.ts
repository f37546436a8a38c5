// Reads a model from a TensorFlow Lite file: a FlatBuffer (tables with fields that may be absent) of tensors, weights and
// the steps between them. Only what the model in use has is understood (docs/decisions/0006); anything else is refused
// here, before a picture is seen. Numbers that point outside the file throw, since DataView does.

/** What a step does, in the format's own words. */
export type Operation = 'conv' | 'depthwise' | 'deconv' | 'add' | 'mul' | 'mean' | 'relu' | 'hardSwish' | 'sigmoid' | 'double'

/** A tensor: what was learned, or, without data, what is worked out on the way. Shapes are height, width, channels. */
export interface Tensor { readonly shape: readonly number[]; readonly data?: Float32Array }

export interface Step {
  readonly does: Operation
  readonly from: readonly number[]   // tensors it reads: the picture first, then weights and bias
  readonly to: number                // the tensor it makes
  readonly stride: number
  readonly relu: boolean             // whether what is below zero becomes zero at its end
}

export interface Model { readonly tensors: readonly Tensor[]; readonly steps: readonly Step[]; readonly input: number; readonly output: number }

/** The file is not a model that can be run here. */
export class BadModel extends Error {}

// The numbers of the format's schema.
const operators: Record<number, Operation> = {
  0: 'add', 3: 'conv', 4: 'depthwise', 14: 'sigmoid', 18: 'mul', 19: 'relu', 23: 'double', 32: 'deconv', 40: 'mean', 117: 'hardSwish',
}
const dequantize = 6 // from weights kept with half the bits; done once, while reading
const custom = 32
const customName = 'Convolution2DTransposeBias'
const float32 = 0
const float16 = 1

/** More than the model in use has, and little enough that a broken file ends soon. */
const maxItems = 4096

export function readModel(bytes: Uint8Array): Model {
  const file = new File(bytes)
  if (file.mark() !== 'TFL3') throw new BadModel('not a TensorFlow Lite file')
  const root = file.table(0)
  const codes = root.tables(1).map((t) => {
    const code = Math.max(t.byte(0), t.int(3)) // the small field came first, the wide one took over
    if (code === custom && t.text(1) !== customName) throw new BadModel('a custom step that is not known')
    return code
  })
  const graph = one(root.tables(2))
  const buffers = root.tables(4)
  const stored = graph.tables(0).map((t) => ({ shape: t.ints(0), type: t.byte(1), bytes: buffers[t.int(2)]?.bytes(0) }))
  const tensors: Tensor[] = stored.map(({ shape, type, bytes: b }) => {
    if (shape.some((n) => n < 1)) throw new BadModel('a tensor without size')
    if (!b || b.length === 0 || (type !== float32 && type !== float16)) return { shape }
    const data = type === float32 ? floats(b) : halves(b)
    if (data.length !== shape.reduce((a, n) => a * n, 1)) throw new BadModel('a tensor of another size than it says')
    return { shape, data }
  })

  const steps: Step[] = []
  for (const t of graph.tables(3)) {
    const code = codes[t.int(0)] ?? -1
    const from = t.ints(1)
    const to = one(t.ints(2))
    for (const i of [...from, to]) if (i < 0 || i >= tensors.length) throw new BadModel('a step of a tensor that is not there')
    if (code === dequantize) {
      tensors[to] = tensors[from[0]!]!
      continue
    }
    const does = operators[code]
    if (!does) throw new BadModel(`step ${code} is not known`)
    steps.push({ does, from, to, ...options(does, t) })
  }
  const inputs = graph.ints(1)
  const outputs = graph.ints(2)
  return { tensors, steps, input: one(inputs), output: one(outputs) }
}

/** What else a step says of itself. Where it says what is not done here, it is refused. */
function options(does: Operation, t: Table): Pick<Step, 'stride' | 'relu'> {
  const o = t.child(4)
  switch (does) {
    case 'conv':
    case 'depthwise': {
      const stride = o?.int(1) ?? 0
      if (!o || stride < 1 || stride > 2 || o.int(2) !== stride) throw new BadModel('a stride that is not known')
      if (o.int(does === 'conv' ? 4 : 5) > 1) throw new BadModel('a window with gaps')
      return { stride, relu: relu(o.byte(does === 'conv' ? 3 : 4)) }
    }
    case 'double':
      // Points are squares with a centre, and the corners are not pulled to the corners.
      if (!o || o.byte(2) !== 0 || o.byte(3) !== 1) throw new BadModel('a way to enlarge that is not known')
      return { stride: 1, relu: false }
    case 'add': case 'mul': return { stride: 1, relu: relu(o?.byte(0) ?? 0) }
    case 'deconv': return { stride: 2, relu: false }
    default: return { stride: 1, relu: false }
  }
}

function relu(activation: number): boolean {
  if (activation > 1) throw new BadModel('an activation that is not known')
  return activation === 1
}

function one<T>(list: readonly T[]): T {
  const [only] = list
  if (only === undefined || list.length !== 1) throw new BadModel('one was expected')
  return only
}

function floats(b: Uint8Array): Float32Array {
  if (b.length % 4 !== 0) throw new BadModel('weights of another size than they say')
  return new Float32Array(b.slice().buffer)
}

/** Numbers of 16 bits: a sign, five bits of exponent, ten of fraction. */
function halves(b: Uint8Array): Float32Array {
  if (b.length % 2 !== 0) throw new BadModel('weights of another size than they say')
  return Float32Array.from(new Uint16Array(b.slice().buffer), (h) => {
    const exponent = (h >> 10) & 31
    const fraction = h & 1023
    if (exponent === 31) throw new BadModel('a weight that is no number')
    const size = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15)
    return h >> 15 ? -size : size
  })
}

/** A FlatBuffer: every address in it is relative to where it stands. */
class File {
  readonly view: DataView
  readonly bytes: Uint8Array
  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }
  mark(): string { return String.fromCharCode(...this.bytes.subarray(4, 8)) }
  follow(at: number): number { return at + this.view.getUint32(at, true) }
  table(at: number): Table { return new Table(this, this.follow(at)) }
}

class Table {
  private readonly file: File
  private readonly at: number
  constructor(file: File, at: number) {
    this.file = file
    this.at = at
  }

  /** Where a field is, or 0 if the table leaves it out. */
  private field(n: number): number {
    const { view } = this.file
    const list = this.at - view.getInt32(this.at, true)
    const place = 4 + 2 * n
    if (place >= view.getUint16(list, true)) return 0
    const offset = view.getUint16(list + place, true)
    return offset && this.at + offset
  }

  byte(n: number): number { const at = this.field(n); return at && this.file.view.getUint8(at) }
  int(n: number): number { const at = this.field(n); return at && this.file.view.getInt32(at, true) }
  child(n: number): Table | undefined { const at = this.field(n); return at ? this.file.table(at) : undefined }

  private list(n: number, most: number): { start: number; count: number } {
    const at = this.field(n)
    if (!at) return { start: 0, count: 0 }
    const start = this.file.follow(at)
    const count = this.file.view.getUint32(start, true)
    if (count > most) throw new BadModel('a list that is too long')
    return { start: start + 4, count }
  }

  ints(n: number): number[] {
    const { start, count } = this.list(n, maxItems)
    return Array.from({ length: count }, (_, i) => this.file.view.getInt32(start + 4 * i, true))
  }

  tables(n: number): Table[] {
    const { start, count } = this.list(n, maxItems)
    return Array.from({ length: count }, (_, i) => this.file.table(start + 4 * i))
  }

  bytes(n: number): Uint8Array {
    const { start, count } = this.list(n, this.file.bytes.length)
    if (start + count > this.file.bytes.length) throw new BadModel('a list that ends outside the file')
    return this.file.bytes.subarray(start, start + count)
  }

  text(n: number): string { return new TextDecoder().decode(this.bytes(n)) }
}
