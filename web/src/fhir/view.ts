// A FHIR resource as a person reads it: what kind of thing it is, a title, one line of it, when, and its facts in
// words. Types that Ward does not know are read too, as far as their fields are of known shapes. Nothing is ever
// shown as code.

import type { Resource } from '../engine/types.ts'
import { clinical } from './clinical.ts'
import { documents } from './documents.ts'
import { others } from './others.ts'
import { choice, each, fields, first, list, moment, narrative, number, text, type Fields } from './read.ts'
import { shownText } from '../seal/names.ts'
import { addressText, annotations, conceptText, dateText, humanName, moneyText, nameOf, numberText, periodText, quantityText, referenceText, statusText, type Reader } from './values.ts'

export { dateText, dayOf, finder, numberText, type FhirWords, type Reader } from './values.ts'

export type Kind =
  | 'visit' | 'problem' | 'allergy' | 'medicine' | 'result' | 'procedure' | 'immunization' | 'plan' | 'note' | 'message'
  | 'form' | 'file' | 'appointment' | 'bill' | 'person' | 'other'

export interface Fact { readonly label: string; readonly value: string }

export interface View {
  readonly type: string
  readonly kind: Kind
  readonly title: string
  readonly brief: string               // what matters most of it, in one line; may be ''
  readonly when: string                // as FHIR writes dates; '' if it has none
  readonly alert?: 'warn' | 'danger'   // out of range, or dangerous
  readonly error: boolean              // its source says that it was entered in error
  readonly facts: readonly Fact[]
  readonly text: string                // longer text, in lines
}

/** What the renderer of one type adds. */
export interface Part {
  readonly title: string
  readonly brief?: string
  readonly when?: string
  readonly alert?: 'warn' | 'danger' | undefined
  readonly facts?: readonly (readonly [label: string, value: string])[]
  readonly text?: string
}

export type Render = (r: Fields, c: Reader) => Part

const kinds: Readonly<Record<string, Kind>> = {
  Encounter: 'visit', EpisodeOfCare: 'visit', Condition: 'problem', ClinicalImpression: 'problem', DetectedIssue: 'problem', AllergyIntolerance: 'allergy',
  AdverseEvent: 'allergy', MedicationRequest: 'medicine', MedicationStatement: 'medicine', MedicationAdministration: 'medicine', MedicationDispense: 'medicine',
  Medication: 'medicine', Observation: 'result', DiagnosticReport: 'result', ImagingStudy: 'result', Specimen: 'result', RiskAssessment: 'result',
  Procedure: 'procedure', Immunization: 'immunization', ImmunizationRecommendation: 'immunization', CarePlan: 'plan', Goal: 'plan', CareTeam: 'plan',
  ServiceRequest: 'plan', NutritionOrder: 'plan', Task: 'plan', DocumentReference: 'note', Composition: 'note', Communication: 'message', CommunicationRequest: 'message',
  Questionnaire: 'form', QuestionnaireResponse: 'form', Media: 'file', Binary: 'file', Appointment: 'appointment', AppointmentResponse: 'appointment',
  Claim: 'bill', ClaimResponse: 'bill', ExplanationOfBenefit: 'bill', Coverage: 'bill', Account: 'bill', Invoice: 'bill', PaymentNotice: 'bill',
  Patient: 'person', Practitioner: 'person', PractitionerRole: 'person', RelatedPerson: 'person', Person: 'person', Organization: 'person', Location: 'person',
}

export const kindOf = (r: Resource): Kind => kinds[r.resourceType] ?? 'other'

/** When it happened: the first of its dates that says so. Only the cheapest reading, since a timeline sorts all by it. */
export function whenOf(r: Resource): string {
  for (const name of ['effective', 'occurrence', 'performed', 'onset', 'started']) {
    const found = choice(r, name)
    if (found && moment(found.value) !== '') return moment(found.value)
  }
  for (const name of ['started', 'period', 'billablePeriod', 'executionPeriod', 'start', 'sent', 'authored', 'authoredOn', 'dateTime', 'recordedDate', 'date', 'startDate', 'statusDate', 'whenHandedOver', 'whenPrepared', 'dateAsserted', 'assertedDate', 'created', 'createdDateTime', 'recorded', 'issued', 'manufactureDate']) {
    if (moment(r[name]) !== '') return moment(r[name])
  }
  return ''
}

