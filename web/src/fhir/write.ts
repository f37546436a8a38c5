// The FHIR R4 that Ward itself writes. Inside a chart the patient is named by the chart's id, people by theirs.

import type { Resource } from '../engine/types.ts'

const chartSystem = 'urn:ward:chart'
const personSystem = 'urn:ward:person'
const visitSystem = 'urn:ward:visit'
/** What opens the commitment to the name, in the signed history. */
const nameSystem = 'urn:ward:name'

const byChart = (chart: string): object => ({ identifier: { system: chartSystem, value: chart } })
const byPerson = (person: string, name?: string): object => ({ identifier: { system: personSystem, value: person }, ...(name && { display: name }) })

export interface PersonFields {
  readonly person: string; readonly chart?: string; readonly salt?: string
  readonly name: { readonly given: string; readonly family: string }
  readonly birthDate?: string; readonly phone?: string; readonly email?: string; readonly language?: string
}

/** Patient for patients, Practitioner for staff, Person for proxies without a chart here. */
export function person(kind: 'Patient' | 'Practitioner' | 'Person', f: PersonFields): Resource {
  const telecom = [
    ...(f.phone ? [{ system: 'phone', value: f.phone }] : []),
    ...(f.email ? [{ system: 'email', value: f.email }] : []),
  ]
  return {
    resourceType: kind,
    identifier: [
      { system: personSystem, value: f.person },
      ...(f.chart ? [{ system: chartSystem, value: f.chart }] : []),
      ...(f.salt ? [{ system: nameSystem, value: f.salt }] : []),
    ],
    name: [{ use: 'official', text: fullName(f.name), ...(f.name.family && { family: f.name.family }), ...(f.name.given && { given: f.name.given.split(/\s+/) }) }],
    ...(telecom.length > 0 && { telecom }),
    ...(f.birthDate && { birthDate: f.birthDate }),
    ...(f.language && kind === 'Patient' && { communication: [{ language: { coding: [{ system: 'urn:ietf:bcp:47', code: f.language }] }, preferred: true }] }),
  }
}

export const fullName = (name: { readonly given: string; readonly family: string }): string => `${name.given} ${name.family}`.trim()

interface Named { text?: string; family?: string; given?: string[] }

/** What a person entry says, as far as it does. */
export function readPerson(r: Resource): (Partial<PersonFields> & { readonly fullName: string }) | undefined {
  if (r.resourceType !== 'Patient' && r.resourceType !== 'Practitioner' && r.resourceType !== 'Person') return undefined
  const ids = (Array.isArray(r['identifier']) ? r['identifier'] : []) as { system?: string; value?: string }[]
  const id = (system: string): string | undefined => ids.find((i) => i.system === system)?.value
  const name = ((Array.isArray(r['name']) ? r['name'] : []) as Named[])[0] ?? {}
  const telecom = (Array.isArray(r['telecom']) ? r['telecom'] : []) as { system?: string; value?: string }[]
  const contact = (system: string): string | undefined => telecom.find((t) => t.system === system)?.value
  const parts = { given: (name.given ?? []).join(' '), family: name.family ?? '' }
  const birthDate = typeof r['birthDate'] === 'string' ? r['birthDate'] : undefined
  const found = { person: id(personSystem), chart: id(chartSystem), salt: id(nameSystem), birthDate, phone: contact('phone'), email: contact('email') }
  return {
    ...(Object.fromEntries(Object.entries(found).filter(([, v]) => v !== undefined)) as Partial<PersonFields>),
    name: parts, fullName: name.text ?? fullName(parts),
  }
}

/** Someone whom the patient introduces to those who read the chart: a carer. */
export const relatedPerson = (chart: string, person: string, name: string): Resource => ({
  resourceType: 'RelatedPerson', identifier: [{ system: personSystem, value: person }], active: true, patient: byChart(chart), name: [{ text: name }],
})

/** Who a RelatedPerson of Ward's is. */
export function readRelated(r: Resource | undefined): { readonly person: string; readonly name: string } | undefined {
  if (r?.resourceType !== 'RelatedPerson') return undefined
  const ids = (Array.isArray(r['identifier']) ? r['identifier'] : []) as { system?: unknown; value?: unknown }[]
  const person = ids.find((i) => i?.system === personSystem)?.value
  const name = ((Array.isArray(r['name']) ? r['name'] : []) as Named[])[0]?.text
  return typeof person === 'string' && typeof name === 'string' && name !== '' ? { person, name } : undefined
}

const encode = (text: string): string => {
  let binary = ''
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte)
  return btoa(binary)
}

export const decodeText = (data: string): string => new TextDecoder().decode(Uint8Array.from(atob(data), (c) => c.charCodeAt(0)))

