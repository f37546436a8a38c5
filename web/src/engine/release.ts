// Which release of the app this is, as far as an app can tell of itself: it compares what it is made of with the list of its
// files, and that list with what the organisations recorded. One that was changed could say anything (THREATS.md).

import { sha256, utf8 } from '../seal/bytes.ts'
import type { AppRelease } from './types.ts'

/** The app among what is released. */
const kind = 2
const hex = (bytes: Uint8Array): string => [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('')

/** Where the chain's state holds the number of a release of the app. */
export const releasedKey = (sum: Uint8Array): Promise<Uint8Array<ArrayBuffer>> => sha256(utf8('released\0'), new Uint8Array([kind]), sum)

/** The number that is there. */
export function releasedNumber(value: Uint8Array): number {
  return Number(new DataView(value.buffer, value.byteOffset).getBigUint64(24))
}

/** A list as sha256sum writes it. */
export function parseList(text: string): ReadonlyMap<string, string> | undefined {
  const files = new Map<string, string>()
  for (const line of text.split('\n').slice(0, -1)) {
    const [, sum, name] = /^([0-9a-f]{64}) {2}(\S+)$/.exec(line) ?? []
    if (!sum || !name) return undefined
    files.set(name, sum)
  }
  return files.size > 0 && text.endsWith('\n') ? files : undefined
}

type Read = (path: string) => Promise<Response>

/** What this app is made of. loaded are the paths of what the page has loaded; recorded asks what the organisations recorded. */
export async function ownRelease(read: Read, loaded: readonly string[], recorded: (sum: string) => Promise<number | 'unknown'>): Promise<AppRelease> {
  const answer = await read('/files.txt')
  const text = answer.ok ? new Uint8Array(await answer.arrayBuffer()) : new Uint8Array()
  const files = parseList(new TextDecoder().decode(text))
  if (!files) return { state: 'unknown' }
  const raw = await sha256(text)
  const sum = hex(raw)
  for (const path of new Set(['index.html', 'sw.js', ...loaded])) {
    const want = files.get(path)
    const part = want && (await read(`/${path}`))
    if (!part || !part.ok || hex(await sha256(new Uint8Array(await part.arrayBuffer()))) !== want) return { state: 'changed', sum, file: path }
  }
  const number = await recorded(sum)
  return number === 'unknown' ? { state: 'unknown', sum } : number > 0 ? { state: 'recorded', sum, number } : { state: 'unrecorded', sum }
}

/** The scripts and styles that this page has loaded. */
export function loadedHere(): readonly string[] {
  const urls = performance.getEntriesByType('resource').map((e) => new URL(e.name)).filter((u) => u.origin === location.origin)
  return urls.map((u) => u.pathname.slice(1)).filter((path) => /\.(js|css)$/.test(path))
}