/** Which statuses of a resource say that it should not be there. */
export const inError = (r: Fields): boolean =>
  [r['status'], r['lifecycleStatus']].includes('entered-in-error') || list(fields(r['verificationStatus'])['coding']).some((coding) => fields(coding)['code'] === 'entered-in-error')

const renderers: Readonly<Record<string, Render>> = { ...clinical, ...documents, ...others }

export const typeName = (r: Resource, c: Reader): string =>
  c.say.types[r.resourceType as keyof Reader['say']['types']] ?? r.resourceType.replace(/([a-z])([A-Z])/g, (_, a: string, b: string) => `${a} ${b.toLowerCase()}`)

/** What a resource says. Anybody may have written it, in a file too, so nothing in it acts on the screen. */
export function view(r: Resource, c: Reader): View {
  const part = (renderers[r.resourceType] ?? unknown)(r, c)
  const type = typeName(r, c)
  return {
    type, kind: kindOf(r), title: shownText(first(part.title, type)), brief: shownText(part.brief ?? ''), when: part.when ?? whenOf(r), error: inError(r),
    ...(part.alert && { alert: part.alert }),
    facts: (part.facts ?? []).filter(([, value]) => value !== '').map(([label, value]) => ({ label: shownText(label), value: shownText(value) })),
    text: shownText([part.text ?? '', annotations(r['note'])].filter((t) => t !== '').join('\n\n')),
  }
}

/** Everything that a search inside the chart looks through. */
export const searchText = (v: View): string => [v.type, v.title, v.brief, v.text, ...v.facts.map((f) => f.value)].join('\n')

/** Fields that say nothing to a reader. */
const machinery: ReadonlySet<string> = new Set(['resourceType', 'id', 'meta', 'implicitRules', 'language', 'text', 'contained', 'extension', 'modifierExtension', 'identifier', 'note', 'subject', 'patient'])

/** A type without a renderer of its own: each field whose shape says how to read it. */
function unknown(r: Fields, c: Reader): Part {
  const facts: (readonly [string, string])[] = []
  for (const [name, value] of Object.entries(r)) {
    if (machinery.has(name)) continue
    const said = list(value).map((v) => anything(r, v, c)).filter((s) => s !== '').join(', ')
    if (said !== '') facts.push([label(name), said])
  }
  return { title: nameOf(r as Resource), brief: statusText(c, r['status']), facts, text: narrative(r) }
}

const label = (name: string): string => {
  const spaced = name.replace(/([a-z])([A-Z])/g, (_, a: string, b: string) => `${a} ${b.toLowerCase()}`)
  return spaced.charAt(0).toUpperCase() + spaced.slice(1)
}

function anything(r: Fields, v: unknown, c: Reader): string {
  if (typeof v === 'string') return /^\d{4}-\d\d(-\d\d(T.*)?)?$/.test(v) ? dateText(c, v, true) : c.say.status[v as keyof Reader['say']['status']] ?? v
  if (typeof v === 'number') return numberText(c, v)
  if (typeof v === 'boolean') return v ? c.say.yes : c.say.no
  const f = fields(v)
  if ('coding' in f || 'display' in f && 'code' in f) return conceptText(c, f)
  if ('reference' in f || 'display' in f) return referenceText(c, r, f)
  if ('currency' in f) return moneyText(c, f)
  if (number(f['value']) !== undefined) return quantityText(c, f)
  if ('start' in f || 'end' in f) return periodText(c, f)
  if ('family' in f || 'given' in f) return humanName([f])
  if ('line' in f || 'city' in f) return addressText([f])
  if ('system' in f && 'value' in f || 'text' in f) return first(text(f['text']), text(f['value']))
  // A part with fields of its own: what those say.
  return Object.entries(f).filter(([name]) => !machinery.has(name)).flatMap(([, inner]) => (each(inner).length > 0 && Array.isArray(inner) ? [] : [anything(r, inner, c)])).filter((s) => s !== '').join(', ')
}
