// Careful reading of FHIR. Resources come from many systems and some are wrong: nothing here trusts a field to be
// there or to have its right shape, and what cannot be read is left out.

import type { Resource } from '../engine/types.ts'

export interface Fields { readonly [field: string]: unknown }

const isFields = (v: unknown): v is Fields => typeof v === 'object' && v !== null && !Array.isArray(v)

/** The value as an object; an empty one if it is anything else. */
export const fields = (v: unknown): Fields => (isFields(v) ? v : {})

/** The value as a list: FHIR has fields that are a list in one version and a single value in another. */
export const list = (v: unknown): readonly unknown[] => (Array.isArray(v) ? v : v === undefined || v === null ? [] : [v])

/** The objects of a list. */
export const each = (v: unknown): readonly Fields[] => list(v).filter(isFields)

export const text = (v: unknown): string => (typeof v === 'string' ? v.trim() : '')

export const number = (v: unknown): number | undefined => (typeof v === 'number' && Number.isFinite(v) ? v : undefined)

export const isResource = (v: unknown): v is Resource => isFields(v) && typeof v['resourceType'] === 'string'

/** The first of some texts that says anything. */
export const first = (...texts: readonly string[]): string => texts.find((t) => t !== '') ?? ''

/** The codes of a CodeableConcept, a Coding or a plain code. */
export function codes(v: unknown): readonly string[] {
  return list(v).flatMap((one) => {
    if (typeof one === 'string') return [one]
    const coding = each(fields(one)['coding'])
    return (coding.length > 0 ? coding : each(one)).map((c) => text(c['code'])).filter((c) => c !== '')
  })
}

export const hasCode = (v: unknown, ...wanted: readonly string[]): boolean => codes(v).some((c) => wanted.includes(c))

/** SNOMED CT's fully specified names end with what kind of thing they name, which is for its editors. */
const semanticTag = / \((disorder|finding|procedure|situation|event|observable entity|physical object|product|medicinal product|substance|body structure|regime\/therapy|morphologic abnormality|person|environment|qualifier value|record artifact|specimen|assessment scale)\)$/

/** What a CodeableConcept, a Coding or a plain string says. */
export function concept(v: unknown): string {
  if (typeof v === 'string') return v.trim()
  const { text: own, display, coding, code } = fields(v)
  const codings = each(coding)
  return first(text(own), ...codings.map((c) => text(c['display'])), text(display), ...codings.map((c) => text(c['code'])), text(code)).replace(semanticTag, '')
}

/** The one field of a choice, as value[x] or onset[x]: its type, and what it holds. */
export function choice(r: Fields, name: string): { readonly type: string; readonly value: unknown } | undefined {
  for (const key of Object.keys(r)) {
    const type = key.slice(name.length)
    if (key.startsWith(name) && /^[A-Z]/.test(type) && r[key] !== undefined && r[key] !== null) return { type, value: r[key] }
  }
  return undefined
}

/** When something was or began, as FHIR writes it: '2019', '2019-04', '2019-04-02' or an instant. */
export function moment(v: unknown): string {
  if (typeof v === 'string') return /^\d{4}/.test(v) ? v : ''
  const { start, end, event } = fields(v)
  return first(text(start), text(list(event)[0]), text(end))
}

/** Plain words of a narrative. The markup is dropped, never shown as markup. */
export function narrative(r: Fields): string {
  const div = text(fields(r['text'])['div'])
  return div.replace(/<(script|style)\b[\s\S]*?<\/\1>/gi, '')
    .replace(/<(br|p|li|tr|div|h\d)\b[^>]*>/gi, '\n').replace(/<[^>]*>/g, ' ')
    .replace(/&nbsp;/g, ' ').replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&quot;/g, '"').replace(/&#39;/g, "'").replace(/&amp;/g, '&')
    .split('\n').map((line) => line.replace(/\s+/g, ' ').trim()).filter((line) => line !== '').join('\n')
}
