// FHIR's values as people read them, in their language: dates as precise as they were written, numbers with their
// units, names, addresses, doses, and what a reference points to.

import type { Resource } from '../engine/types.ts'
import type { ChartWords } from '../words/chart/en.ts'
import { commonName } from '../words/chart/names.ts'
import { choice, codes, concept, each, fields, first, isResource, list, number, text, type Fields } from './read.ts'
import { dateFormat, listFormat, numberFormat } from '../words/kept.ts'

export type FhirWords = ChartWords['fhir']

/** What reading a resource takes besides the resource: a language, its words, and the other resources of the chart. */
export interface Reader {
  readonly lang: string
  readonly say: FhirWords
  readonly find: (reference: string) => Resource | undefined
}

/** Finds resources by any of the ways in which references name them. */
export function finder(resources: Iterable<Resource>): Reader['find'] {
  const byName = new Map<string, Resource>()
  for (const r of resources) {
    if (r.id === undefined) continue
    for (const name of [r.id, `${r.resourceType}/${r.id}`, `urn:uuid:${r.id}`]) byName.set(name, r)
  }
  return (reference) => {
    const plain = reference.replace(/\/_history\/.*$/, '')
    return byName.get(plain) ?? byName.get(plain.split('/').slice(-2).join('/'))
  }
}

/** A time with the offset of a place is shown as on the clock there, so that a day stays the day it was; UTC as here. */
const placeClock = /^(.+T[\d:.]+)[+-](?!00:00$)\d\d:\d\d$/

/** A FHIR date or time, no more precise than it was written. A day is the same day in every time zone. */
export function dateText(c: Pick<Reader, 'lang'>, v: unknown, time = false): string {
  const written = text(v)
  const [, year, month, day, clock] = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(T.+)?)?)?$/.exec(written) ?? []
  if (year === undefined) return written
  const options: Intl.DateTimeFormatOptions = { year: 'numeric', ...(month && { month: day ? 'short' : 'long' }), ...(day && { day: 'numeric' }) }
  const there = placeClock.exec(written)?.[1]
  const at = clock ? new Date(there === undefined ? written : `${there}Z`) : new Date(Date.UTC(Number(year), Number(month ?? 1) - 1, Number(day ?? 1)))
  if (Number.isNaN(at.getTime())) return written
  const zone = clock && there === undefined ? {} : { timeZone: 'UTC' }
  return dateFormat(c.lang, { ...options, ...(clock && time && { hour: 'numeric', minute: '2-digit' }), ...zone }).format(at)
}

/** The day of a FHIR date in this time zone as YYYY-MM-DD, or as much of it as was written. */
export function dayOf(written: string): string {
  if (!written.includes('T') || placeClock.test(written)) return written.slice(0, 10)
  const at = new Date(written)
  if (Number.isNaN(at.getTime())) return written.slice(0, 10)
  return `${String(at.getFullYear()).padStart(4, '0')}-${String(at.getMonth() + 1).padStart(2, '0')}-${String(at.getDate()).padStart(2, '0')}`
}

export function periodText(c: Reader, v: unknown): string {
  const { start, end } = fields(v)
  const [from, to] = [dateText(c, start), dateText(c, end)]
  if (from !== '' && to !== '') return from === to ? from : c.say.fromTo(from, to)
  return from !== '' ? c.say.since(from) : to !== '' ? c.say.until(to) : ''
}

/** Two decimals are enough to read; small numbers keep three figures. */
export const numberText = (c: Pick<Reader, 'lang'>, n: number): string =>
  numberFormat(c.lang, Math.abs(n) >= 1 || n === 0 ? { maximumFractionDigits: 2 } : { maximumSignificantDigits: 3 }).format(n)

/** Units of UCUM that people write otherwise. Annotations in braces are not units. */
export function unitText(unit: string): string {
  const plain = unit.replace(/\{[^}]*\}/g, '').trim()
  const known: Readonly<Record<string, string>> = {
    'mm[Hg]': 'mmHg', 'kg/m2': 'kg/m²', Cel: '°C', '[degF]': '°F', '10*3/uL': '10³/µL', '10*6/uL': '10⁶/µL', '10*9/L': '10⁹/L', '10*12/L': '10¹²/L',
    '[in_i]': 'in', '[lb_av]': 'lb', '[iU]': 'IU', '[IU]': 'IU', 'mmol/L': 'mmol/L', 'mL/min/1.73_m2': 'mL/min/1.73 m²', 'mL/min/{1.73_m2}': 'mL/min/1.73 m²',
    '1': '', '/': '',
  }
  return known[unit] ?? known[plain] ?? plain.replace(/^u(?=[gLm])/, 'µ').replace(/\/u(?=[gL])/, '/µ').replace(/\[(.+?)\]/g, '$1')
}

