// What a visit leaves in the chart besides its note: that it took place, what the patient takes away from it, what is to
// be done, and how the connection was. Each is a FHIR R4 resource that names the visit, and reads back here.
//
// What is to be done is asked for in one entry and done in another: whoever does it may not change what somebody else
// wrote. A Task that is based on the entry says how it stands, and the newest of them counts.

import type { ID, Item, Resource } from '../engine/types.ts'
import { codes, each, fields, first, hasCode, list, number, text, type Fields } from './read.ts'
import { idOf, urlOf, type ShippedID } from './questionnaires.ts'

/** The code system of what Ward has no code for elsewhere. words/chart has what each is called. */
export const careSystem = 'urn:ward:care'
const entrySystem = 'urn:ward:entry'
const visitSystem = 'urn:ward:visit'

const byChart = (chart: ID): object => ({ identifier: { system: 'urn:ward:chart', value: chart } })
const byPerson = (person: ID, name: string): object => ({ identifier: { system: 'urn:ward:person', value: person }, ...(name !== '' && { display: name }) })
const byEntry = (entry: ID): object => ({ identifier: { system: entrySystem, value: entry } })
const byVisit = (visit: ID): object => ({ identifier: { system: visitSystem, value: visit } })
const ours = (code: string): object => ({ coding: [{ system: careSystem, code }] })

const named = (reference: unknown, system: string): ID => {
  const { identifier } = fields(reference)
  return fields(identifier)['system'] === system ? text(fields(identifier)['value']) : ''
}

/** Which visit a resource is about; '' if none. */
export const visitOf = (r: Resource): ID =>
  first(named(r['encounter'], visitSystem), ...list(fields(r['context'])['encounter']).map((e) => named(e, visitSystem)), ...each(r['identifier']).map((i) => named({ identifier: i }, visitSystem)))

/** Who writes, where and when. */
export interface By { readonly chart: ID; readonly person: ID; readonly name: string; readonly date: string; readonly visit?: ID }

// That it took place.

/** Someone else in the visit, and as what. An interpreter is told apart, since a record of what was said needs it. */
export interface Other { readonly name: string; readonly as: 'interpreter' | 'clinician' | 'other' }

export interface TookPlace {
  readonly visit: ID; readonly chart: ID; readonly host: ID; readonly hostName: string
  readonly began: string; readonly ended: string
  readonly others?: readonly Other[]
}

const participation: Readonly<Record<Other['as'] | 'host', readonly [system: string, code: string, display: string]>> = {
  host: ['v3-ParticipationType', 'PPRF', 'primary performer'], clinician: ['v3-ParticipationType', 'SPRF', 'secondary performer'],
  interpreter: ['participant-type', 'translator', 'Translator'], other: ['v3-ParticipationType', 'PART', 'Participation'],
}

const taking = (as: keyof typeof participation): object => {
  const [system, code, display] = participation[as]
  return { type: [{ coding: [{ system: `http://terminology.hl7.org/CodeSystem/${system}`, code, display }] }] }
}

/** The visit as FHIR has it: a virtual encounter, with its times and who took part. The host's browser writes it. */
export function encounterOf(v: TookPlace): Resource {
  const period = { start: v.began, end: v.ended }
  return {
    resourceType: 'Encounter', status: 'finished', identifier: [{ system: visitSystem, value: v.visit }],
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'VR', display: 'virtual' },
    subject: byChart(v.chart), period, appointment: [byVisit(v.visit)],
    participant: [
      { ...taking('host'), period, individual: byPerson(v.host, v.hostName) },
      ...(v.others ?? []).map((o) => ({ ...taking(o.as), individual: { display: o.name } })),
    ],
  }
}

// What the patient takes away.

