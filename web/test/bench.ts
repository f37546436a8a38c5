// What sealing and opening one entry costs in a browser: signed, padded, sealed to a post-quantum recipient, and back; and
// what checking one receipt of the ledger costs; and reading who is who.

import { hash, newID, newIdentity, now, random, recipientOf, signingKey } from '../src/seal/bytes.ts'
import { checkAuthor, readContent, writeContent, type ContentHeader } from '../src/seal/content.ts'
import { openWith, sealTo } from '../src/seal/keys.ts'
import { Roster } from '../src/seal/membership.ts'
import { check, commitment, type Receipt, type Trust } from '../src/ledger/verify.ts'
import { grown } from './histories.ts'

const perRound = 20

export async function measure(rounds: number): Promise<{ seal: number[]; open: number[] }> {
  const identity = await newIdentity()
  const recipient = await recipientOf(identity)
  const key = await signingKey(random(32))
  const body = random(4096)
  const header: ContentHeader = {
    org: newID(), lock: newID(), entry: newID(), kind: 'note', author: newID(), card: await hash(''), name: 'Dr Okafor', time: now(), type: 'application/fhir+json',
    size: body.length, sha256: await hash(body),
  }
  const seal: number[] = []
  const open: number[] = []
  for (let round = 0; round < rounds; round++) {
    let start = performance.now()
    const sealed = []
    for (let i = 0; i < perRound; i++) sealed.push(await sealTo(await writeContent(header, body, key.sign), recipient))
    seal.push((performance.now() - start) / perRound)
    start = performance.now()
    for (const one of sealed) {
      const content = await readContent(await openWith(identity, one))
      await checkAuthor(content.lines, key.public)
    }
    open.push((performance.now() - start) / perRound)
  }
  return { seal, open }
}

/** One receipt of a vector, from what happened to the signatures, in ms. */
export async function receipts(input: { trust: Trust; kind: string; salt: string; content: string; receipt: Receipt }, rounds: number): Promise<number[]> {
  const each: number[] = []
  for (let round = 0; round < rounds; round++) {
    const start = performance.now()
    for (let i = 0; i < perRound; i++) await check(input.trust, await commitment(input.kind, input.salt, new TextEncoder().encode(input.content)), input.receipt)
    each.push((performance.now() - start) / perRound)
  }
  return each
}

/** A history of so many statements: all of it checked, and as it was saved, in ms. */
export async function members(statements: number, rounds: number): Promise<{ cold: number[]; warm: number[] }> {
  const m = await grown(statements)
  const cold: number[] = []
  const warm: number[] = []
  for (let round = 0; round < rounds; round++) {
    let start = performance.now()
    const roster = await Roster.start(m.org, m.clinic)
    const broke = await roster.read(m.texts, m.now)
    if (broke) throw new Error(`${broke.seq}: ${broke.why}`)
    cold.push(performance.now() - start)
    const saved = JSON.stringify(roster.save())
    start = performance.now()
    const loaded = Roster.load(JSON.parse(saved))
    if (loaded.at().length !== roster.at().length) throw new Error('what was saved is not what was loaded')
    warm.push(performance.now() - start)
  }
  return { cold, warm }
}