/** A clinical note. */
export const note = (chart: string, author: string, authorName: string, date: string, title: string, text: string, visit?: string): Resource => ({
  resourceType: 'DocumentReference', status: 'current',
  type: { coding: [{ system: 'http://loinc.org', code: '11506-3', display: 'Progress note' }], text: title || 'Note' },
  subject: byChart(chart), author: [byPerson(author, authorName)], date,
  content: [{ attachment: { contentType: 'text/plain;charset=utf-8', data: encode(text), title: title || 'Note' } }],
  ...(visit && { context: { encounter: [{ identifier: { system: 'urn:ward:visit', value: visit } }] } }),
})

/** A message between a patient and the care team. */
export const message = (chart: string, author: string, authorName: string, date: string, text: string, inReplyTo?: string): Resource => ({
  resourceType: 'Communication', status: 'completed', subject: byChart(chart), sender: byPerson(author, authorName), sent: date,
  ...(inReplyTo && { inResponseTo: [{ identifier: { system: 'urn:ward:entry', value: inReplyTo } }] }),
  payload: [{ contentString: text }],
})

/** The patient's consent to how the clinic keeps and shares the chart. */
export const consent = (chart: string, author: string, date: string, version: string, text: string): Resource => ({
  resourceType: 'Consent', status: 'active',
  scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
  category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0', display: 'Patient Consent' }] }],
  patient: byChart(chart), dateTime: date, performer: [byPerson(author)],
  policyRule: { text: `${text} (${version})` },
})

/** Why an entry is not to be relied on any more. */
export const retraction = (chart: string, author: string, authorName: string, date: string, reason: string): Resource => ({
  resourceType: 'Communication', status: 'entered-in-error', statusReason: { text: reason || 'Withdrawn by its author' },
  subject: byChart(chart), sender: byPerson(author, authorName), sent: date,
  payload: [{ contentString: reason || 'Withdrawn by its author' }],
})

export interface Booking {
  readonly visit: string; readonly start: string; readonly end: string; readonly patient: string; readonly chart: string; readonly patientName: string
  readonly with: string; readonly withName: string; readonly reason?: string
}

/** What a visit is about. When and with whom is as it was at the time; the server has how it stands. */
export const appointment = (b: Booking, status: 'booked' | 'cancelled'): Resource => ({
  resourceType: 'Appointment', identifier: [{ system: visitSystem, value: b.visit }], status, ...(b.reason && { reasonCode: [{ text: b.reason }] }), start: b.start, end: b.end,
  participant: [
    { actor: { identifier: { system: personSystem, value: b.patient }, display: b.patientName }, status: 'accepted' },
    { actor: { identifier: { system: personSystem, value: b.with }, display: b.withName }, status: 'accepted' },
  ],
  supportingInformation: [byChart(b.chart)],
})

/** Which visit an Appointment of Ward's is about, and what the visit is about. */
export function readAppointment(r: Resource): { readonly visit: string; readonly reason: string } | undefined {
  if (r.resourceType !== 'Appointment') return undefined
  const identifiers = (Array.isArray(r['identifier']) ? r['identifier'] : []) as { system?: unknown; value?: unknown }[]
  const visit = identifiers.find((i) => i?.system === visitSystem)?.value
  const reasons = (Array.isArray(r['reasonCode']) ? r['reasonCode'] : []) as { text?: unknown }[]
  const reason = reasons[0]?.text
  return typeof visit === 'string' ? { visit, reason: typeof reason === 'string' ? reason : '' } : undefined
}

/** The resources of an imported file: a Bundle of any type, one resource, a list, or NDJSON. */
export function resourcesOf(text: string): Resource[] | undefined {
  try {
    return flatten(JSON.parse(text))
  } catch {
    try {
      return text.split('\n').filter((line) => line.trim() !== '').flatMap((line) => flatten(JSON.parse(line)) ?? [])
    } catch {
      return undefined
    }
  }
}

function flatten(value: unknown): Resource[] | undefined {
  if (Array.isArray(value)) return value.flatMap((v) => flatten(v) ?? [])
  if (typeof value !== 'object' || value === null || typeof (value as Resource).resourceType !== 'string') return undefined
  const r = value as Resource
  if (r.resourceType !== 'Bundle') return [r]
  const entries = (Array.isArray(r['entry']) ? r['entry'] : []) as ({ resource?: Resource; fullUrl?: unknown } | null)[]
  return entries.flatMap((entry) => {
    const { resource, fullUrl } = entry ?? {}
    if (!resource || typeof resource.resourceType !== 'string') return []
    if (resource.resourceType === 'Bundle') return flatten(resource) ?? []
    // A resource that has no id of its own is known by its place in the bundle, which references use.
    const urn = typeof fullUrl === 'string' && fullUrl.startsWith('urn:uuid:') ? fullUrl.slice(9) : undefined
    return resource.id === undefined && urn !== undefined ? [{ ...resource, id: urn }] : [resource]
  })
}

export const bundle = (resources: readonly Resource[]): Resource => ({
  resourceType: 'Bundle', type: 'collection', entry: resources.map((resource) => ({ ...(resource.id && { fullUrl: `urn:uuid:${resource.id}` }), resource })),
})
