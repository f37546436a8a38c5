// How clinical resources read: visits, problems, medicines, results, plans.

import { idOf, titleOf } from './questionnaires.ts'
import { codes, concept, each, fields, first, hasCode, list, narrative, number, text, type Fields } from './read.ts'
import { annotations, choiceText, conceptText, conceptTexts, dateText, dosageText, joined, nameOf, periodText, quantityText, rangeText, referenceText, referenceTexts, resolve, statusText, type Reader } from './values.ts'
import type { Part, Render } from './view.ts'

const dot = (...parts: readonly string[]): string => parts.filter((p) => p !== '').join(' · ')

/** The reasons of a visit, an order or a treatment, wherever they are. */
const reasons = (r: Fields, c: Reader): string => joined(c, [...list(r['reasonCode']).map((v) => conceptText(c, v)), ...list(r['reasonReference']).map((v) => referenceText(c, r, v))])

/** Who took part: participant.individual, performer.actor, or a plain reference. */
const people = (r: Fields, c: Reader, field: string): string =>
  joined(c, each(r[field]).map((p) => referenceText(c, r, p['individual'] ?? p['actor'] ?? p['member'] ?? p['person'] ?? p)))

const encounter: Render = (r, c) => {
  const type = conceptText(c, list(r['type'])[0])
  const kind = conceptText(c, r['class'])
  return {
    title: first(type, kind),
    brief: dot(reasons(r, c), referenceText(c, r, r['serviceProvider'])),
    facts: [
      [c.say.state, statusText(c, r['status'])], [c.say.category, kind], [c.say.time, periodText(c, r['period'])], [c.say.reason, reasons(r, c)],
      [c.say.by, people(r, c, 'participant')], [c.say.at, first(referenceText(c, r, r['serviceProvider']), people(r, c, 'location'))],
      [c.say.outcome, conceptText(c, fields(r['hospitalization'])['dischargeDisposition'])],
    ],
  }
}

const condition: Render = (r, c) => {
  const status = statusText(c, r['clinicalStatus'])
  const onset = choiceText(c, r, 'onset')
  return {
    title: conceptText(c, r['code']), brief: dot(status, conceptText(c, r['severity'])),
    facts: [
      [c.say.state, status], [c.say.certainty, statusText(c, r['verificationStatus'])], [c.say.severity, conceptText(c, r['severity'])], [c.say.began, onset],
      [c.say.ended, choiceText(c, r, 'abatement')], [c.say.bodySite, conceptTexts(c, r['bodySite'])], [c.say.by, first(referenceText(c, r, r['asserter']), referenceText(c, r, r['recorder']))],
      [c.say.recorded, dateText(c, r['recordedDate'])], [c.say.category, conceptTexts(c, r['category'])],
    ],
  }
}

const allergy: Render = (r, c) => {
  const reactions = each(r['reaction'])
  const reaction = joined(c, reactions.flatMap((x) => list(x['manifestation']).map((m) => conceptText(c, m))))
  const worst = reactions.map((x) => text(x['severity'])).includes('severe')
  const high = r['criticality'] === 'high' || worst
  return {
    title: first(conceptText(c, r['code']), joined(c, reactions.map((x) => conceptText(c, x['substance'])))), brief: reaction, alert: high ? 'danger' : undefined,
    facts: [
      [c.say.state, statusText(c, r['clinicalStatus'])], [c.say.certainty, statusText(c, r['verificationStatus'])], [c.say.reaction, reaction],
      [c.say.severity, joined(c, reactions.map((x) => statusText(c, x['severity'])))], [c.say.risk, statusText(c, r['criticality'])],
      [c.say.category, joined(c, list(r['category']).map((x) => statusText(c, x)))], [c.say.began, choiceText(c, r, 'onset')],
      [c.say.lastSeen, dateText(c, r['lastOccurrence'])], [c.say.by, first(referenceText(c, r, r['asserter']), referenceText(c, r, r['recorder']))],
    ],
    text: reactions.map((x) => first(text(x['description']), annotations(x['note']))).filter((t) => t !== '').join('\n'),
  }
}

/** The medicine itself, said in place or referred to. */
export const medicineName = (r: Fields, c: Reader): string =>
  first(conceptText(c, r['medicationCodeableConcept']), referenceText(c, r, r['medicationReference']), conceptText(c, fields(r['medication'])['concept']), conceptText(c, r['code']))