export const summaryParts = ['talked', 'todo', 'medicines', 'help', 'next'] as const
export type SummaryPart = (typeof summaryParts)[number]
export type SummaryTexts = Readonly<Record<SummaryPart, string>>

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const xhtml = (words: string): string => words.replace(/[&<>"]/g, (c) => escapes[c] ?? c)

/** Words as FHIR's narrative: a paragraph for each line. */
const paragraphs = (words: string, lang: string): object => ({
  status: 'additional',
  div: `<div xmlns="http://www.w3.org/1999/xhtml" lang="${xhtml(lang)}">${words.split('\n').map((l) => l.trim()).filter((l) => l !== '').map((l) => `<p>${xhtml(l)}</p>`).join('')}</div>`,
})

/** An after-visit summary, in the patient's language, as LOINC's patient instructions. Parts left empty are not in it. */
export function summaryOf(by: By & { readonly lang: string }, title: string, titles: Readonly<Record<SummaryPart, string>>, texts: SummaryTexts): Resource {
  return {
    resourceType: 'Composition', status: 'final', language: by.lang, type: { coding: [{ system: 'http://loinc.org', code: '69730-0', display: 'Instructions' }] },
    subject: byChart(by.chart), ...(by.visit && { encounter: byVisit(by.visit) }), date: by.date, author: [byPerson(by.person, by.name)], title,
    section: summaryParts.filter((p) => texts[p].trim() !== '').map((p) => ({ title: titles[p], code: ours(p), text: paragraphs(texts[p], by.lang) })),
  }
}

export interface AfterVisitSummary {
  readonly entry: ID; readonly visit: ID; readonly date: string; readonly lang: string; readonly title: string; readonly by: string
  readonly sections: readonly { readonly part: SummaryPart; readonly title: string; readonly lines: readonly string[] }[]
}

const unescape = (words: string): string =>
  words.replace(/<[^>]*>/g, '').replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&quot;/g, '"').replace(/&amp;/g, '&').trim()

const isPart = (code: string): code is SummaryPart => (summaryParts as readonly string[]).includes(code)

/** Reads a summary that Ward wrote; undefined if it is another document. */
export function readSummary(entry: ID, r: Resource): AfterVisitSummary | undefined {
  if (r.resourceType !== 'Composition' || !hasCode(r['type'], '69730-0')) return undefined
  const sections = each(r['section']).flatMap((s) => {
    const part = codes(s['code']).find(isPart)
    const lines = text(fields(s['text'])['div']).split('</p>').map(unescape).filter((l) => l !== '')
    return part && lines.length > 0 ? [{ part, title: text(s['title']), lines }] : []
  })
  if (sections.length === 0) return undefined
  return { entry, visit: visitOf(r), date: text(r['date']), lang: text(r['language']), title: text(r['title']), by: text(fields(list(r['author'])[0])['display']), sections }
}

// What is to be done.

export type Whose = 'patient' | 'clinic'

/** Something to do, for the patient or for the clinic. due is a day. */
export const taskOf = (by: By, what: string, whose: Whose, due = ''): Resource => ({
  resourceType: 'Task', status: 'requested', intent: 'order', description: what, for: byChart(by.chart), ...(by.visit && { encounter: byVisit(by.visit) }),
  authoredOn: by.date, lastModified: by.date, requester: byPerson(by.person, by.name), performerType: [ours(whose)], ...(due !== '' && { restriction: { period: { end: due } } }),
})

/** A request to answer a questionnaire, as HL7's Structured Data Capture has it. */
export const questionnaireTask = (by: By, id: ShippedID, due = ''): Resource => ({
  resourceType: 'Task', status: 'requested', intent: 'order', code: { coding: [{ system: 'http://hl7.org/fhir/uv/sdc/CodeSystem/temp', code: 'complete-questionnaire' }] },
  for: byChart(by.chart), ...(by.visit && { encounter: byVisit(by.visit) }), authoredOn: by.date, lastModified: by.date, requester: byPerson(by.person, by.name), performerType: [ours('patient')],
  ...(due !== '' && { restriction: { period: { end: due } } }), input: [{ type: { text: 'questionnaire' }, valueCanonical: urlOf(id) }],
})

/** That someone should be seen again, and about when. */
export const followUpOf = (by: By, what: string, when: string): Resource => ({
  resourceType: 'ServiceRequest', status: 'active', intent: 'plan', code: { ...ours('follow-up') }, subject: byChart(by.chart), ...(by.visit && { encounter: byVisit(by.visit) }),
  authoredOn: by.date, requester: byPerson(by.person, by.name), ...(when !== '' && { occurrenceDateTime: when }), ...(what !== '' && { patientInstruction: what }),
})

/** How what another entry asks for stands now. */
export const standingOf = (by: By, entry: ID, what: string, status: 'completed' | 'requested' | 'cancelled'): Resource => ({
  resourceType: 'Task', status, intent: 'order', basedOn: [byEntry(entry)], ...(what !== '' && { description: what }), for: byChart(by.chart),
  ...(by.visit && { encounter: byVisit(by.visit) }), authoredOn: by.date, lastModified: by.date, owner: byPerson(by.person, by.name),
})

export interface Todo {
  readonly entry: ID
  readonly compartment: Item['compartment']
  readonly kind: 'task' | 'questionnaire' | 'follow-up'
  readonly whose: Whose
  readonly what: string                // '' for questionnaires and most follow-ups, which have words of their own
  readonly questionnaire?: ShippedID
  readonly asked: string
  readonly by: string
  readonly due: string
  readonly visit: ID
  readonly done?: { readonly time: string; readonly by: string }
}

/** An entry as it counts: neither withdrawn, nor replaced, nor refused. */
const counts = (i: Item): boolean => i.retracts === undefined && i.retractedBy === undefined && i.amendedBy === undefined && i.state !== 'refused'

const followed = (r: Fields): ID => first(...list(r['basedOn']).map((b) => named(b, entrySystem)))

/** What was said later of what an entry asked for. */
interface Said { readonly status: string; readonly time: string; readonly author: Item['author'] }

function later(items: readonly Item[]): (entry: ID, honoured: (s: Said) => boolean) => Said | undefined {
  const found = new Map<ID, Said[]>()
  for (const item of items.filter(counts)) {
    for (const r of item.resources) {
      const about = r.resourceType === 'Task' ? followed(r) : ''
      if (about !== '') found.set(about, [...(found.get(about) ?? []), { status: text(r['status']), time: item.time, author: item.author }])
    }
  }
  return (entry, honoured) => found.get(entry)?.findLast(honoured)
}

const treats = (author: Item['author']): boolean => author.roles.includes('clinician')

/** Who may say how a thing stands: clinicians, who asked for it, and, that it is done or not, the patient of what is theirs to do. */
const honouredFor = (item: Item, whose: Whose) => ({ status, author }: Said): boolean =>
  treats(author) || author.person === item.author.person || (whose === 'patient' && status !== 'cancelled')

/** Everything that was asked for in a chart, what is open first. A questionnaire is done when it was answered since. */
export function todosOf(items: readonly Item[]): Todo[] {
  const standing = later(items)
  const answered = items.filter(counts).flatMap((i) => i.resources.filter((r) => r.resourceType === 'QuestionnaireResponse').map((r) => ({ id: idOf(r['questionnaire']), time: i.time, by: i.author.name })))
  const all = items.filter(counts).flatMap((item) => item.resources.flatMap((r): Todo[] => {
    const asked = readAsked(r)
    if (!asked) return []
    const said = standing(item.entry, honouredFor(item, asked.whose))
    if (said?.status === 'cancelled') return []
    const answer = asked.questionnaire && answered.find((a) => a.id === asked.questionnaire && a.time >= item.time)
    const done = answer ?? (said?.status === 'completed' ? { time: said.time, by: said.author.name } : undefined)
    return [{ ...asked, entry: item.entry, compartment: item.compartment, asked: item.time, by: item.author.name, visit: visitOf(r), ...(done && { done: { time: done.time, by: done.by } }) }]
  }))
  return all.sort((a, b) => Number(a.done !== undefined) - Number(b.done !== undefined) || (a.due || '9').localeCompare(b.due || '9') || a.asked.localeCompare(b.asked))
}

function readAsked(r: Resource): Pick<Todo, 'kind' | 'whose' | 'what' | 'questionnaire' | 'due'> | undefined {
  if (r.resourceType === 'ServiceRequest' && hasCode(r['code'], 'follow-up')) return { kind: 'follow-up', whose: 'patient', what: text(r['patientInstruction']), due: text(r['occurrenceDateTime']) }
  if (r.resourceType !== 'Task' || followed(r) !== '' || text(r['status']) !== 'requested') return undefined
  const due = text(fields(fields(r['restriction'])['period'])['end'])
  const whose = list(r['performerType']).some((p) => hasCode(p, 'clinic')) ? 'clinic' : 'patient'
  if (hasCode(r['code'], 'complete-questionnaire')) {
    const questionnaire = idOf(each(r['input'])[0]?.['valueCanonical'])
    return questionnaire && { kind: 'questionnaire', whose, what: '', questionnaire, due }
  }
  return text(r['description']) === '' ? undefined : { kind: 'task', whose, what: text(r['description']), due }
}

// How the connection was.

export const faults = ['sound', 'picture', 'dropped'] as const
export type Fault = (typeof faults)[number]
export const bestRating = 5

/** What someone thought of the connection, from 1 to 5. It is in the chart and nowhere else: the server learns nothing. */
export const ratingOf = (by: By, stars: number, wrong: readonly Fault[]): Resource => ({
  resourceType: 'Observation', status: 'final', category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'survey' }] }],
  code: ours('connection'), subject: byChart(by.chart), ...(by.visit && { encounter: byVisit(by.visit) }), effectiveDateTime: by.date, performer: [byPerson(by.person, by.name)],
  valueInteger: Math.min(bestRating, Math.max(1, Math.round(stars))),
  ...(wrong.length > 0 && { component: wrong.map((w) => ({ code: ours(w), valueBoolean: true })) }),
})

