// Looks for words in everything a server keeps, in the ways in which they might be written: as they are, in capitals,
// base64, hex, UTF-16 and inside gzip. Megabytes of ids and signatures hold any five letters by chance, so a short word
// counts only where it stands alone.

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

/** A word of so many letters does not come up by chance, in megabytes of them. */
const tellingWord = 8

/** The ways of a word, and whether one counts only where it stands alone: of base64, what is beside it is never known. */
const forms = (word) => {
  const bytes = Buffer.from(word)
  const base64 = [0, 1, 2].map((shift) => Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64').slice(shift === 0 ? 0 : shift + 1, -4)).filter((s) => s.length > 5)
  const plain = [bytes, Buffer.from(word.toLowerCase()), Buffer.from(word.toUpperCase())].map((form) => ({ form, alone: word.length < tellingWord }))
  return [...plain, ...[Buffer.from(word, 'utf16le'), bytes.toString('hex'), ...base64].map((form) => ({ form: Buffer.from(form), alone: false }))]
}

const isLetter = (code) => code !== undefined && /[A-Za-z0-9]/.test(String.fromCharCode(code))

function holds(data, { form, alone }) {
  for (let at = data.indexOf(form); at >= 0; at = data.indexOf(form, at + 1)) {
    if (!alone || !(isLetter(data[at - 1]) || isLetter(data[at + form.length]))) return true
  }
  return false
}

/** The files under a folder that hold one of the words. */
export function found(folder, words) {
  const wanted = words.map((word) => [word, forms(word)])
  const hits = []
  let files = 0
  const look = (data, where) => { for (const [word, all] of wanted) if (all.some((form) => holds(data, form))) hits.push(`${word} in ${where}`) }
  const walk = (dir) => {
    for (const name of readdirSync(dir)) {
      const path = join(dir, name)
      const kind = statSync(path, { throwIfNoEntry: false })
      if (!kind) continue // a file that was only for a moment
      if (kind.isDirectory()) walk(path)
      else if (kind.isFile()) { // a socket keeps nothing
        files++
        const data = readFileSync(path)
        look(data, path)
        for (let at = data.indexOf('\x1f\x8b\x08', 0, 'latin1'); at >= 0; at = data.indexOf('\x1f\x8b\x08', at + 1, 'latin1')) {
          try { look(gunzipSync(data.subarray(at)), `${path} (gzip)`) } catch { /* not gzip after all */ }
        }
      }
    }
  }
  walk(folder)
  return { hits, files }
}