export const doses = (r: Fields, c: Reader): string => list(r['dosageInstruction'] ?? r['dosage']).map((d) => dosageText(c, d)).filter((d) => d !== '').join('; ')

const medicine: Render = (r, c) => {
  const supply = fields(r['dispenseRequest'])
  const refills = number(supply['numberOfRepeatsAllowed'])
  return {
    title: medicineName(r, c), brief: dot(doses(r, c), r['status'] === 'active' ? '' : statusText(c, r['status'])),
    facts: [
      [c.say.state, statusText(c, r['status'])], [c.say.dose, doses(r, c)], [c.say.reason, reasons(r, c)],
      [c.say.by, first(referenceText(c, r, r['requester']), referenceText(c, r, r['informationSource']), people(r, c, 'performer'))],
      [c.say.written, dateText(c, first(text(r['authoredOn']), text(r['dateAsserted'])))], [c.say.taken, first(choiceText(c, r, 'effective'), choiceText(c, r, 'occurence'))],
      [c.say.handedOver, dateText(c, r['whenHandedOver'])], [c.say.quantity, first(quantityText(c, r['quantity']), quantityText(c, supply['quantity']))],
      [c.say.refills, refills === undefined ? '' : String(refills)], [c.say.validFor, periodText(c, supply['validityPeriod'])],
      [c.say.whyStopped, conceptTexts(c, r['statusReason'])], [c.say.ingredients, joined(c, each(r['ingredient']).map((i) => conceptText(c, i['itemCodeableConcept'])))],
    ],
  }
}

/** A dose given: MedicationAdministration has one dosage, with a dose of its own shape. */
const administration: Render = (r, c) => {
  const dosage = fields(r['dosage'])
  const amount = first(text(dosage['text']), dot(quantityText(c, dosage['dose']), conceptText(c, dosage['route'])))
  const part = medicine({ ...r, dosage: [] }, c)
  return { ...part, brief: dot(amount, statusText(c, r['status'])), facts: [[c.say.dose, amount], [c.say.given, choiceText(c, r, 'effective')], ...(part.facts ?? [])] }
}

const alertCodes: Readonly<Record<string, 'warn' | 'danger'>> = { H: 'warn', L: 'warn', A: 'warn', HU: 'warn', LU: 'warn', HH: 'danger', LL: 'danger', AA: 'danger', POS: 'warn' }

/** Whether an observation, or a part of it, says of itself that it is out of range, or its range says so. */
export function alertOf(o: Fields): 'warn' | 'danger' | undefined {
  const said = list(o['interpretation']).flatMap((i) => codes(i)).map((code) => alertCodes[code])
  if (said.includes('danger')) return 'danger'
  if (said.includes('warn')) return 'warn'
  const value = number(fields(o['valueQuantity'])['value'])
  const range = each(o['referenceRange'])[0]
  if (value === undefined || range === undefined || list(o['interpretation']).length > 0) return undefined
  const [low, high] = [number(fields(range['low'])['value']), number(fields(range['high'])['value'])]
  return (low !== undefined && value < low) || (high !== undefined && value > high) ? 'warn' : undefined
}

/** Blood pressure is one reading, said as two numbers. */
const systolic = ['8480-6', '271649006']
const diastolic = ['8462-4', '271650006']

function components(o: Fields, c: Reader): string {
  const parts = each(o['component'])
  const [high, low] = [systolic, diastolic].map((wanted) => parts.find((p) => hasCode(p['code'], ...wanted)))
  if (high && low && parts.length === 2) {
    const [top, bottom] = [quantityText(c, high['valueQuantity']), quantityText(c, low['valueQuantity'])]
    if (top !== '' && bottom !== '') return `${top.replace(/\u00a0.*/, '')}/${bottom}`
  }
  // A part that says nothing is left out, and one that has no name, or no value, is what it has.
  return joined(c, parts.map((p) => [conceptText(c, p['code']), first(choiceText(c, p, 'value'), conceptText(c, p['dataAbsentReason']))] as const)
    .flatMap(([name, value]) => (name !== '' && value !== '' ? [c.say.pair(name, value)] : value !== '' ? [value] : [])))
}

export const observed = (o: Fields, c: Reader): string => first(choiceText(c, o, 'value'), components(o, c), conceptText(c, o['dataAbsentReason']))

