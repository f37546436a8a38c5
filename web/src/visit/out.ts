// Who is out of a visit: whom its host took out, for good. The group says it in its context (an extension for private use,
// RFC 9420, section 17.3), so that who comes later knows it too. Only the host's commits change that list, and it only
// grows: an admission from before opens nothing any more, whoever forgot what. Each browser keeps what it knew, so that
// no server can show it the group as it was before.

import type { Extension } from 'ts-mls'
import { isID, utf8 } from '../seal/bytes.ts'

export const outType = 0xf001
const idSize = 26
/** More than can be taken out of one visit: the links for guests that it ever has, and those who hold the chart. */
const maxOut = 100

/** Who is out, as far as this browser knows. */
export interface Out {
  readonly members: ReadonlySet<string>
  /** Keeps that they are out, through a reload too. */
  add(members: Iterable<string>): Promise<void>
}

/** Their ids, in order, one after the other. */
export function writeOut(members: ReadonlySet<string>): Extension {
  if (members.size > maxOut) throw new Error(`more than ${maxOut} were taken out of this visit`)
  return { extensionType: outType, extensionData: utf8([...members].sort().join('')) }
}

/** Who is out, as a group's context says; undefined if it does not say it as it must. */
export function readOut(extensions: readonly Extension[]): ReadonlySet<string> | undefined {
  const [only] = extensions
  if (extensions.length !== 1 || only?.extensionType !== outType || only.extensionData.length > maxOut * idSize) return undefined
  const all = String.fromCharCode(...only.extensionData).match(/[^]{1,26}/g) ?? []
  return all.every((id, i) => isID(id) && (i === 0 || id > (all[i - 1] as string))) ? new Set(all) : undefined
}

/** The first of some who are not among others. */
export const missingFrom = (some: ReadonlySet<string>, others: ReadonlySet<string>): string | undefined => [...some].find((member) => !others.has(member))
