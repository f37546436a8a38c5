// Take everything with me: one folder, as a zip, that the stock age command and the recovery code open without Ward
// (docs/formats.md, Export folder).

import { Zip, ZipPassThrough } from 'fflate'
import { concat, hash, idOf, now, sha256, unb64, unjson64, utf8, type Bytes } from '../seal/bytes.ts'
import { lockFile, sealTo } from '../seal/keys.ts'
import { parse } from '../seal/statements.ts'
import { EngineProblem } from './problem.ts'
import type { Session } from './session.ts'
import type { Progress } from './types.ts'
import type { WireCards, WireChart, WireEntries, WireEvent } from './wire.ts'

export async function takeEverything(session: Session, progress: Progress): Promise<Blob> {
  const { self, net, locks, people } = session.exportParts()
  const parts: Bytes[] = []
  let failed: unknown
  const zip = new Zip((error, data) => {
    if (error) failed = error
    else parts.push(data.slice() as Bytes)
  })
  const add = (name: string, data: Uint8Array | string): void => {
    const file = new ZipPassThrough(`ward-export/${name}`)
    zip.add(file)
    file.push(typeof data === 'string' ? utf8(data) : data, true)
  }
  const { charts } = await net.get<{ charts: WireChart[] }>('/api/charts')
  const total = charts.reduce((sum, c) => sum + c.locks.reduce((n, l) => n + l.seq, 0), 0)
  let done = 0
  const keyring = await net.get<{ recoveryKeyring: string }>('/api/keyring')
  add('OPEN.md', openMD)
  add('keyring.recovery.age', unjson64(keyring.recoveryKeyring))
  add('clinic.txt', session.wire.clinicText)
  const authors = new Set<string>([self.person, session.wire.founder.person])
  const index: object[] = []
  for (const chart of charts) {
    for (const summary of chart.locks) {
      const lock = await locks.open(summary.lock)
      for (const [n, e] of lock.epochs.entries()) {
        add(`epochs/${lock.lock}-${n + 1}.txt`, e.text)
        const key = lock.keys.get(n + 1)
        const recipient = (await people.get(self.person)).current.statement.body.recipient
        if (key) add(`grants/${lock.lock}-${n + 1}.age`, await sealTo(lockFile(key), recipient))
      }
      let after = 0
      for (;;) {
        const page = await net.get<WireEntries>(`/api/locks/${lock.lock}/entries?after=${after}`)
        for (const stored of page.entries) {
          const s = await parse('ward/entry/1', stored.text)
          authors.add(s.body.author)
          const sealed = stored.sealed !== undefined ? unjson64(stored.sealed)
            : new Uint8Array(await (await net.send('GET', `/api/locks/${lock.lock}/entries/${s.body.entry}/sealed`)).arrayBuffer())
          if ((await hash(sealed)) !== s.body.sha256) throw new EngineProblem('tampered', `entry ${stored.seq} is not what its author sent`)
          const name = `entries/${lock.lock}-${String(stored.seq).padStart(6, '0')}-${s.body.entry}`
          add(`${name}.txt`, stored.text)
          add(`${name}.age`, sealed)
          after = stored.seq
          progress('exporting', ++done, total)
        }
        if (!page.more) break
      }
      index.push({
        lock: lock.lock, kind: lock.kind, ...(lock.chart && { chart: lock.chart }), ...(lock.compartment && { compartment: lock.compartment }),
        epochs: lock.epochs.length, head: { seq: lock.seq, chain: lock.chain },
      })
    }
    const { events } = await net.get<{ events: WireEvent[] }>(`/api/charts/${chart.chart}/looks`).catch(() => ({ events: [] as WireEvent[] }))
    add(charts.length > 1 ? `access-${chart.chart}.jsonl` : 'access.jsonl', events.map((e) => `${JSON.stringify(e)}\n`).join(''))
  }
  for (const person of authors) {
    const cards = await net.get<WireCards>(`/api/people/${person}/cards`).catch(() => undefined)
    for (const [i, text] of (cards?.cards ?? []).entries()) add(`cards/${person}-${i + 1}.txt`, text)
    for (const text of cards?.browsers ?? []) add(`browsers/${idOf(await sha256(utf8(text))).slice(0, 26)}.txt`, text)
  }
  add('export.json', `${JSON.stringify({ format: 'ward/export/1', org: self.org, person: self.person, time: now(), locks: index }, null, 2)}\n`)
  zip.end()
  if (failed !== undefined) throw failed
  return new Blob(parts, { type: 'application/zip' })
}

const openMD = `# How to open this without Ward

This folder is yours. It opens with the free \`age\` command (https://age-encryption.org, version 1.3 or later) and your recovery code.

1. Open your keyring. It asks for your recovery code: type it as it is printed, in capitals, with the hyphens.

       age -d keyring.recovery.age > keyring.txt

2. Each file in \`grants\` is a key to a part of your chart. Open the one whose name the entry begins with (the newest number opens the newest entries; \`epochs\` says which entry needs which):

       age -d -i keyring.txt grants/LOCK-EPOCH.age > lock.txt

3. Open an entry. Its first three lines say who wrote it, when, and what it is; the rest is the entry:

       age -d -i lock.txt entries/LOCK-NUMBER-ENTRY.age | head -n 2
       age -d -i lock.txt entries/LOCK-NUMBER-ENTRY.age | tail -n +4 | head -c SIZE

   SIZE is "size" in the second line. If that line says "encoding":"gzip", add \`| gunzip\`.

Keep \`keyring.txt\` and \`lock.txt\` to yourself, and delete them when you are done. \`ward open\` does all of this more comfortably.

The \`.txt\` files are signed statements: who wrote what, and in which order. \`access.jsonl\` lists who looked at your chart.
`

export { concat, unb64 }
