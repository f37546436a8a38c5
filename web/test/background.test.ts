// What lies behind someone in a visit: the model is read and run right, what is not a model is refused, the person does
// not run into the blur, and a device that is too slow is told.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { inflateSync } from 'node:zlib'
import { blur, coarse, soften } from '../src/visit/background/mask.ts'
import { BadModel, readModel, type Model, type Step } from '../src/visit/background/model.ts'
import { Network } from '../src/visit/background/network.ts'
import { Pace } from '../src/visit/background/pace.ts'
import { planes } from '../src/visit/background/picture.ts'

const root = process.env['WARD_ROOT'] ?? '.'
const file = new Uint8Array(readFileSync(join(root, 'web/node_modules/@mediapipe/selfie_segmentation/selfie_segmentation_landscape.tflite')))

/** kernels.wat, assembled as the build does it. */
const kernels = ((): WebAssembly.Module => {
  const dir = mkdtempSync(join(tmpdir(), 'ward-wat-'))
  const made = join(dir, 'kernels.wasm')
  execFileSync(process.execPath, [join(root, 'web/node_modules/wabt/bin/wat2wasm'), join(root, 'web/src/visit/background/kernels.wat'), '-o', made])
  const module = new WebAssembly.Module(readFileSync(made))
  rmSync(dir, { recursive: true })
  return module
})()

/** Numbers that look like chance and are the same each time. */
function numbers(seed: number): () => number {
  let x = seed
  return () => {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0
    return x / 2 ** 32
  }
}
const some = (count: number, seed: number): Float32Array => Float32Array.from({ length: count }, ((n) => () => 2 * n() - 1)(numbers(seed)))

test('the people in a photograph are found where the maker’s own runtime finds them', () => {
  const photo = photograph()
  const network = new Network(readModel(file), kernels)
  const { width: w, height: h } = network
  assert.deepEqual([w, h], [256, 144])
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      for (let c = 0; c < 3; c++) {
        network.input[3 * (y * w + x) + c] = photo.rgb[3 * (Math.floor((y * photo.height) / h) * photo.width + Math.floor((x * photo.width) / w)) + c]! / 255
      }
    }
  }
  network.run()
  expected.forEach((line, row) => {
    for (let column = 0; column < 32; column++) {
      let sum = 0
      for (let y = 0; y < 8; y++) for (let x = 0; x < 8; x++) sum += network.output[(row * 8 + y) * w + column * 8 + x]! * 255
      const theirs = parseInt(line.slice(2 * column, 2 * column + 2), 16)
      assert.ok(Math.abs(sum / 64 - theirs) < 2, `row ${row}, column ${column}: ${sum / 64}, not ${theirs}`)
    }
  })
})

// The mask that @mediapipe/selfie_segmentation 0.1.1675465747 makes of the same points with its own runtime, as means of
// squares of eight points, 0 to ff. The photograph comes with Go.
const expected = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '000000000c230f0000000000000000000000000000000000249dd6ac19000000',
  '0000005df7fff346000000000000000000000000000000008bffffff66000000',
  '000000aaffffffc10000000000000000000000000000000094ffffffa7000000',
  '0000007cffffffeb0700000000000000000000000000000054ffffff41000000',
  '0000001bfcffffd80000000000000000000000000000000007feffff3a020000',
  '00000037fbfffeaf1c000000000000000000000000001e5bb3fbfffffee08c17',
  '0038b7fdfffffefff08f120000000000000000000039f1ffffffffffffffffcc',
  '28edffffffffffffffffa00000000000000000122ba7ffffffffffffffffffff',
  'a4ffffffffffffffffffed1700000000000017d8cefaffffffffffffffffffff',
  'daffffffffffffffe3f2ff7000000000000022ffffc6fafffffffffffffffffc',
  'f4ffffffffffffffd6867f860402010102010fae9473a4ddffffffffffffffdd',
  'd6fffffffffffff05103000000000000000000000000004effffffffffffff7f',
  'b0ffffffffffffaf15000000000000000000000000000050ffffffffffffef35',
  '23b1ffffffffff9c0b000000000000000000000000000061fff3f1ffffffff61',
  '003ef7ffffffff8500000000000000000000000000002edfffb48c9feffffc39',
  '005bffffffffff7c000000000000000000000000000a76c9e5a7795c92fcef26',
]

