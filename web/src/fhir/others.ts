// How everything around the care reads: bills, people and places, appointments, devices, and where data came from.

import { concept, each, fields, first, list, number, text, type Fields } from './read.ts'
import { addressText, choiceText, conceptText, conceptTexts, dateText, humanName, joined, moneyText, periodText, quantityText, referenceText, referenceTexts, statusText, telecomText, type Reader } from './values.ts'
import type { Render } from './view.ts'

const insurers = (r: Fields, c: Reader): string =>
  joined(c, [...each(r['insurance']).map((i) => referenceText(c, r, i['coverage'])), referenceText(c, r, r['insurer']), ...list(r['payor']).map((p) => referenceText(c, r, p))])

const lines = (r: Fields, c: Reader): readonly (readonly [string, string])[] =>
  each(r['item']).map((i) => [first(conceptText(c, i['productOrService']), c.say.service), first(moneyText(c, i['net']), '—')] as const)

const payments: ReadonlyMap<string, 'total' | 'paid'> = new Map([['submitted', 'total'], ['benefit', 'paid']])

function totals(r: Fields, c: Reader): readonly (readonly [string, string])[] {
  if (!Array.isArray(r['total'])) return [[c.say.total, moneyText(c, r['total'])]]
  return each(r['total']).map((t) => {
    const known = payments.get(text(fields(list(fields(t['category'])['coding'])[0])['code']))
    return [known ? c.say[known] : first(conceptText(c, t['category']), c.say.total), moneyText(c, t['amount'])] as const
  })
}

const bill: Render = (r, c) => {
  const what = lines(r, c)
  const total = totals(r, c)
  const paid = moneyText(c, fields(r['payment'])['amount'])
  return {
    title: first(what[0]?.[0] ?? '', conceptText(c, r['type'])), brief: first(total[0]?.[1] ?? '', paid),
    facts: [
      ...total, [c.say.paid, paid], ...what.filter(([, price]) => price !== '—'), [c.say.service, joined(c, what.filter(([, price]) => price === '—').map(([name]) => name))],
      [c.say.time, periodText(c, r['billablePeriod'])], [c.say.by, referenceText(c, r, r['provider'])], [c.say.insurer, insurers(r, c)],
      [c.say.forProblems, joined(c, each(r['diagnosis']).map((d) => first(referenceText(c, r, d['diagnosisReference']), conceptText(c, d['diagnosisCodeableConcept']))))],
      [c.say.state, statusText(c, r['status'])], [c.say.outcome, statusText(c, r['outcome'])],
    ],
    text: text(r['disposition']),
  }
}

const someone: Render = (r, c) => ({
  title: first(humanName(r['name']), text(r['name'])), brief: joined(c, [dateText(c, r['birthDate']), statusText(c, r['gender']), conceptTexts(c, r['qualification'])]),
  when: '',
  facts: [
    [c.say.born, dateText(c, r['birthDate'])], [c.say.died, first(dateText(c, r['deceasedDateTime']), r['deceasedBoolean'] === true ? c.say.yes : '')], [c.say.gender, statusText(c, r['gender'])],
    [c.say.phone, telecomText(c, r['telecom'], 'phone')], [c.say.email, telecomText(c, r['telecom'], 'email')], [c.say.address, addressText(r['address'])],
    [c.say.language, joined(c, each(r['communication']).map((l) => languageName(c, l['language'] ?? l)))], [c.say.marital, conceptText(c, r['maritalStatus'])],
    [c.say.relationship, conceptTexts(c, r['relationship'])], [c.say.category, conceptTexts(c, r['type'])], [c.say.role, conceptTexts(c, r['code'])],
    [c.say.specialty, conceptTexts(c, r['specialty'])], [c.say.at, referenceText(c, r, r['managingOrganization'] ?? r['organization'] ?? r['partOf'])],
    [c.say.by, referenceText(c, r, r['practitioner'])],
  ],
})

function languageName(c: Reader, v: unknown): string {
  const code = text(fields(list(fields(v)['coding'])[0])['code'])
  try {
    return code === '' ? concept(v) : first(new Intl.DisplayNames(c.lang, { type: 'language' }).of(code) ?? '', concept(v))
  } catch {
    return concept(v)
  }
}

const appointment: Render = (r, c) => {
  const who = joined(c, each(r['participant']).map((p) => referenceText(c, r, p['actor'])))
  return {
    title: first(text(r['description']), conceptTexts(c, r['serviceType']), conceptText(c, r['appointmentType']), c.say.types.Appointment), brief: joined(c, [dateText(c, r['start'], true), statusText(c, r['status'])]),
    facts: [
      [c.say.time, dateText(c, r['start'], true)], [c.say.ends, dateText(c, r['end'], true)], [c.say.state, statusText(c, r['status'])], [c.say.with, who],
      [c.say.reason, joined(c, [...list(r['reasonCode']).map((v) => conceptText(c, v)), ...list(r['reasonReference']).map((v) => referenceText(c, r, v))])],
      [c.say.instructions, text(r['patientInstruction'])], [c.say.note, text(r['comment'])],
    ],
  }
}

