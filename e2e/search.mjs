// Looks for words in everything a server keeps, in the ways in which they might be written: as they are, in capitals,
// base64, hex, UTF-16 and inside gzip. Megabytes of ids and signatures hold any five letters by chance, so a short word
// counts only where it stands alone, and what is left of it in base64 not at all.

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

/** A word of so many letters, and so many characters of base64, do not come up by chance in gigabytes. */
const tellingWord = 8
const tellingBase64 = 7

const forms = (word) => {
  const bytes = Buffer.from(word)
  const base64 = [0, 1, 2].map((shift) => Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64').slice(shift === 0 ? 0 : shift + 1, -4)).filter((s) => s.length >= tellingBase64)
  return [bytes, Buffer.from(word.toLowerCase()), Buffer.from(word.toUpperCase()), Buffer.from(word, 'utf16le'), Buffer.from(bytes.toString('hex')), ...base64.map((s) => Buffer.from(s))]
}

/** Whether data holds some bytes; of a short word, without a letter or digit before and after it. */
function holds(data, form) {
  for (let at = data.indexOf(form); at >= 0; at = data.indexOf(form, at + 1)) {
    if (form.length >= tellingWord || ![at - 1, at + form.length].some((beside) => /[A-Za-z0-9]/.test(String.fromCharCode(data[beside] ?? 0)))) return true
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
      const kind = statSync(path)
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
