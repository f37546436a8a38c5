// What people in a visit are called on the screen. A guest gives their own name, so it may be anything: it is shown so that
// nothing in it acts on what stands around it, it cannot end the quotation marks that it stands in, and it says if it would be
// taken for the name of somebody else here.

import { alike, checkName, shownName } from '../seal/names.ts'
import type { Caller, Visit } from './door.ts'

const quotes = /["“”„‟«»‹›＂]/gu

/** The visit with names as they are shown. */
export function shownVisit(v: Visit): Visit {
  const shown = { ...v, hostName: shownName(v.hostName), patientName: shownName(v.patientName) }
  const others = [{ member: v.host, name: shown.hostName }, { member: v.patient, name: shown.patientName }]
  return { ...shown, callers: v.callers.map((c) => shownCaller(c, [...others, ...v.callers.filter((o) => !o.guest || o.since < c.since)])) }
}

function shownCaller(c: Caller, others: readonly Pick<Caller, 'member' | 'name'>[]): Caller {
  const name = shownName(c.name)
  if (!c.guest) return { ...c, name }
  const like = others.find((o) => o.member !== c.member && alike(c.name, o.name))
  return { ...c, name: name.replace(quotes, '’'), guest: { ...c.guest, byName: shownName(c.guest.byName), ...(like && { like: shownName(like.name) }), ...(checkName(c.name) && c.name !== '' && { odd: true as const }) } }
}