function photograph(): { rgb: Uint8Array; width: number; height: number } {
  const png = readFileSync(join(execFileSync('go', ['env', 'GOROOT'], { encoding: 'utf8' }).trim(), 'src/image/testdata/video-001.png'))
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)]
  const parts: Buffer[] = []
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') parts.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)))
  }
  const lines = inflateSync(Buffer.concat(parts))
  const size = 3 * width
  const rgb = new Uint8Array(size * height)
  for (let y = 0; y < height; y++) {
    const filter = lines[y * (size + 1)]!
    for (let i = 0; i < size; i++) {
      const left = i >= 3 ? rgb[y * size + i - 3]! : 0
      const above = y > 0 ? rgb[(y - 1) * size + i]! : 0
      const corner = i >= 3 && y > 0 ? rgb[(y - 1) * size + i - 3]! : 0
      const [dl, da, dc] = [above - corner, left - corner, left + above - 2 * corner].map(Math.abs) as [number, number, number]
      const guess = [0, left, above, (left + above) >> 1, dl <= da && dl <= dc ? left : da <= dc ? above : corner][filter]!
      rgb[y * size + i] = lines[y * (size + 1) + 1 + i]! + guess
    }
  }
  return { rgb, width, height }
}

/** A model of one step, to try it by itself. */
function only(step: Partial<Step> & Pick<Step, 'does'>, from: readonly number[], to: readonly number[], learned: readonly { shape: readonly number[]; data: Float32Array }[]): Model {
  return {
    tensors: [{ shape: [1, ...from] }, ...learned, { shape: [1, ...to] }, { shape: [1, from[0]!, from[1]!, 1] }, { shape: [1, 3, 3, 1] }],
    steps: [{ stride: 1, relu: false, from: [0, ...learned.map((_, i) => i + 1)], to: learned.length + 1, ...step }],
    input: 0, output: learned.length + 1,
  }
}

test('a window over the edge sees nothing there', () => {
  // From three channels to four, then by a window of one point to one: what a 3 × 3 window sums up, written out by hand.
  const w = some(4 * 3 * 3 * 3, 1)
  const bias = some(4, 2)
  const up = { shape: [1, 2, 2, 4], data: some(16, 3) }
  const model: Model = {
    tensors: [
      { shape: [1, 6, 10, 3] }, { shape: [4, 3, 3, 3], data: w }, { shape: [4], data: bias }, { shape: [1, 3, 5, 4] },
      up, { shape: [1], data: Float32Array.of(0.5) }, { shape: [1, 6, 10, 1] },
    ],
    steps: [
      { does: 'conv', from: [0, 1, 2], to: 3, stride: 2, relu: true },
      { does: 'deconv', from: [3, 4, 5], to: 6, stride: 2, relu: false },
    ],
    input: 0, output: 6,
  }
  const network = new Network(model, kernels)
  const picture = some(6 * 10 * 3, 4)
  network.input.set(picture)
  network.run()
  for (let y = 0; y < 3; y++) {
    for (let x = 0; x < 5; x++) {
      const seen = [0, 1, 2, 3].map((o) => {
        let sum = bias[o]!
        for (let j = 0; j < 3; j++) for (let i = 0; i < 3; i++) for (let c = 0; c < 3; c++) {
          if (2 * y + j < 6 && 2 * x + i < 10) sum += picture[3 * (10 * (2 * y + j) + 2 * x + i) + c]! * w[o * 27 + 9 * j + 3 * i + c]!
        }
        return Math.max(sum, 0)
      })
      for (const [part, at] of [[0, 20 * y + 2 * x], [1, 20 * y + 2 * x + 1], [2, 20 * y + 10 + 2 * x], [3, 20 * y + 10 + 2 * x + 1]] as const) {
        const want = 0.5 + seen.reduce((sum, v, c) => sum + v * up.data[4 * part + c]!, 0)
        assert.ok(Math.abs(network.output[at]! - want) < 1e-5, `${y}, ${x}: ${network.output[at]}, not ${want}`)
      }
    }
  }
})

