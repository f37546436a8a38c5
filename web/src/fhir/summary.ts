// What a chart says at a glance: current problems and medicines, allergies, results over time, immunizations.

import type { Resource } from '../engine/types.ts'
import { alertOf, medicineName, observed } from './clinical.ts'
import { codes, each, fields, first, hasCode, list, number, type Fields } from './read.ts'
import { conceptText, rangeText, unitOf, type Reader } from './values.ts'
import { inError, view, whenOf, type View } from './view.ts'

/** A resource, what it reads as, and what shows it. */
export interface Seen { readonly resource: Resource; readonly view: View }

export interface Point { readonly when: string; readonly value: number }

/** One thing that was measured, over time. Blood pressure has two lines. */
export interface Series {
  readonly key: string
  readonly title: string
  readonly unit: string
  readonly lines: readonly { readonly name: string; readonly points: readonly Point[] }[]
  readonly latest: { readonly when: string; readonly said: string; readonly alert?: 'warn' | 'danger' }
  readonly range: { readonly low?: number; readonly high?: number; readonly said: string }
  readonly vital: boolean
}

export interface Summary {
  readonly flags: readonly Seen[]      // what whoever opens the chart must know
  readonly problems: readonly Seen[]
  readonly past: readonly Seen[]
  readonly medicines: readonly Seen[]
  readonly allergies: readonly Seen[]
  readonly results: readonly Series[]
  readonly immunizations: readonly { readonly title: string; readonly times: readonly string[] }[]
}

const over = ['resolved', 'inactive', 'remission', 'refuted']
const taking = ['active', 'intended', 'on-hold', 'draft', 'unknown', '']

const newestFirst = (a: Seen, b: Seen): number => b.view.when.localeCompare(a.view.when)

/** The newest of each title. */
function newest(seen: readonly Seen[]): Seen[] {
  const byTitle = new Map<string, Seen>()
  for (const s of [...seen].sort(newestFirst)) if (!byTitle.has(s.view.title.toLowerCase())) byTitle.set(s.view.title.toLowerCase(), s)
  return [...byTitle.values()]
}

export function summarise(resources: readonly Resource[], c: Reader): Summary {
  const sound = resources.filter((r) => !inError(r))
  const of = (...types: readonly string[]): Seen[] => sound.filter((r) => types.includes(r.resourceType)).map((resource) => ({ resource, view: view(resource, c) }))
  const conditions = of('Condition')
  const done = (s: Seen): boolean => hasCode(s.resource['clinicalStatus'], ...over) || hasCode(s.resource['verificationStatus'], ...over)
  const problems = newest(conditions.filter((s) => !done(s)))
  const names = new Set(problems.map((s) => s.view.title))
  const given = sound.filter((r) => r.resourceType === 'Immunization' && r['status'] !== 'not-done')
  const byVaccine = grouped(given, (r) => conceptText(c, r['vaccineCode']))
  return {
    flags: newest(of('Flag').filter((s) => s.resource['status'] === 'active')), problems,
    past: newest(conditions.filter((s) => done(s) && !names.has(s.view.title) && !hasCode(s.resource['verificationStatus'], 'refuted'))),
    medicines: newest(of('MedicationRequest', 'MedicationStatement').filter((s) => taking.includes(String(s.resource['status'] ?? '')) && medicineName(s.resource, c) !== '')),
    allergies: newest(of('AllergyIntolerance').filter((s) => !done(s))).sort((a, b) => Number(b.view.alert === 'danger') - Number(a.view.alert === 'danger')),
    results: series(sound.filter((r) => r.resourceType === 'Observation'), c),
    immunizations: [...byVaccine].map(([title, all]) => ({ title, times: all.map(whenOf).filter((w) => w !== '').sort().reverse() }))
      .sort((a, b) => (b.times[0] ?? '').localeCompare(a.times[0] ?? '')),
  }
}

function grouped<T>(all: readonly T[], key: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const one of all) {
    const name = key(one)
    const group = groups.get(name)
    if (group) group.push(one)
    else groups.set(name, [one])
  }
  return groups
}

/** Laboratory results and vital signs; answers to questions and the like are in the timeline. */
const measured = (o: Fields): boolean =>
  o['valueQuantity'] !== undefined || each(o['component']).some((p) => p['valueQuantity'] !== undefined)

const isVital = (o: Fields): boolean => list(o['category']).some((category) => hasCode(category, 'vital-signs'))

function series(observations: readonly Resource[], c: Reader): Series[] {
  const groups = grouped(observations.filter(measured), (o) => first(codes(o['code'])[0] ?? '', conceptText(c, o['code'])))
  const all = [...groups].flatMap(([key, group]): Series[] => {
    const byTime = group.map((o) => ({ o, when: whenOf(o) })).filter((x) => x.when !== '').sort((a, b) => a.when.localeCompare(b.when))
    const last = byTime.at(-1)
    if (!last) return []
    const part = each(last.o['component']).find((p) => p['valueQuantity'] !== undefined)
    const unit = unitOf(fields((part ?? last.o)['valueQuantity']))
    const alert = alertOf(last.o) ?? each(last.o['component']).map(alertOf).find((a) => a !== undefined)
    const range = fields(each(last.o['referenceRange'])[0])
    const [low, high] = [number(fields(range['low'])['value']), number(fields(range['high'])['value'])]
    return [{
      key, unit, title: conceptText(c, last.o['code']), vital: isVital(last.o), lines: linesOf(byTime, unit, c),
      latest: { when: last.when, said: observed(last.o, c), ...(alert && { alert }) },
      range: { said: rangeText(c, range), ...(low !== undefined && { low }), ...(high !== undefined && { high }) },
    }]
  })
  return all.sort((a, b) => b.latest.when.slice(0, 10).localeCompare(a.latest.when.slice(0, 10)) || Number(b.vital) - Number(a.vital) || b.lines.reduce((n, l) => n + l.points.length, 0) - a.lines.reduce((n, l) => n + l.points.length, 0))
}

/** The points of a series, those with another unit left out: they would not be on one scale. */
function linesOf(byTime: readonly { o: Fields; when: string }[], unit: string, c: Reader): Series['lines'] {
  const lines = new Map<string, { name: string; points: Point[] }>()
  for (const { o, when } of byTime) {
    for (const part of o['valueQuantity'] !== undefined ? [o] : each(o['component'])) {
      const q = fields(part['valueQuantity'])
      const value = number(q['value'])
      if (value === undefined || unitOf(q) !== unit) continue
      const key = codes(part['code'])[0] ?? ''
      const line = lines.get(key) ?? { name: conceptText(c, part['code']), points: [] }
      line.points.push({ when, value })
      lines.set(key, line)
    }
  }
  // The higher line first, as in 'systolic over diastolic'.
  return [...lines.values()].sort((a, b) => (b.points.at(-1)?.value ?? 0) - (a.points.at(-1)?.value ?? 0))
}