const observation: Render = (r, c) => {
  const flagged = joined(c, list(r['interpretation']).map((i) => conceptText(c, i)))
  const part = each(r['component']).map((p) => alertOf(p))
  return {
    title: conceptText(c, r['code']), brief: dot(observed(r, c), flagged), alert: alertOf(r) ?? (part.includes('danger') ? 'danger' : part.find((a) => a !== undefined)),
    facts: [
      [c.say.value, choiceText(c, r, 'value')], ...each(r['component']).map((p) => [conceptText(c, p['code']), observed(p, c)] as const), [c.say.assessment, flagged],
      [c.say.normal, joined(c, each(r['referenceRange']).map((range) => rangeText(c, range)))], [c.say.state, statusText(c, r['status'])],
      [c.say.measured, first(dateText(c, r['effectiveDateTime'], true), choiceText(c, r, 'effective'))], [c.say.bodySite, conceptText(c, r['bodySite'])], [c.say.method, conceptText(c, r['method'])],
      [c.say.by, referenceTexts(c, r, r['performer'])], [c.say.device, referenceText(c, r, r['device'])], [c.say.category, conceptTexts(c, r['category'])],
      [c.say.missing, conceptText(c, r['dataAbsentReason'])],
    ],
  }
}

const report: Render = (r, c) => {
  const results = list(r['result']).map((v) => {
    const found = resolve(c, r, v)
    return [referenceText(c, r, v), found ? observed(found, c) : ''] as const
  })
  return {
    title: conceptText(c, r['code']), brief: first(text(r['conclusion']), joined(c, results.map(([name]) => name))),
    facts: [
      ...results.map(([name, value]) => [first(name, c.say.value), first(value, name === '' ? '' : '—')] as const), [c.say.conclusion, joined(c, list(r['conclusionCode']).map((v) => conceptText(c, v)))],
      [c.say.state, statusText(c, r['status'])], [c.say.time, first(dateText(c, r['effectiveDateTime'], true), choiceText(c, r, 'effective'))],
      [c.say.by, first(referenceTexts(c, r, r['resultsInterpreter']), referenceTexts(c, r, r['performer']))], [c.say.category, conceptTexts(c, r['category'])],
    ],
    text: text(r['conclusion']),
  }
}

const imaging: Render = (r, c) => {
  const series = each(r['series'])
  const ways = joined(c, [...list(r['modality']), ...series.map((s) => s['modality'])].map((m) => conceptText(c, m)))
  const sites = joined(c, series.map((s) => conceptText(c, s['bodySite'])))
  const images = number(r['numberOfInstances'])
  return {
    title: first(text(r['description']), dot(ways, sites)), brief: joined(c, series.flatMap((s) => each(s['instance']).map((i) => text(i['title'])))),
    facts: [
      [c.say.method, ways], [c.say.bodySite, sites], [c.say.images, images === undefined ? '' : String(images)], [c.say.time, dateText(c, r['started'], true)],
      [c.say.reason, reasons(r, c)], [c.say.by, first(referenceText(c, r, r['referrer']), referenceTexts(c, r, r['interpreter']))], [c.say.state, statusText(c, r['status'])],
    ],
  }
}

const procedure: Render = (r, c) => ({
  title: conceptText(c, r['code']), brief: reasons(r, c),
  facts: [
    [c.say.state, statusText(c, r['status'])], [c.say.time, choiceText(c, r, 'performed')], [c.say.reason, reasons(r, c)], [c.say.by, people(r, c, 'performer')],
    [c.say.at, referenceText(c, r, r['location'])], [c.say.bodySite, conceptTexts(c, r['bodySite'])], [c.say.outcome, conceptText(c, r['outcome'])],
    [c.say.complications, conceptTexts(c, r['complication'])], [c.say.followUp, conceptTexts(c, r['followUp'])],
  ],
})

const immunization: Render = (r, c) => ({
  title: conceptText(c, r['vaccineCode']), brief: r['status'] === 'completed' ? '' : dot(statusText(c, r['status']), conceptText(c, r['statusReason'])),
  facts: [
    [c.say.given, first(dateText(c, r['occurrenceDateTime']), text(r['occurrenceString']))], [c.say.state, statusText(c, r['status'])], [c.say.whyNot, conceptText(c, r['statusReason'])],
    [c.say.doseNumber, joined(c, each(r['protocolApplied']).map((p) => choiceText(c, p, 'doseNumber')))], [c.say.dose, quantityText(c, r['doseQuantity'])],
    [c.say.bodySite, conceptText(c, r['site'])], [c.say.route, conceptText(c, r['route'])], [c.say.maker, referenceText(c, r, r['manufacturer'])],
    [c.say.lot, text(r['lotNumber'])], [c.say.by, people(r, c, 'performer')], [c.say.at, referenceText(c, r, r['location'])],
  ],
})