export interface Rating { readonly visit: ID; readonly person: ID; readonly stars: number; readonly wrong: readonly Fault[] }

export function ratingsOf(items: readonly Item[]): Rating[] {
  return items.filter(counts).flatMap((item) => item.resources.flatMap((r): Rating[] => {
    const stars = number(r['valueInteger'])
    if (r.resourceType !== 'Observation' || !hasCode(r['code'], 'connection') || stars === undefined) return []
    return [{ visit: visitOf(r), person: item.author.person, stars, wrong: each(r['component']).flatMap((c) => codes(c['code']).filter((code): code is Fault => (faults as readonly string[]).includes(code))) }]
  }))
}

// Whether someone spoke with the patient about what a questionnaire raised.

export interface Concern {
  readonly entry: ID; readonly compartment: Item['compartment']; readonly time: string; readonly answer: string
  readonly calmer?: string             // when a newer answer raised no concern
  readonly seen?: { readonly time: string; readonly by: string }
}

/**
 * What asks for someone's attention at once. A newer answer that is calmer does not take it away: only a clinician who
 * spoke with the patient does. worrying gives the answer, '' if it is none to worry about, undefined if nothing was asked.
 */
export function concernOf(items: readonly Item[], worrying: (r: Resource) => string | undefined): Concern | undefined {
  const standing = later(items)
  let calmer: string | undefined
  for (const item of items.filter(counts).reverse()) {
    const answer = item.resources.filter((r) => r.resourceType === 'QuestionnaireResponse').map(worrying).find((a) => a !== undefined)
    if (answer === undefined) continue
    if (answer === '') {
      calmer ??= item.time
      continue
    }
    const said = standing(item.entry, ({ author }) => treats(author))
    const seen = said?.status === 'completed' ? { time: said.time, by: said.author.name } : undefined
    if (seen && calmer !== undefined) return undefined
    return { entry: item.entry, compartment: item.compartment, time: item.time, answer, ...(calmer !== undefined && { calmer }), ...(seen && { seen }) }
  }
  return undefined
}
