// What may be a person's name, and which names look alike: the rule of Go's package names, which says why. The tables are the
// same, of one Unicode, whatever this browser's is, and testdata/vectors/names holds both to it.

import { lookTable, scriptTable, stopTable } from './nametables.ts'

/** The longest name, in characters. */
export const maxName = 100
/** How many marks may follow one letter. */
const maxMarks = 4

/** What is wrong with a name. */
export type NameFault = 'empty' | 'long' | 'character' | 'form' | 'space' | 'mark' | 'script'

const signs = "'’-‐.,·()/־׳״・"
const nonJoiner = '\u200c'
const joiners = [nonJoiner, '\u200d']
const viramas = '\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca'
const zeros = Array.from('0٠۰०০੦૦୦௦౦೦൦෦๐໐༠၀႐០꧰', (zero) => point(zero))
const together = [['Latn', 'Hani', 'Hira', 'Kana'], ['Latn', 'Hani', 'Bopo'], ['Latn', 'Hani', 'Hang']]

/** A name as it was meant by who typed it: in Unicode's form NFC, with single spaces. */
export const typedName = (name: string): string => name.normalize('NFC').replace(/\s+/gu, ' ').trim()

/** What is wrong with a name, or undefined. */
export function checkName(name: string): NameFault | undefined {
  const letters = Array.from(name)
  if (letters.length > maxName) return 'long'
  if (letters.some((c, i) => c !== ' ' && !signs.includes(c) && !isJoiner(letters, i) && scriptsOf(c) === 0)) return 'character'
  if (name.normalize('NFC') !== name) return 'form'
  if (name.startsWith(' ') || name.endsWith(' ') || name.includes('  ')) return 'space'
  if (!marksAreRight(name)) return 'mark'
  if (!letters.some(isLetter)) return 'empty'
  if (!scriptsAreOne(letters) || !digitsAreOne(letters)) return 'script'
  return undefined
}

const isLetter = (c: string | undefined): boolean => c !== undefined && /^\p{L}$/u.test(c)
const isMark = (c: string): boolean => /^\p{M}$/u.test(c)

/** Whether a joiner or non-joiner stands where it changes how letters are joined. */
function isJoiner(letters: readonly string[], i: number): boolean {
  const [before, c, after] = [letters[i - 1], letters[i], letters[i + 1]]
  if (c === undefined || !joiners.includes(c) || before === undefined || after === undefined || !isLetter(after)) return false
  if (viramas.includes(before)) return (scriptsOf(before) & scriptsOf(after)) !== 0
  const arabic = tables().bits.get('Arab') ?? 0
  return c === nonJoiner && isLetter(before) && (scriptsOf(before) & arabic) !== 0 && (scriptsOf(after) & arabic) !== 0 && !within(tables().stops, before)
}

/** Whether marks follow letters, no one twice in a row and no more than maxMarks, counted as they are drawn. */
function marksAreRight(name: string): boolean {
  let marks = maxMarks + 1 // nothing to stand on yet
  let last = ''
  for (const c of name.normalize('NFD')) {
    if (isMark(c)) {
      if (++marks > maxMarks || c === last) return false
    } else marks = isLetter(c) ? 0 : maxMarks + 1
    last = c
  }
  return true
}

function scriptsAreOne(letters: readonly string[]): boolean {
  const { sets, bits } = tables()
  const all = letters.map(scriptsOf).filter((of) => of !== 0)
  return sets.some((set) => all.every((of) => (of & (set | (bits.get('Zyyy') ?? 0))) !== 0))
}

const digitsAreOne = (letters: readonly string[]): boolean => new Set(letters.map((c) => zeros.find((zero) => point(c) >= zero && point(c) <= zero + 9)).filter((zero) => zero !== undefined)).size <= 1

/** What a name looks like: names that look alike have the same one. It is for comparing, never for showing. */
export function skeleton(name: string): string {
  const { looks } = tables()
  let out = ''
  for (const c of name.normalize('NFKD')) {
    if (isAccent(c)) continue
    const lower = c.toLowerCase()
    for (const seen of looks.get(c) ?? looks.get(lower) ?? lower) if (/^[\p{L}\p{N}\p{M}]$/u.test(seen) && !isInvisible(seen)) out += seen
  }
  return out
}

const isAccent = (c: string): boolean => /^[\u02b0-\u02ff]$/.test(c) || (!/^[\u3099\u309a]$/.test(c) && isMark(c) && /^[\p{Script=Inherited}\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Cyrillic}]$/u.test(c))