const device: Render = (r, c) => ({
  title: first(joined(c, each(r['deviceName']).map((n) => text(n['name']))), conceptText(c, r['type']), concept(r['definition'])), brief: joined(c, [text(r['manufacturer']), text(r['modelNumber'])]),
  facts: [
    [c.say.maker, text(r['manufacturer'])], [c.say.model, text(r['modelNumber'])], [c.say.serial, text(r['serialNumber'])], [c.say.lot, text(r['lotNumber'])], [c.say.state, statusText(c, r['status'])],
    [c.say.made, dateText(c, r['manufactureDate'])], [c.say.expires, dateText(c, r['expirationDate'])], [c.say.identifier, joined(c, each(r['udiCarrier']).map((u) => first(text(u['deviceIdentifier']), text(u['carrierHRF']))))],
  ],
})

const supply: Render = (r, c) => {
  const item = fields(r['suppliedItem'])
  return {
    title: first(choiceText(c, item, 'item'), choiceText(c, r, 'item'), referenceText(c, r, item['itemReference']), conceptText(c, r['type'])), brief: first(quantityText(c, item['quantity']), quantityText(c, r['quantity'])),
    facts: [[c.say.quantity, first(quantityText(c, item['quantity']), quantityText(c, r['quantity']))], [c.say.state, statusText(c, r['status'])], [c.say.time, choiceText(c, r, 'occurrence')], [c.say.by, referenceTexts(c, r, r['supplier'])], [c.say.category, conceptText(c, r['type'])]],
  }
}

const provenance: Render = (r, c) => {
  const who = joined(c, each(r['agent']).map((a) => referenceText(c, r, a['who'])))
  const about = list(r['target']).length
  return {
    title: c.say.types.Provenance, brief: who,
    facts: [[c.say.by, who], [c.say.recorded, dateText(c, r['recorded'], true)], [c.say.about, first(referenceTexts(c, r, r['target']), about === 0 ? '' : c.say.entries(about))], [c.say.reason, conceptText(c, r['activity'])]],
  }
}

const coverage: Render = (r, c) => ({
  title: first(insurers(r, c), conceptText(c, r['type'])), brief: statusText(c, r['status']),
  facts: [
    [c.say.insurer, insurers(r, c)], [c.say.category, conceptText(c, r['type'])], [c.say.time, periodText(c, r['period'])], [c.say.identifier, text(r['subscriberId'])],
    [c.say.state, statusText(c, r['status'])], ...each(r['class']).map((x) => [first(conceptText(c, x['type']), c.say.category), first(text(x['name']), text(x['value']))] as const),
  ],
})

export const others: Readonly<Record<string, Render>> = {
  Claim: bill, ExplanationOfBenefit: bill, ClaimResponse: bill, Coverage: coverage,
  Invoice: (r, c) => ({ title: c.say.types.Invoice, brief: moneyText(c, r['totalGross'] ?? r['totalNet']), facts: [[c.say.total, moneyText(c, r['totalGross'] ?? r['totalNet'])], [c.say.state, statusText(c, r['status'])], [c.say.by, referenceText(c, r, r['issuer'])]] }),
  Account: (r, c) => ({ title: text(r['name']), brief: statusText(c, r['status']), facts: [[c.say.time, periodText(c, r['servicePeriod'])], [c.say.note, text(r['description'])]] }),
  PaymentNotice: (r, c) => ({ title: c.say.types.PaymentNotice, brief: moneyText(c, r['amount']), facts: [[c.say.paid, moneyText(c, r['amount'])], [c.say.time, dateText(c, r['paymentDate'])]] }),
  Patient: someone, Practitioner: someone, PractitionerRole: someone, RelatedPerson: someone, Person: someone, Organization: someone, Location: someone,
  Appointment: appointment, AppointmentResponse: appointment, Device: device, SupplyDelivery: supply, SupplyRequest: supply, Provenance: provenance,
  Group: (r, c) => ({ title: text(r['name']), brief: number(r['quantity']) === undefined ? '' : c.say.entries(number(r['quantity']) as number), facts: [[c.say.category, statusText(c, r['type'])]] }),
  List: (r, c) => ({ title: first(text(r['title']), conceptText(c, r['code'])), brief: c.say.entries(each(r['entry']).length), facts: [[c.say.contents, referenceTexts(c, r, each(r['entry']).map((e) => e['item']))], [c.say.state, statusText(c, r['status'])]] }),
}