test('a model that does not fit together is refused before it runs', () => {
  const weights = { shape: [4, 1, 1, 3], data: some(12, 1) }
  const bias = { shape: [4], data: some(4, 2) }
  for (const [what, model] of Object.entries<Model>({
    'weights for other channels': only({ does: 'conv' }, [4, 4, 2], [4, 4, 4], [weights, bias]),
    'a bias that is too short': only({ does: 'conv' }, [4, 4, 3], [4, 4, 4], [weights, { shape: [3], data: some(3, 2) }]),
    'another size than it says': only({ does: 'conv' }, [4, 4, 3], [4, 2, 4], [weights, bias]),
    'no mask': only({ does: 'conv' }, [4, 4, 3], [4, 4, 4], [weights, bias]),
    'no picture': only({ does: 'sigmoid' }, [0, 0, 3], [0, 0, 3], []),
    'weights that are not there': only({ does: 'conv', from: [0, 5, 5] }, [4, 4, 3], [4, 4, 4], [weights, bias]),
    'a step before what it needs': only({ does: 'add', from: [4, 4] }, [4, 4, 3], [4, 4, 4], [weights, bias]),
    'too much for a phone': only({ does: 'sigmoid' }, [4096, 4096, 3], [4096, 4096, 3], []),
  })) assert.throws(() => new Network(model, kernels), BadModel, what)
})

test('a file that is broken is refused, wherever it is broken', () => {
  for (const length of [0, 3, 7, 8, 40, 1000, file.length >> 1, file.length - 40_000]) assert.throws(() => readModel(file.slice(0, length)), refusal, `${length} bytes`)
  assert.throws(() => readModel(new TextEncoder().encode('<!doctype html><title>Ward</title>')), refusal)
  // One to four bytes changed anywhere. Most changes are to weights, which are only other weights then; all others must
  // end in a refusal or in a model that runs within its memory.
  const next = numbers(7)
  let refused = 0
  for (let round = 0; round < 400; round++) {
    const bent = file.slice()
    const spot = round % 2 === 0 ? Math.floor(next() * bent.length) : structure(next)
    for (let i = 0; i < 4 && spot + i < bent.length; i++) bent[spot + i] = Math.floor(next() * 256)
    try {
      new Network(readModel(bent), kernels)
    } catch (error) {
      refusal(error as Error)
      refused++
    }
  }
  assert.ok(refused > 50, `only ${refused} were refused`)
})

/** A place in the tables of the file, which lie after the weights and before them. */
const structure = (next: () => number): number => (next() < 0.3 ? Math.floor(next() * 64) : file.length - 1 - Math.floor(next() * 30_000))

function refusal(error: Error): true {
  assert.ok(error instanceof BadModel || error instanceof RangeError, `${error.name}: ${error.message}`)
  return true
}

test('what someone just left is not seen, and the edge is soft', () => {
  const known = Float32Array.of(1, 0, 0.5, 1)
  const pixels = new Uint8ClampedArray(16)
  soften(Float32Array.of(0, 1, 0.5, 1), known, pixels)
  assert.deepEqual([pixels[3], pixels[7], pixels[15]], [0, 255, 255])
  assert.ok(pixels[11]! > 100 && pixels[11]! < 155)
})