/** Which unit a Quantity has: the written one says more to people than the code. */
export const unitOf = (quantity: Fields): string => unitText(first(text(quantity['unit']), text(quantity['code'])))

export function quantityText(c: Reader, v: unknown): string {
  const q = fields(v)
  const n = number(q['value'])
  if (n === undefined) return text(q['unit'])
  const unit = unitOf(q)
  const comparator = text(q['comparator'])
  return `${comparator}${numberText(c, n)}${unit === '' ? '' : unit === '%' || unit.startsWith('/') ? unit : `\u00a0${unit}`}`
}

export function moneyText(c: Reader, v: unknown): string {
  const { value, currency } = fields(v)
  const n = number(value)
  if (n === undefined) return ''
  try {
    return numberFormat(c.lang, { style: 'currency', currency: text(currency) || 'USD' }).format(n)
  } catch {
    return `${numberText(c, n)} ${text(currency)}`
  }
}

export function rangeText(c: Reader, v: unknown): string {
  const { low, high, text: own } = fields(v)
  const [from, to] = [quantityText(c, low), quantityText(c, high)]
  if (text(own) !== '') return /^n\/?a$/i.test(text(own)) ? '' : text(own)
  if (from !== '' && to !== '') return c.say.fromTo(from, to)
  return from !== '' ? `≥ ${from}` : to !== '' ? `≤ ${to}` : ''
}

/** The value of value[x] and its like. */
export function choiceText(c: Reader, r: Fields, name: string): string {
  const found = choice(r, name)
  if (!found) return ''
  const { type, value } = found
  switch (type) {
    case 'Quantity': case 'Age': case 'Duration': case 'SimpleQuantity': case 'Count': return quantityText(c, value)
    case 'CodeableConcept': case 'Coding': return conceptText(c, value)
    case 'Range': return rangeText(c, value)
    case 'Ratio': return [fields(value)['numerator'], fields(value)['denominator']].map((q) => quantityText(c, q)).filter((q) => q !== '').join(' / ')
    case 'Period': return periodText(c, value)
    case 'Timing': return timingText(c, value)
    case 'Money': return moneyText(c, value)
    case 'Reference': return referenceText(c, r, value)
    case 'Attachment': return first(text(fields(value)['title']), text(fields(value)['contentType']))
    case 'SampledData': return c.say.recording
    case 'Boolean': return value === true ? c.say.yes : value === false ? c.say.no : ''
    case 'DateTime': case 'Date': case 'Instant': return dateText(c, value)
    default: return typeof value === 'number' ? numberText(c, value) : text(value)
  }
}

/** Code systems whose codes Ward has words for. The same letter means other things elsewhere. */
const translated = new Set(['v3-ActCode', 'v3-ObservationInterpretation', 'v2-0078', 'observation-category', 'v2-0074', 'claim-type', 'condition-category', 'consentscope', 'temp'])

/** What a concept says; codes that Ward has words for are translated. */
export function conceptText(c: Reader, v: unknown): string {
  const f = fields(v)
  const codings = typeof v === 'string' ? [{ code: v }] : each(f['coding']).length > 0 ? each(f['coding']) : [f]
  for (const coding of codings) {
    const { system, code } = fields(coding)
    const name = text(system).split('/').at(-1) ?? ''
    const plain = text(code)
    const common = commonName(text(system), plain, c.lang)
    if (common !== undefined) return common
    const known = name === 'v3-MaritalStatus' ? `marital-${plain}` : name === 'urn:ward:care' ? `care-${plain}` : translated.has(name) || (name === '' && plain.length > 1) ? plain : ''
    // 'HH' is a home visit as a class of visits, and far too high as a reading of a result.
    const words = c.say.concepts[(known === 'HH' && name !== 'v3-ActCode' ? 'result-HH' : known) as keyof FhirWords['concepts']]
    if (words !== undefined) return words
  }
  return concept(v)
}

export const conceptTexts = (c: Reader, v: unknown): string => joined(c, list(v).map((one) => conceptText(c, one)))

