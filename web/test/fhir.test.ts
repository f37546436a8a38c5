import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import type { Resource } from '../src/engine/types.ts'
import { summarise } from '../src/fhir/summary.ts'
import { dateText, dayOf, finder, view, type FhirWords, type Reader, type View } from '../src/fhir/view.ts'
import { note, resourcesOf } from '../src/fhir/write.ts'
import { chart as ar } from '../src/words/chart/ar.ts'
import { chart as en } from '../src/words/chart/en.ts'
import { chart as es } from '../src/words/chart/es.ts'

const folder = join(process.env['WARD_ROOT'] ?? process.cwd(), 'testdata', 'fhir-synthea')
const bundles = readdirSync(folder).filter((name) => name.endsWith('.json'))
const languages: readonly (readonly [string, FhirWords])[] = [['en', en.fhir], ['es', es.fhir], ['ar', ar.fhir]]

const reader = (resources: readonly Resource[] = [], lang = 'en', say: FhirWords = en.fhir): Reader => ({ lang, say, find: finder(resources) })
const read = (r: Resource, others: readonly Resource[] = []): View => view(r, reader(others))
const fact = (v: View, label: string): string | undefined => v.facts.find((f) => f.label === label)?.value

/** Nothing that a person reads may look like a program's data. */
function assertReadable(v: View, r: Resource): void {
  for (const said of [v.type, v.title, v.brief, v.text, ...v.facts.flatMap((f) => [f.label, f.value])]) {
    assert.doesNotMatch(said, /\[object|undefined|NaN|urn:uuid:|null|[{}]|<\/?[a-z]/, `${r.resourceType} ${r.id ?? ''}: ${said}`)
  }
  assert.notEqual(v.title, '')
  for (const f of v.facts) assert.ok(f.label !== '' && f.value !== '', `${r.resourceType}: an empty fact`)
}

for (const name of bundles) {
  test(`every record of ${name} reads in every language`, () => {
    const resources = resourcesOf(readFileSync(join(folder, name), 'utf8'))
    assert.ok(resources && resources.length > 50)
    for (const [lang, say] of languages) {
      const c = reader(resources, lang, say)
      for (const r of resources) {
        const v = view(r, c)
        assertReadable(v, r)
        if (!['Patient', 'Practitioner', 'Organization', 'Goal'].includes(r.resourceType)) assert.match(v.when, /^\d{4}/, `${r.resourceType} has a date`)
        if (v.kind !== 'person') assert.ok(v.facts.length > 0, `${r.resourceType} says something`)
      }
      const s = summarise(resources, c)
      assert.ok(s.results.length > 0 && s.immunizations.length > 0)
      for (const one of s.results) for (const line of one.lines) assert.deepEqual(line.points, [...line.points].sort((a, b) => a.when.localeCompare(b.when)))
    }
  })
}

test('references are followed inside the chart', () => {
  const doctor: Resource = { resourceType: 'Practitioner', id: 'd1', name: [{ prefix: ['Dr.'], given: ['Ana'], family: 'Ruiz' }] }
  const problem: Resource = { resourceType: 'Condition', id: 'c1', code: { text: 'Asthma' } }
  const order: Resource = {
    resourceType: 'MedicationRequest', status: 'active', medicationCodeableConcept: { text: 'Salbutamol' }, requester: { reference: 'urn:uuid:d1' }, reasonReference: [{ reference: 'Condition/c1' }],
    dosageInstruction: [{ timing: { repeat: { frequency: 2, period: 1, periodUnit: 'd' } }, doseAndRate: [{ doseQuantity: { value: 0.1, unit: 'mg' } }], asNeededBoolean: true }],
  }
  const v = read(order, [doctor, problem])
  assert.equal(fact(v, 'By'), 'Dr. Ana Ruiz')
  assert.equal(fact(v, 'Reason'), 'Asthma')
  assert.equal(fact(v, 'Dose'), '0.1\u00a0mg, twice every day, as needed')
  assert.equal(fact(read(order), 'By'), undefined, 'what is not in the chart is left out')
})

test('blood pressure is one reading of two numbers', () => {
  const v = read({
    resourceType: 'Observation', status: 'final', code: { text: 'Blood pressure' }, effectiveDateTime: '2026-03-04',
    component: [
      { code: { coding: [{ code: '8462-4', display: 'Diastolic' }] }, valueQuantity: { value: 81, unit: 'mm[Hg]' } },
      { code: { coding: [{ code: '8480-6', display: 'Systolic' }] }, valueQuantity: { value: 122.4, unit: 'mm[Hg]' } },
    ],
  })
  assert.equal(v.brief, '122.4/81\u00a0mmHg')
})

test('a result outside its range is marked, also when nobody says so', () => {
  const potassium = (value: number, more: object = {}): Resource => ({
    resourceType: 'Observation', code: { text: 'Potassium' }, valueQuantity: { value, unit: 'mmol/L' }, referenceRange: [{ low: { value: 3.5, unit: 'mmol/L' }, high: { value: 5.1, unit: 'mmol/L' } }], ...more,
  })
  assert.equal(read(potassium(4)).alert, undefined)
  assert.equal(read(potassium(5.6)).alert, 'warn')
  const high = read(potassium(7, { interpretation: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation', code: 'HH' }] }] }))
  assert.equal(high.alert, 'danger')
  assert.match(high.brief, /Dangerously high$/)
})

test('dates are no more precise than they were written', () => {
  const c = reader()
  assert.equal(dateText(c, '2019'), '2019')
  assert.equal(dateText(c, '2019-04'), 'April 2019')
  assert.equal(dateText(c, '2019-04-02'), 'Apr 2, 2019')
  assert.equal(dateText(c, 'spring'), 'spring')
  assert.equal(dayOf('2019-04'), '2019-04')
})

test('a time with the offset of a place keeps the day and the clock of that place', () => {
  const c = reader()
  assert.equal(dateText(c, '1998-06-04T00:00:00+02:00'), 'Jun 4, 1998')
  assert.match(dateText(c, '1998-06-04T23:30:00-11:00', true), /^Jun 4, 1998, 11:30\sPM$/)
  assert.equal(dayOf('1998-06-04T00:00:00+13:00'), '1998-06-04')
})

test('common measurements and vaccines have names for people, other codes keep theirs', () => {
  const named = (system: string, code: string, lang: string, say: FhirWords): string =>
    view({ resourceType: 'Observation', code: { coding: [{ system, code, display: 'Leukocytes [#/volume] in Blood by Automated count' }] } }, reader([], lang, say)).title
  assert.equal(named('http://loinc.org', '6690-2', 'en', en.fhir), 'White blood cells')
  assert.equal(named('http://loinc.org', '6690-2', 'es', es.fhir), 'Glóbulos blancos')
  assert.equal(named('http://example.org', '6690-2', 'en', en.fhir), 'Leukocytes [#/volume] in Blood by Automated count')
  assert.equal(named('http://loinc.org', 'toString', 'en', en.fhir), 'Leukocytes [#/volume] in Blood by Automated count')
  assert.equal(read({ resourceType: 'Condition', code: { text: 'Viral sinusitis (disorder)' } }).title, 'Viral sinusitis')
  assert.equal(read({ resourceType: 'Condition', code: { text: 'Fracture (left arm)' } }).title, 'Fracture (left arm)')
})

test('active flags are at the top of a chart, past ones are not', () => {
  const flag = (status: string, name: string): Resource => ({ resourceType: 'Flag', status, code: { text: name } })
  assert.deepEqual(summarise([flag('active', 'Immunocompromised'), flag('inactive', 'Pregnant')], reader()).flags.map((f) => f.view.title), ['Immunocompromised'])
})

test('the same letter of another code system is not translated', () => {
  const status = (system: string): string | undefined => fact(read({ resourceType: 'Patient', name: [{ text: 'A' }], maritalStatus: { coding: [{ system, code: 'D', display: 'Something else' }] } }), 'Marital status')
  assert.equal(status('http://terminology.hl7.org/CodeSystem/v3-MaritalStatus'), 'Divorced')
  assert.equal(status('http://example.org/other'), 'Something else')
})

test('what Ward writes, Ward reads', () => {
  const v = read(note('chart1', 'p1', 'Dr. Ana Ruiz', '2026-01-02T10:00:00Z', 'Visit', 'Ánimo: mejor.\nSleeps well.'))
  assert.equal(v.title, 'Visit')
  assert.equal(v.text, 'Ánimo: mejor.\nSleeps well.')
  assert.equal(v.kind, 'note')
})

test('odd, empty and unknown resources still read', () => {
  const odd: readonly Resource[] = [
    ...[...Object.keys(en.fhir.types), 'MolecularSequence', 'X'].flatMap((resourceType): Resource[] => [
      { resourceType }, { resourceType, status: 7, code: 'text', name: 5, type: null, category: {}, subject: [], period: 'x', item: 'no', total: [], component: [null, 3], note: [{}] },
      { resourceType, status: 'active', code: [], participant: [{}], performer: {}, content: { attachment: { data: '%%%', contentType: 'text/plain' } }, referenceRange: [{}], interpretation: {}, valueQuantity: { value: '7' } },
    ]),
    { resourceType: 'MolecularSequence', type: 'dna', coordinateSystem: 0, quantity: { value: 2.5, unit: 'mL' }, performer: { display: 'Lab One' }, repository: [{ type: 'login', url: 'https://example.org' }] },
  ]
  for (const r of odd) assertReadable(read(r), r)
  const unknown = read(odd.at(-1) as Resource)
  assert.equal(unknown.title, 'Molecular sequence')
  assert.equal(fact(unknown, 'Quantity'), '2.5\u00a0mL')
  assert.equal(fact(unknown, 'Performer'), 'Lab One')
  assert.ok(summarise(odd, reader(odd)))
})

test('markup of a narrative is dropped', () => {
  const v = read({ resourceType: 'Composition', title: 'Letter', section: [{ title: 'Plan', text: { div: '<div><p>Rest &amp; tea</p><script>alert(1)</script><p>Walk</p></div>' } }] })
  assert.match(v.text, /^Plan\nRest & tea\n/)
  assert.doesNotMatch(v.text, /</)
})

test('problems that are over, and what was entered in error, are not current', () => {
  const condition = (id: string, name: string, clinical: string, verification = 'confirmed'): Resource => ({ resourceType: 'Condition', id, code: { text: name }, clinicalStatus: { coding: [{ code: clinical }] }, verificationStatus: { coding: [{ code: verification }] } })
  const s = summarise([condition('1', 'Asthma', 'active'), condition('2', 'Flu', 'resolved'), condition('3', 'Gout', 'active', 'entered-in-error'), condition('4', 'Lupus', 'active', 'refuted')], reader())
  assert.deepEqual(s.problems.map((p) => p.view.title), ['Asthma'])
  assert.deepEqual(s.past.map((p) => p.view.title), ['Flu'])
})

test('parts of a result that say nothing are left out', () => {
  const v = read({ resourceType: 'Observation', code: { text: 'Panel' }, component: [{ code: { text: 'a' } }, {}, { code: { text: 'b' }, valueString: 'fine' }] } as Resource)
  assert.match(v.brief, /b.*fine/)
  assert.doesNotMatch(v.brief, /\ba\b|: *$|: *and/)
})

test('a bundle within a bundle is its resources, and an entry that is nothing is none', () => {
  const inner = { resourceType: 'Bundle', entry: [null, { resource: { resourceType: 'Condition', code: { text: 'Inner' } } }] }
  const found = resourcesOf(JSON.stringify({ resourceType: 'Bundle', entry: [null, { fullUrl: 7, resource: { resourceType: 'Basic' } }, { resource: inner }] }))
  assert.deepEqual(found?.map((r) => r.resourceType), ['Basic', 'Condition'])
})