test('the blur shows nothing written, and nothing of the person', () => {
  const [w, h] = [256, 144]
  const pixels = new Uint8ClampedArray(4 * w * h)
  const mask = new Uint8ClampedArray(4 * w * h)
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const person = x > 96 && x < 160 && y > 32
      const stripe = (x >> 2) % 2 === 0 ? 0 : 200 // as of letters on a wall, in blue
      pixels.set(person ? [255, 0, 0, 255] : [0, 0, stripe, 255], 4 * (y * w + x))
      mask[4 * (y * w + x) + 3] = person ? 255 : 0
    }
  }
  const soft = new Uint8ClampedArray(4 * (w / coarse) * (h / coarse))
  blur(pixels, mask, w, h, soft)
  for (let i = 0; i < soft.length; i += 4) {
    assert.equal(soft[i], 0, 'red of the person')
    const column = (i / 4) % (w / coarse)
    if (column >= 96 / coarse && column <= 160 / coarse) continue // behind the person, where nobody sees it
    const beside = column === 0 ? i : i - 4
    assert.ok(Math.abs(soft[i + 2]! - soft[beside + 2]!) < 40, `stripes of 200 are still seen: ${soft[i + 2]} beside ${soft[beside + 2]}`)
    assert.ok(Math.abs(soft[i + 2]! - 100) < 40, `${soft[i + 2]}`)
  }
})

test('a blur where there is nothing but the person is still a picture', () => {
  const soft = new Uint8ClampedArray(4 * 4 * 4)
  blur(new Uint8ClampedArray(4 * 256).fill(255), new Uint8ClampedArray(4 * 256).fill(255), 16, 16, soft)
  assert.ok(soft.every((v, i) => (i % 4 === 3 ? v === 255 : v === 0)))
})

test('colours are those of a camera: black is 16, white 235, and grey has no colour', () => {
  const of = (r: number, g: number, b: number): number[] => [...planes(Uint8ClampedArray.from([0, 1, 2, 3].flatMap(() => [r, g, b, 255])), 2, 2)]
  assert.deepEqual(of(0, 0, 0), [16, 16, 16, 16, 128, 128])
  assert.deepEqual(of(255, 255, 255), [235, 235, 235, 235, 128, 128])
  assert.deepEqual(of(255, 0, 0), [82, 82, 82, 82, 90, 240])
  assert.deepEqual(of(0, 0, 255), [41, 41, 41, 41, 240, 110])
})

/** Makes pictures that take as long each, from a camera of 30 in a second, for some seconds. */
function film(cost: number, seconds: number): { pictures: number; slowAfter: number | undefined } {
  const pace = new Pace()
  let pictures = 0
  for (let now = 0, free = 0; now < seconds * 1000; now += 1000 / 30) {
    if (now < free || !pace.due(now)) continue
    pictures++
    free = now + cost
    if (pace.took(now, cost) === 'slow') return { pictures, slowAfter: now }
  }
  return { pictures, slowAfter: undefined }
}

test('a quick device makes as many pictures as are seen, and a slower one fewer', () => {
  const quick = film(10, 20)
  assert.equal(quick.slowAfter, undefined)
  assert.ok(Math.abs(quick.pictures - 20 * 20) <= 2, `${quick.pictures}`)
  const slower = film(60, 20)
  assert.equal(slower.slowAfter, undefined)
  assert.ok(slower.pictures > 8 * 20 && slower.pictures < 11 * 20, `${slower.pictures}`)
})

test('a device that cannot keep up is told so after some seconds, not at the first moment', () => {
  const { slowAfter = 0 } = film(120, 30)
  assert.ok(slowAfter > 10_000 && slowAfter < 15_000, `${slowAfter}`)
  const pace = new Pace()
  let said = 'fine'
  for (let i = 0, now = 0; i < 200; i++, now += 150) said = pace.took(now, i % 40 === 30 ? 400 : 20) === 'slow' ? 'slow' : said
  assert.equal(said, 'fine', 'a moment of other work')
})