/** A status code in words; one that is not known is shown as written, with spaces. */
export function statusText(c: Reader, v: unknown): string {
  const code = first(text(v), ...codes(v))
  return c.say.status[code as keyof FhirWords['status']] ?? first(typeof v === 'string' ? '' : concept(v), code).replaceAll('-', ' ')
}

export function joined(c: Pick<Reader, 'lang'>, parts: readonly string[]): string {
  const said = [...new Set(parts.filter((p) => p !== ''))]
  return said.length < 2 ? (said[0] ?? '') : listFormat(c.lang, { type: 'conjunction' }).format(said)
}

export function humanName(v: unknown): string {
  const names = each(v)
  const name = names.find((n) => n['use'] === 'official') ?? names.find((n) => n['use'] === 'usual') ?? names[0] ?? {}
  const words = (field: string): string => list(name[field]).map(text).join(' ')
  return first(text(name['text']), [words('prefix'), words('given'), text(name['family']), words('suffix')].filter((w) => w !== '').join(' '))
}

export function addressText(v: unknown): string {
  const a = fields(list(v)[0])
  return first(text(a['text']), [...list(a['line']).map(text), text(a['city']), [text(a['state']), text(a['postalCode'])].filter((p) => p !== '').join(' '), text(a['country'])].filter((p) => p !== '').join(', '))
}

export function telecomText(c: Reader, v: unknown, system: string): string {
  return joined(c, each(v).filter((t) => t['system'] === system).map((t) => text(t['value'])))
}

/** How a resource is called when another one points to it. */
export function nameOf(r: Resource): string {
  const names = Array.isArray(r['name']) ? humanName(r['name']) : first(text(r['name']), humanName(r['name']))
  return first(
    names, text(r['title']), concept(r['code']), concept(r['medicationCodeableConcept']), concept(r['vaccineCode']), each(r['type']).map(concept)[0] ?? '',
    first(text(fields(r['description'])['text']), text(r['description'])), text(list(each(r['deviceName']).map((d) => d['name']))[0]), concept(list(r['category'])[0]),
  )
}

/** What a reference of `from` points to: as the chart knows it, or as the reference says. */
export function resolve(c: Reader, from: Fields, v: unknown): Resource | undefined {
  const reference = text(fields(v)['reference'])
  if (reference.startsWith('#')) return each(from['contained']).filter(isResource).find((r) => r.id === reference.slice(1))
  return reference === '' ? undefined : c.find(reference)
}

export function referenceText(c: Reader, from: Fields, v: unknown): string {
  const display = text(fields(v)['display'])
  if (display !== '') return display
  const found = resolve(c, from, v)
  return found ? nameOf(found) : ''
}

export const referenceTexts = (c: Reader, from: Fields, v: unknown): string => joined(c, list(v).map((one) => referenceText(c, from, one)))

/** How often: 'twice every day', '8:00', 'in the morning'. */
export function timingText(c: Reader, v: unknown): string {
  const t = fields(v)
  const repeat = fields(t['repeat'])
  const unit = text(repeat['periodUnit'])
  const often = unit === '' ? '' : c.say.often(number(repeat['frequency']) ?? 1, number(repeat['period']) ?? 1, unit)
  const when = [...list(repeat['timeOfDay']).map((time) => text(time).slice(0, 5)), ...list(repeat['when']).map((w) => statusText(c, w))]
  return first(text(fields(t['code'])['text']), joined(c, [often, ...when]), conceptText(c, t['code']), joined(c, list(t['event']).map((e) => dateText(c, e))))
}

/** One Dosage as a sentence. */
export function dosageText(c: Reader, v: unknown): string {
  const d = fields(v)
  if (text(d['text']) !== '') return text(d['text'])
  const rate = each(d['doseAndRate'])[0] ?? d
  const dose = fields(rate['doseQuantity'])
  const n = number(dose['value'])
  const amount = n !== undefined && unitOf(dose) === '' ? c.say.atATime(numberText(c, n)) : choiceText(c, rate, 'dose')
  const often = timingText(c, d['timing'])
  const needed = d['asNeededBoolean'] === true || d['asNeededCodeableConcept'] !== undefined ? c.say.asNeeded : ''
  return [amount, often, conceptText(c, d['route']), needed, text(d['patientInstruction'])].filter((p) => p !== '').join(c.lang === 'ar' ? '، ' : ', ')
}

export const annotations = (v: unknown): string => list(v).map((n) => (typeof n === 'string' ? n : text(fields(n)['text']))).filter((n) => n !== '').join('\n')
