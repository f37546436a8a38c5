// Who is out of a visit: whom its host took out, for good. The group says it in its context (an extension for private use,
// RFC 9420, section 17.3), so that who comes later knows it too. Only the host's commits change that list, and it only
// grows: an admission from before opens nothing any more, whoever forgot what. Each browser keeps what it knew, and an
// admission says who was out when it was given, so that no server can show anyone the group as it was before.

import type { Extension } from 'ts-mls'
import { utf8 } from '../seal/bytes.ts'
import { idsOf } from '../seal/statements.ts'

export const outType = 0xf001

/** Who is out, as far as this browser knows. */
export interface Out {
  readonly members: ReadonlySet<string>
  /** Keeps that they are out, through a reload too. */
  add(members: Iterable<string>): Promise<void>
}

/** Their ids, in order, one after the other. */
export function listOut(members: ReadonlySet<string>): string {
  const list = [...members].sort().join('')
  if (!idsOf(list)) throw new Error('more were taken out of this visit than can be')
  return list
}

export const writeOut = (members: ReadonlySet<string>): Extension => ({ extensionType: outType, extensionData: utf8(listOut(members)) })

/** Who is out, as a group's context says; undefined if it does not say it as it must. */
export function readOut(extensions: readonly Extension[]): ReadonlySet<string> | undefined {
  const [only] = extensions
  if (extensions.length !== 1 || only?.extensionType !== outType) return undefined
  const all = idsOf(new TextDecoder('latin1').decode(only.extensionData))
  return all && new Set(all)
}

/** The first of some who are not among others. */
export const missingFrom = (some: ReadonlySet<string>, others: ReadonlySet<string>): string | undefined => [...some].find((member) => !others.has(member))
