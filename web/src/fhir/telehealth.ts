// Consent to visits by video: the words that a person agrees to, and their answer as a FHIR Consent in the chart. It is
// asked once for each version of the words, and can be taken back.

import type { ID, Item, Resource } from '../engine/types.ts'
import { each, hasCode, text } from './read.ts'
import { spoken, type Said } from './said.ts'

/** Changes whenever the words below change in what they mean. Then everyone is asked again. */
export const telehealthVersion = '2026-11'

const words: readonly Said[] = [
  {
    en: 'In a visit by video you and your clinician see and hear each other over the internet, instead of in one room.',
    es: 'En una consulta por video, usted y su profesional se ven y se oyen por internet, en lugar de estar en la misma sala.',
    ar: 'في الاستشارة بالفيديو ترى طبيبك وتسمعه ويراك ويسمعك عبر الإنترنت، بدلًا من أن تكونا في غرفة واحدة.',
  },
  {
    en: 'Sound and picture are sealed on your device and open only on the devices of the people in the visit. Nothing is recorded. You see everyone who is there.',
    es: 'El sonido y la imagen se sellan en su dispositivo y solo se abren en los dispositivos de quienes están en la consulta. No se graba nada. Usted ve a todas las personas presentes.',
    ar: 'يُختم الصوت والصورة على جهازك ولا يُفتحان إلا على أجهزة من هم في الاستشارة. لا يُسجَّل شيء. وأنت ترى كل من هو حاضر.',
  },
  {
    en: 'A clinician cannot examine you by video as they could in person. If they need to, they will ask you to come in. The connection may fail; then you will be called, or given another time.',
    es: 'Por video no se le puede examinar igual que en persona. Si hace falta, se le pedirá que venga. La conexión puede fallar; en ese caso le llamarán o le darán otra hora.',
    ar: 'لا يستطيع الطبيب فحصك بالفيديو كما يفحصك وجهًا لوجه. وإذا لزم ذلك فسيطلب منك الحضور. وقد ينقطع الاتصال؛ عندها سيُتصل بك أو يُحدَّد لك موعد آخر.',
  },
  {
    en: 'A visit by video is not for emergencies. If your life may be in danger, call your local emergency number.',
    es: 'La consulta por video no es para emergencias. Si su vida puede correr peligro, llame a su número local de emergencias.',
    ar: 'الاستشارة بالفيديو ليست للحالات الطارئة. إذا كانت حياتك قد تكون في خطر فاتصل برقم الطوارئ المحلي.',
  },
  {
    en: 'It is your choice. You can say no, stop a visit at any time, or take this consent back in your chart, and you will be cared for just as well.',
    es: 'La decisión es suya. Puede decir que no, terminar una consulta en cualquier momento o retirar este consentimiento en su historia, y se le atenderá igual de bien.',
    ar: 'القرار لك. يمكنك أن ترفض، أو أن تنهي الاستشارة في أي وقت، أو أن تسحب هذه الموافقة في ملفك، وستلقى الرعاية نفسها.',
  },
]

/** What a person agrees to, in paragraphs. */
export const telehealthWords = (lang: string): readonly string[] => words.map((w) => w[spoken(lang)])

const policy = (version: string): string => `urn:ward:telehealth:${version}`

/** The answer: given, or taken back. It holds the words as they were shown. */
export const telehealthConsent = (chart: ID, person: ID, name: string, date: string, lang: string, given: boolean): Resource => ({
  resourceType: 'Consent', status: given ? 'active' : 'inactive', language: spoken(lang),
  scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'treatment' }] },
  category: [{ coding: [{ system: 'urn:ward:care', code: 'telehealth' }] }],
  patient: { identifier: { system: 'urn:ward:chart', value: chart } }, dateTime: date,
  performer: [{ identifier: { system: 'urn:ward:person', value: person }, ...(name !== '' && { display: name }) }],
  policy: [{ uri: policy(telehealthVersion) }], policyRule: { text: telehealthWords(lang).join('\n') },
})

export interface Standing {
  readonly state: 'none' | 'given' | 'older' | 'withdrawn' // older: given to words that have changed since
  readonly item?: Item
}

/** How consent stands: the newest word of the patient, or of who acts for them, counts. Staff consent for nobody. */
export function telehealthStanding(items: readonly Item[], owner: ID, version = telehealthVersion): Standing {
  const said = items.filter((i) => i.kind === 'consent' && i.state !== 'refused' && (i.author.person === owner || i.author.roles.includes('proxy')) && i.resources.some(isTelehealth))
  const item = said.reduce<Item | undefined>((newest, i) => (newest === undefined || i.time >= newest.time ? i : newest), undefined)
  const r = item?.resources.find(isTelehealth)
  if (!item || !r) return { state: 'none' }
  if (r['status'] !== 'active') return { state: 'withdrawn', item }
  return { state: each(r['policy']).some((p) => text(p['uri']) === policy(version)) ? 'given' : 'older', item }
}

const isTelehealth = (r: Resource): boolean => r.resourceType === 'Consent' && each(r['category']).some((c) => hasCode(c, 'telehealth'))