const recommendation: Render = (r, c) => ({
  title: joined(c, each(r['recommendation']).flatMap((x) => list(x['vaccineCode']).map((v) => conceptText(c, v)))), brief: '',
  facts: each(r['recommendation']).map((x) => [conceptTexts(c, x['vaccineCode']), dot(conceptText(c, x['forecastStatus']), joined(c, each(x['dateCriterion']).map((d) => dateText(c, d['value']))))] as const),
})

const carePlan: Render = (r, c) => {
  const activities = each(r['activity']).map((a) => {
    const detail = fields(a['detail'])
    return [first(conceptText(c, detail['code']), text(detail['description']), referenceText(c, r, a['reference'])), statusText(c, detail['status'])] as const
  }).filter(([what]) => what !== '')
  const addresses = referenceTexts(c, r, r['addresses'])
  // The category is often only 'care plan'; what it is for says more.
  const title = first(text(r['title']), text(r['description']), joined(c, list(r['category']).map((v) => conceptText(c, v)).filter((t) => !/^care ?plan/i.test(t) && !/record artifact/i.test(t))))
  return {
    title: first(title, addresses === '' ? '' : c.say.planFor(addresses)), brief: joined(c, activities.map(([what]) => what)),
    facts: [
      [c.say.state, statusText(c, r['status'])], [c.say.time, periodText(c, r['period'])], [c.say.forProblems, addresses], [c.say.goals, referenceTexts(c, r, r['goal'])],
      ...activities.map(([what, status]) => [what, first(status, '—')] as const), [c.say.by, referenceTexts(c, r, r['author'] ?? r['contributor'])], [c.say.team, referenceTexts(c, r, r['careTeam'])],
    ],
  }
}

const goal: Render = (r, c) => ({
  title: conceptText(c, r['description']), brief: statusText(c, r['achievementStatus'] ?? r['lifecycleStatus']),
  facts: [
    [c.say.state, statusText(c, r['lifecycleStatus'])], [c.say.outcome, statusText(c, r['achievementStatus'])], [c.say.priority, conceptText(c, r['priority'])],
    [c.say.began, choiceText(c, r, 'start')], [c.say.forProblems, referenceTexts(c, r, r['addresses'])],
    ...each(r['target']).map((t) => [first(conceptText(c, t['measure']), c.say.target), dot(choiceText(c, t, 'detail'), choiceText(c, t, 'due'))] as const),
  ],
})

const careTeam: Render = (r, c) => ({
  title: first(text(r['name']), conceptTexts(c, r['category'])), brief: people(r, c, 'participant'),
  facts: [
    ...each(r['participant']).map((p) => [first(conceptText(c, list(p['role'])[0]), c.say.member), referenceText(c, r, p['member'])] as const),
    [c.say.state, statusText(c, r['status'])], [c.say.time, periodText(c, r['period'])], [c.say.reason, reasons(r, c)], [c.say.at, referenceTexts(c, r, r['managingOrganization'])],
  ],
})

const request: Render = (r, c) => ({
  title: first(conceptText(c, r['code']), text(r['description']), conceptTexts(c, r['category'])), brief: dot(statusText(c, r['status']), reasons(r, c)),
  facts: [
    [c.say.state, statusText(c, r['status'])], [c.say.time, choiceText(c, r, 'occurrence')], [c.say.reason, reasons(r, c)], [c.say.by, referenceText(c, r, r['requester'])],
    [c.say.performer, first(referenceTexts(c, r, r['performer']), referenceText(c, r, r['owner']))], [c.say.written, dateText(c, r['authoredOn'])], [c.say.priority, statusText(c, r['priority'])],
    [c.say.bodySite, conceptTexts(c, r['bodySite'])], [c.say.instructions, text(r['patientInstruction'])],
  ],
})

/** Something to do. A request to answer one of Ward's questionnaires is named after it. */
const task: Render = (r, c) => {
  const part = request(r, c)
  const id = idOf(each(r['input'])[0]?.['valueCanonical'])
  return {
    ...part, title: first(id ? titleOf(id, c.lang) : '', text(r['description']), conceptText(c, r['code'])), brief: dot(id ? conceptText(c, r['code']) : '', statusText(c, r['status'])),
    facts: [...(part.facts ?? []), [c.say.time, periodText(c, fields(r['restriction'])['period'])], [c.say.performer, conceptTexts(c, r['performerType'])]],
  }
}

