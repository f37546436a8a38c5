// The ledger's proofs: vectors that Go runs too, every field of a receipt changed, and what the verifier weighs.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { checkNames, hasSalt, type Names } from '../src/ledger/names.ts'
import { Scan, type Opened } from '../src/ledger/accesses.ts'
import { bytes, check, checkState, commitment, extend, follow, lineKey, lineValue, type Change, type Receipt, type Seen, type StateProof, type Trust } from '../src/ledger/verify.ts'

interface Vector { readonly name: string; readonly format: string; readonly good: boolean; readonly wrong?: string; readonly input: never; readonly output?: unknown }
interface ReceiptInput { readonly trust: Trust; readonly kind: string; readonly salt: string; readonly content: string; readonly receipt: Receipt }

const root = process.env.WARD_ROOT ?? '.'
const folder = join(root, 'testdata/vectors/receipts')
const read = (name: string): Vector => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Vector
const names = readdirSync(folder).filter((name) => name.endsWith('.json'))
const utf8 = new TextEncoder()

const checkReceipt = async (input: ReceiptInput, receipt = input.receipt): Promise<unknown> =>
  check(input.trust, await commitment(input.kind, input.salt, utf8.encode(input.content)), receipt)

const formats: Record<string, (input: never) => Promise<unknown>> = {
  receipt: (input: ReceiptInput) => checkReceipt(input),
  change: (input: { trust: Trust; change: Change }) => follow(input.trust, input.change),
  extension: (input: { trust: Trust; to: Seen; proof: string[] }) => extend(input.trust, input.to, input.proof),
  async line(input: { trust: Trust; person: string; cards: string[]; proof: StateProof }) {
    const { value } = await checkState(input.trust, await lineKey(input.trust, input.person), input.proof)
    return { there: value !== undefined, same: value === (await lineValue(input.cards)) }
  },
  async accesses(input: { salt: string; chart: string; key: string; entries: string; shown: Opened[] }) {
    const scan = await Scan.begin(input.salt, input.chart, input.key)
    await scan.read(bytes(input.entries))
    return { head: { size: scan.size, root: await scan.root() }, found: scan.found.length, gaps: (await scan.gaps(input.shown)).map((g) => `${g.why} ${g.number}`) }
  },
  async names(input: { trust: Trust; names: Names }) {
    const called = await checkNames(input.trust, input.names)
    const own = called.logs.get(input.trust.origin)
    return {
      validators: Object.fromEntries(called.validators), logs: Object.fromEntries([...called.logs].map(([origin, l]) => [origin, l.name])),
      salt: own !== undefined && (await hasSalt(own, input.trust.salt)), height: called.agreed.height,
    }
  },
}

test('there are vectors of every format', () => {
  assert.ok(names.length >= 50)
  for (const format of Object.keys(formats)) assert.ok(names.some((name) => name.startsWith(`${format}-`)), format)
})

for (const name of names) {
  const v = read(name)
  test(`${v.name}: ${v.wrong ?? 'good'}`, async () => {
    const run = formats[v.format]
    assert.ok(run, `there is no format ${v.format}`)
    if (v.good) assert.deepEqual(await run(v.input), v.output)
    else await assert.rejects(run(v.input), { message: /^the ledger's proof: / })
  })
}

/** Each way to change one thing in a value. */
function* changes(value: unknown, at = ''): Generator<[string, unknown]> {
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      yield [`one less in ${at}`, value.filter((_, j) => j !== i)]
      yield [`one twice in ${at}`, value.flatMap((one: unknown, j) => (j === i ? [one, one] : [one]))]
      for (const [what, to] of changes(value[i], `${at}[${i}]`)) yield [what, value.map((one: unknown, j) => (j === i ? to : one))]
    }
    if (value.length > 1) yield [`the order of ${at} turned`, [...value].reverse()]
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, was] of Object.entries(value)) {
      const { [key]: _, ...rest } = value as Record<string, unknown>
      yield [`no ${at}.${key}`, rest]
      for (const [what, to] of changes(was, `${at}.${key}`)) yield [what, { ...value, [key]: to }]
    }
  } else if (typeof value === 'number') {
    for (const to of [value + 1, value - 1, -value - 1, value + 0.5, 2 ** 53, NaN, String(value), null]) yield [`${at} ${to}`, to]
  } else if (typeof value === 'string') {
    for (const i of [0, value.length >> 1, value.length - 1]) {
      for (const to of ['A', 'B']) if (value[i] !== to) yield [`${at} altered`, value.slice(0, i) + to + value.slice(i + 1)]
    }
    yield* [[`${at} longer`, `${value}A`], [`${at} empty`, ''], [`${at} null`, null]] as [string, unknown][]
  }
}

test('a receipt with any one field changed is refused', async () => {
  const { input } = read('receipt-four.json') as unknown as { input: ReceiptInput }
  let tried = 0
  for (const [what, receipt] of changes(input.receipt)) {
    tried++
    const said = await checkReceipt(input, receipt as Receipt).catch(() => undefined) as { votes: number[] } | undefined
    // Three of four signatures are still more than two thirds: then the receipt says that three signed.
    if (what === 'one less in .votes') assert.equal(said?.votes.length, 3)
    else assert.equal(said, undefined, what)
  }
  assert.ok(tried > 150, `only ${tried} changes were tried`)
})

test('the verifier is at most 4 KB gzipped, and a receipt at most 3 KB', () => {
  const made = spawnSync('go', ['run', 'github.com/evanw/esbuild/cmd/esbuild', join(root, 'web/src/ledger/verify.ts'),
    '--bundle', '--minify', '--format=esm', '--target=es2022', '--external:@noble/*'], { cwd: root, maxBuffer: 1 << 24 })
  assert.equal(made.status, 0, String(made.stderr))
  const size = gzipSync(made.stdout, { level: 9 }).length
  assert.ok(size > 1000 && size <= 4096, `${size} bytes`)
  const { input } = read('receipt-four.json') as unknown as { input: ReceiptInput }
  assert.ok(JSON.stringify(input.receipt).length <= 3072)
})
