// What members agreed that they are called, and how a clinic's log is registered: parts of the state that one block signs.
// The twin of ledger/receipt/names.go. Names that are only told are nobody's word.

import { b64, bytes, no, same, sha, signed, stateRoot, whole, type Agreed, type Signed, type Trust } from './verify.ts'

export interface NamedLog {
  readonly origin: string; readonly operator: string; readonly saltHash: string; readonly size: number; readonly root: string; readonly name: string
  readonly path: readonly string[]
}
export interface NamedMember { readonly member: string; readonly counts: string; readonly path: readonly string[] }
export interface Names { readonly signed: Signed; readonly logs: readonly NamedLog[]; readonly members: readonly NamedMember[] }
/** Names of validators by their keys, and logs by their origins. */
export interface Called { readonly validators: ReadonlyMap<string, string>; readonly logs: ReadonlyMap<string, NamedLog>; readonly agreed: Omit<Agreed, 'size' | 'root'> }

const most = 1000 // as Go has it
const utf8 = new TextEncoder()
const keySizes: Readonly<Record<number, number>> = { 1: 32, 2: 1952 }

/** operator 32 | power 8 | node 20 | key kind 1 | key | address length 2 | address | name length 2 | name */
function parseMember(raw: Uint8Array<ArrayBuffer>): { readonly operator: Uint8Array; readonly key: string; readonly name: string } {
  const size = keySizes[raw[60] ?? 0] ?? no('form')
  const view = new DataView(raw.buffer)
  const text = (at: number): number => (at + 2 > raw.length ? no('form') : at + 2 + view.getUint16(at))
  const address = 61 + size
  const name = text(address)
  if (text(name) !== raw.length) no('form')
  try {
    return { operator: raw.subarray(0, 32), key: b64(raw.subarray(61, address)), name: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(raw.subarray(name + 2)) }
  } catch {
    return no('form')
  }
}

/** Tells what those that are trusted signed of names. */
export async function checkNames(t: Trust, n: Names): Promise<Called> {
  whole(n.logs.length, 0, most)
  whole(n.members.length, 0, most)
  const validators = new Map<string, string>()
  const logs = new Map<string, NamedLog>()
  let root: Uint8Array<ArrayBuffer> | undefined
  const note = async (tag: string, id: Uint8Array, parts: readonly Uint8Array[], path: readonly string[]): Promise<void> => {
    const key = await sha(utf8.encode(`${tag}\0`), id)
    const here = await stateRoot(key, await sha([0], key, await sha(utf8.encode(`ward/state/${tag}\0`), ...parts)), path)
    if (root && !same(root, here)) no('content')
    root = here
  }
  for (const l of n.logs) {
    const size = new Uint8Array(8)
    new DataView(size.buffer).setBigUint64(0, BigInt(whole(l.size)))
    await note('log', bytes(l.origin, 32), [bytes(l.operator, 32), bytes(l.saltHash, 32), size, bytes(l.root, 32), utf8.encode(l.name)], l.path)
    logs.set(l.origin, l)
  }
  for (const m of n.members) {
    const raw = bytes(m.member)
    const { operator, key, name } = parseMember(raw)
    await note('member', operator, [raw, bytes(m.counts, 24)], m.path)
    validators.set(key, name)
  }
  return { validators, logs, agreed: await signed(t, n.signed, new Map([[10, root ?? no('form')]])) }
}

/** Whether a log is registered with the salt that was told. */
export const hasSalt = async (l: NamedLog, salt: string): Promise<boolean> => b64(await sha(bytes(salt, 32))) === l.saltHash