const risk: Render = (r, c) => ({
  title: conceptText(c, r['code']), brief: joined(c, each(r['prediction']).map((p) => dot(conceptText(c, p['outcome']), first(conceptText(c, p['qualitativeRisk']), choiceText(c, p, 'probability'))))),
  facts: [[c.say.state, statusText(c, r['status'])], [c.say.basis, referenceTexts(c, r, r['basis'])], [c.say.instructions, text(r['mitigation'])]],
})

const family: Render = (r, c) => ({
  title: dot(conceptText(c, r['relationship']), text(r['name'])), brief: joined(c, each(r['condition']).map((x) => conceptText(c, x['code']))),
  facts: each(r['condition']).map((x) => [conceptText(c, x['code']), first(choiceText(c, x, 'onset'), conceptText(c, x['outcome']), c.say.yes)] as const),
})

const impression: Render = (r, c): Part => ({
  title: first(conceptText(c, r['code']), text(r['description'])), brief: text(r['summary']),
  facts: [[c.say.state, statusText(c, r['status'])], [c.say.by, referenceText(c, r, r['assessor'])], [c.say.forProblems, referenceTexts(c, r, r['problem'])]],
  text: first(text(r['summary']), narrative(r)),
})

const adverse: Render = (r, c) => ({
  title: first(conceptText(c, r['event']), conceptText(c, r['code']), text(r['detail'])), brief: conceptText(c, r['seriousness']), alert: 'warn',
  facts: [[c.say.outcome, conceptText(c, r['outcome'])], [c.say.severity, conceptText(c, r['severity'])], [c.say.by, referenceText(c, r, r['recorder'] ?? r['author'])]],
  text: text(r['detail']),
})

const specimen: Render = (r, c) => {
  const taken = fields(r['collection'])
  return {
    title: conceptText(c, r['type']), when: first(text(taken['collectedDateTime']), text(r['receivedTime'])),
    facts: [[c.say.taken, choiceText(c, taken, 'collected')], [c.say.by, referenceText(c, r, taken['collector'])], [c.say.bodySite, conceptText(c, taken['bodySite'])], [c.say.state, statusText(c, r['status'])]],
  }
}

export const clinical: Readonly<Record<string, Render>> = {
  Encounter: encounter, EpisodeOfCare: encounter, Condition: condition, AllergyIntolerance: allergy, MedicationRequest: medicine, MedicationStatement: medicine,
  MedicationDispense: medicine, Medication: medicine, MedicationAdministration: administration, Observation: observation, DiagnosticReport: report,
  ImagingStudy: imaging, Procedure: procedure, Immunization: immunization, ImmunizationRecommendation: recommendation, CarePlan: carePlan, Goal: goal, CareTeam: careTeam,
  ServiceRequest: request, Task: task, NutritionOrder: request, DeviceRequest: (r, c) => ({ ...request(r, c), title: first(choiceText(c, r, 'code'), nameOf({ resourceType: 'DeviceRequest', ...r })) }),
  RiskAssessment: risk, FamilyMemberHistory: family, ClinicalImpression: impression, AdverseEvent: adverse, DetectedIssue: adverse, Specimen: specimen,
  Flag: (r, c) => ({ title: conceptText(c, r['code']), brief: statusText(c, r['status']), alert: r['status'] === 'active' ? 'warn' : undefined, facts: [[c.say.time, periodText(c, r['period'])], [c.say.category, conceptTexts(c, r['category'])], [c.say.by, referenceText(c, r, r['author'])]] }),
  DeviceUseStatement: (r, c) => ({ title: referenceText(c, r, r['device']), brief: statusText(c, r['status']), facts: [[c.say.time, choiceText(c, r, 'timing')], [c.say.reason, reasons(r, c)], [c.say.bodySite, conceptText(c, r['bodySite'])]] }),
  BodyStructure: (r, c) => ({ title: first(conceptText(c, r['location']), text(r['description'])), brief: conceptText(c, r['morphology']), facts: [[c.say.note, text(r['description'])]] }),
  Substance: (r, c) => ({ title: concept(r['code']), facts: [[c.say.note, text(r['description'])], [c.say.state, statusText(c, r['status'])]] }),
}
