// A snapshot is one entry that holds the opened contents of all before it, so that a long chart opens with one fetch.
// It saves fetching and opening, never checking: the chain is computed anew over the statements and compared with
// the server's head, and every signature is checked as if each entry had come alone.

import { Bad, b64, hash, text, unb64, type Bytes } from './bytes.ts'
import { parseHeader, type ContentHeader } from './content.ts'
import { next, start, type Head } from './statements.ts'

export const snapshotType = 'application/vnd.ward.snapshot+json'

/** The largest body that a snapshot holds; larger ones are fetched when they are wanted. */
export const maxSnapshotBody = 64 * 1024

/** An entry that was opened and checked, with what its author signed. */
export interface Opened { readonly seq: number; readonly statement: string; readonly lines: string; readonly body: Bytes | undefined }

/** One entry of a snapshot, its form checked and nobody's signature yet. Body is undefined for one that was left out. */
export interface Kept extends Opened { readonly header: ContentHeader }

interface WireSnapshot { upto: Head; entries: { seq: number; statement: string; content: string; body?: string }[] }

/** The JSON of a snapshot of all entries of a lock from the first on. */
export async function writeSnapshot(lock: string, entries: readonly Opened[]): Promise<string> {
  let upto = await start(lock)
  const kept: WireSnapshot['entries'] = []
  for (const e of entries) {
    if (e.seq !== upto.seq + 1) throw new Bad(`snapshot: entry ${upto.seq + 1} is missing`)
    upto = await next(upto, e.statement)
    const body = e.body !== undefined && e.body.length <= maxSnapshotBody ? b64(e.body) : ''
    kept.push({ seq: e.seq, statement: e.statement, content: e.lines, ...(body !== '' && { body }) })
  }
  return JSON.stringify({ upto, entries: kept } satisfies WireSnapshot)
}

/** What a snapshot holds: its entries in order, or for one whose content is broken the reason; chains has the head after each. */
export interface ReadSnapshot { readonly upto: Head; readonly chains: readonly string[]; readonly entries: readonly (Kept | { readonly seq: number; readonly wrong: string })[] }

/** Reads a snapshot's body, gunzipped, and computes its chain. Whose signatures they are is for the caller to check. */
export async function readSnapshot(lock: string, json: Uint8Array): Promise<ReadSnapshot> {
  const { upto, entries } = shape(json)
  let head = await start(lock)
  const chains: string[] = []
  for (const e of entries) {
    if (e.seq !== head.seq + 1) throw new Bad(`snapshot: entry ${head.seq + 1} is missing`)
    head = await next(head, e.statement)
    chains.push(head.chain)
  }
  if (head.seq !== upto.seq || head.chain !== upto.chain) throw new Bad('snapshot: its entries do not make the chain that it says')
  return { upto: head, chains, entries: await Promise.all(entries.map((e) => open(e).catch((error: unknown) => ({ seq: e.seq, wrong: error instanceof Error ? error.message : String(error) })))) }
}

function shape(json: Uint8Array): WireSnapshot {
  let value: Partial<WireSnapshot>
  try {
    value = JSON.parse(text(json)) as Partial<WireSnapshot>
  } catch {
    throw new Bad('snapshot: it is not JSON')
  }
  const { upto, entries } = value
  const whole = typeof upto?.seq === 'number' && typeof upto.chain === 'string' && Array.isArray(entries) &&
    entries.every((e) => typeof e?.seq === 'number' && typeof e.statement === 'string' && typeof e.content === 'string' && (e.body === undefined || typeof e.body === 'string'))
  if (!whole) throw new Bad('snapshot: it does not have the fields of one')
  return { upto, entries }
}

async function open(e: WireSnapshot['entries'][number]): Promise<Kept> {
  if (e.content.split('\n').length !== 4 || !e.content.endsWith('\n')) throw new Bad('the content is not a header')
  const header = parseHeader(e.content)
  const kept = { seq: e.seq, statement: e.statement, lines: e.content, header }
  if (e.body === undefined && header.size > 0) return { ...kept, body: undefined }
  const body = unb64(e.body ?? '')
  if (body.length !== header.size || (await hash(body)) !== header.sha256) throw new Bad('the body does not have the size and hash its header says')
  return { ...kept, body }
}