/** Whether one name would be taken for the other: they look alike, or one has all the words of the other, two or more. */
export function alike(a: string, b: string): boolean {
  const own = skeleton(a)
  if (own !== '' && own === skeleton(b)) return true
  const [few, many] = [words(a), words(b)].sort((x, y) => x.size - y.size)
  return few !== undefined && many !== undefined && few.size > 1 && [...few].every((w) => many.has(w))
}

const words = (name: string): ReadonlySet<string> => new Set(name.normalize('NFKD').split(/[\p{Z}\p{P}\u02bb\u02bc]+/u).map(skeleton).filter((w) => w !== ''))

const unseen = '␣' // in the place of what cannot be seen

/** A name as it may be shown though it breaks the rule: nothing in it acts on the text around it. */
export function shownName(name: string): string {
  const out: string[] = []
  let marks = 0
  const letters = Array.from(name.replace(/\p{Cs}/gu, '\ufffd').normalize('NFC'))
  for (const [i, was] of letters.entries()) {
    const c = /^\p{Zs}$/u.test(was) ? ' ' : (isInvisible(was) || !/^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(was)) && !isJoiner(letters, i) ? unseen : was
    marks = isMark(c) ? marks + 1 : 0
    if (marks > maxMarks || ((c === ' ' || c === unseen) && out.at(-1) === c) || (c === ' ' && out.length === 0)) continue
    out.push(c)
  }
  if (out.at(-1) === ' ') out.pop()
  return out.length > maxName ? `${out.slice(0, maxName - 1).join('')}…` : out.join('')
}

/** A text of others as it may be shown: it may have lines, and marks of direction in it, but nothing that shows its letters in
 * another order than they are read in, and nothing that a screen would act on. What keeps parts apart is left out: a text
 * is apart as a whole, in an element with dir="auto". */
export const shownText = (text: string): string => text.replace(/[\u202a-\u202c\u2066-\u2069]/gu, '').replace(/[\u202d\u202e\u{e0000}-\u{e007f}]|(?![\n\t])\p{Cc}/gu, unseen)

/** Whether Unicode counts it as a letter, a mark or a symbol and yet does not draw it. */
const isInvisible = (c: string): boolean => /^[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\uffa0\ufe00-\ufe0f\u{1d159}\u{e0000}-\u{e0fff}]$/u.test(c)

// The tables.

interface Span { readonly from: number; readonly to: number; readonly script: number }
interface Tables { readonly bits: ReadonlyMap<string, number>; readonly spans: readonly Span[]; readonly sets: readonly number[]; readonly stops: readonly Span[]; readonly looks: ReadonlyMap<string, string> }

let read: Tables | undefined
const tables = (): Tables => (read ??= readTables())

function readTables(): Tables {
  const scripts = scriptTable.split(';').map((line, i) => ({ script: line.slice(0, 4), bit: 1 << i, spans: spansOf(line.slice(5), 1 << i) }))
  const bits = new Map(scripts.map((s) => [s.script, s.bit]))
  const looks = new Map<string, string>()
  for (const line of lookTable.split(';')) {
    const [to = '', from = ''] = line.split('=')
    const look = to.split('+').map((n) => String.fromCodePoint(parseInt(n, 36))).join('')
    let at = 0
    for (const gap of from.split(' ')) looks.set(String.fromCodePoint(at += parseInt(gap, 36)), look)
  }
  return {
    bits, looks, spans: scripts.flatMap((s) => s.spans), stops: spansOf(stopTable, 0),
    sets: [...bits.values(), ...together.map((set) => set.reduce((of, script) => of | (bits.get(script) ?? 0), 0))],
  }
}

function spansOf(list: string, script: number): Span[] {
  let end = 0
  return list.split(' ').map((text) => {
    const [gap = '', count = '1'] = text.split('+')
    const from = end + parseInt(gap, 36)
    end = from + parseInt(count, 36)
    return { from, to: end - 1, script }
  })
}

function point(c: string): number { return c.codePointAt(0) ?? 0 }

function within(spans: readonly Span[], c: string): boolean { return spans.some((s) => s.from <= point(c) && point(c) <= s.to) }

/** The scripts that a letter, mark or digit of names is written in, or none. */
function scriptsOf(c: string): number {
  const n = point(c)
  return tables().spans.reduce((of, s) => (s.from <= n && n <= s.to ? of | s.script : of), 0)
}
