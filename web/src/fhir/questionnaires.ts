// The questionnaires that Ward brings, as FHIR, and what answers to them come to.
//
// PHQ-9 (depression) and GAD-7 (anxiety) are by Spitzer, Williams, Kroenke and colleagues; no permission is required to
// reproduce, translate, display or distribute them. English and Spanish are the published words. The Arabic of PHQ-9
// follows the version of AlHadi and others (2017) as far as it could be had here; that of GAD-7 is a plain translation. Nobody
// has compared either with the validated text, so a score that comes of them says so to whoever treats (unchecked, below).
//
// Asthma control asks in Ward's own words for the four things that GINA, the Global Initiative for Asthma, assesses
// symptom control by: none is well controlled, one or two partly, three or four not. It is not the Asthma Control Test,
// whose questions are its owners' (QualityMetric, GSK) and are not used here.

import type { Resource } from '../engine/types.ts'
import { intake } from './intake.ts'
import { written } from './own.ts'
import { codes, each, fields, text, type Fields } from './read.ts'
import { spoken, type Said } from './said.ts'
import { wound } from './wound.ts'

export const scales = ['phq-9', 'gad-7', 'asthma'] as const
export type ScaleID = (typeof scales)[number]
export const shipped = ['new-patient', ...scales, 'wound'] as const
export type ShippedID = (typeof shipped)[number]

export type Severity = 'minimal' | 'mild' | 'moderate' | 'moderatelySevere' | 'severe' | 'controlled' | 'partly' | 'uncontrolled'

type Option = readonly [loinc: string, said: Said]

interface Scale {
  readonly url: string
  readonly code?: string               // LOINC's, of the whole
  readonly title: Said; readonly about: Said; readonly lead: Said
  readonly score: string               // linkId of the sum
  readonly options: readonly Option[]  // the place of each is its score
  readonly items: readonly (readonly [linkId: string, text: Said])[]
  readonly more?: { readonly linkId: string; readonly said: Said; readonly options: readonly Option[] } // asked, and not in the sum
  readonly bands: readonly (readonly [lowest: number, Severity])[]
}

const twoWeeks: Said = {
  en: 'Over the last 2 weeks, how often have you been bothered by any of the following problems?',
  es: 'Durante las últimas 2 semanas, ¿qué tan seguido ha tenido molestias debido a los siguientes problemas?',
  ar: 'خلال الأسبوعين الماضيين، كم مرة عانيت من أيّ من المشاكل التالية؟',
}

const howOften: readonly Option[] = [
  ['LA6568-5', { en: 'Not at all', es: 'Ningún día', ar: 'ولا مرة' }],
  ['LA6569-3', { en: 'Several days', es: 'Varios días', ar: 'عدة أيام' }],
  ['LA6570-1', { en: 'More than half the days', es: 'Más de la mitad de los días', ar: 'أكثر من نصف الأيام' }],
  ['LA6571-9', { en: 'Nearly every day', es: 'Casi todos los días', ar: 'تقريبًا كل يوم' }],
]

const yesNo: readonly Option[] = [['LA32-8', { en: 'No', es: 'No', ar: 'لا' }], ['LA33-6', { en: 'Yes', es: 'Sí', ar: 'نعم' }]]

const difficulty: Scale['more'] = {
  linkId: '69722-7',
  said: {
    en: 'If you checked off any problems, how difficult have these problems made it for you to do your work, take care of things at home, or get along with other people?',
    es: 'Si marcó cualquiera de los problemas, ¿qué tanta dificultad le han dado estos problemas para hacer su trabajo, encargarse de las tareas del hogar, o llevarse bien con otras personas?',
    ar: 'إذا أشرت إلى أيّ من هذه المشاكل، فإلى أيّ مدى صعّبت عليك القيام بعملك، أو الاهتمام بشؤون المنزل، أو الانسجام مع الآخرين؟',
  },
  options: [
    ['LA6572-7', { en: 'Not difficult at all', es: 'No ha sido difícil', ar: 'ليست هناك أيّ صعوبة' }], ['LA6573-5', { en: 'Somewhat difficult', es: 'Un poco difícil', ar: 'هناك بعض الصعوبة' }],
    ['LA6574-3', { en: 'Very difficult', es: 'Muy difícil', ar: 'هناك صعوبة شديدة' }], ['LA6575-0', { en: 'Extremely difficult', es: 'Extremadamente difícil', ar: 'هناك صعوبة بالغة' }],
  ],
}

/** PHQ-9's question about thoughts of death and of self-harm. Any answer but the first asks for someone's attention. */
const crisisItem = '44260-8'

const data: Readonly<Record<ScaleID, Scale>> = {
  'phq-9': {
    url: 'http://loinc.org/q/44249-1', code: '44249-1', score: '44261-6', lead: twoWeeks, options: howOften, more: difficulty,
    title: { en: 'Mood (PHQ-9)', es: 'Estado de ánimo (PHQ-9)', ar: 'المزاج (PHQ-9)' },
    about: { en: 'Nine questions about low mood.', es: 'Nueve preguntas sobre el ánimo decaído.', ar: 'تسعة أسئلة عن انخفاض المزاج.' },
    bands: [[0, 'minimal'], [5, 'mild'], [10, 'moderate'], [15, 'moderatelySevere'], [20, 'severe']],
    items: [
      ['44250-9', { en: 'Little interest or pleasure in doing things', es: 'Poco interés o placer en hacer cosas', ar: 'قلة الاهتمام أو قلة الاستمتاع بممارسة أيّ عمل' }],
      ['44255-8', { en: 'Feeling down, depressed, or hopeless', es: 'Se ha sentido decaído(a), deprimido(a) o sin esperanzas', ar: 'الشعور بالحزن أو ضيق الصدر أو اليأس' }],
      ['44259-0', { en: 'Trouble falling or staying asleep, or sleeping too much', es: 'Ha tenido dificultad para quedarse o permanecer dormido(a), o ha dormido demasiado', ar: 'صعوبة في النوم أو نوم متقطع أو النوم أكثر من المعتاد' }],
      ['44254-1', { en: 'Feeling tired or having little energy', es: 'Se ha sentido cansado(a) o con poca energía', ar: 'الشعور بالتعب أو بامتلاك القليل جدًا من الطاقة' }],
      ['44251-7', { en: 'Poor appetite or overeating', es: 'Sin apetito o ha comido en exceso', ar: 'قلة الشهية أو الزيادة في تناول الطعام عن المعتاد' }],
      ['44258-2', { en: 'Feeling bad about yourself — or that you are a failure or have let yourself or your family down', es: 'Se ha sentido mal con usted mismo(a) — o que es un fracaso o que ha quedado mal con usted mismo(a) o con su familia', ar: 'الشعور بعدم الرضا عن النفس — أو الشعور بأنك فاشل أو بأنك خذلت نفسك أو عائلتك' }],
      ['44252-5', { en: 'Trouble concentrating on things, such as reading the newspaper or watching television', es: 'Ha tenido dificultad para concentrarse en ciertas actividades, tales como leer el periódico o ver la televisión', ar: 'صعوبة في التركيز، مثلًا أثناء قراءة الصحيفة أو مشاهدة التلفزيون' }],
      ['44253-3', { en: 'Moving or speaking so slowly that other people could have noticed? Or the opposite — being so fidgety or restless that you have been moving around a lot more than usual', es: '¿Se ha movido o hablado tan lento que otras personas podrían haberlo notado? O lo contrario — muy inquieto(a) o agitado(a) que ha estado moviéndose mucho más de lo normal', ar: 'بطء في الحركة أو في التحدث عما هو معتاد لدرجة ملحوظة من الآخرين — أو على العكس، التململ وكثرة الحركة أكثر من المعتاد' }],
      [crisisItem, { en: 'Thoughts that you would be better off dead, or of hurting yourself in some way', es: 'Pensamientos de que estaría mejor muerto(a) o de lastimarse de alguna manera', ar: 'راودتك أفكار بأنه من الأفضل لو كنت ميتًا، أو أفكار بأن تقوم بإيذاء نفسك' }],
    ],
  },
  'gad-7': {
    url: 'http://loinc.org/q/69737-5', code: '69737-5', score: '70274-6', lead: twoWeeks, options: howOften,
    title: { en: 'Worry (GAD-7)', es: 'Preocupación (GAD-7)', ar: 'القلق (GAD-7)' },
    about: { en: 'Seven questions about worry and nervousness.', es: 'Siete preguntas sobre la preocupación y los nervios.', ar: 'سبعة أسئلة عن القلق والتوتر.' },
    bands: [[0, 'minimal'], [5, 'mild'], [10, 'moderate'], [15, 'severe']],
    items: [
      ['69725-0', { en: 'Feeling nervous, anxious, or on edge', es: 'Se ha sentido nervioso(a), ansioso(a) o con los nervios de punta', ar: 'الشعور بالتوتر أو القلق أو العصبية' }],
      ['68509-9', { en: 'Not being able to stop or control worrying', es: 'No ha sido capaz de parar o controlar su preocupación', ar: 'عدم القدرة على إيقاف القلق أو السيطرة عليه' }],
      ['69733-4', { en: 'Worrying too much about different things', es: 'Se ha preocupado demasiado por motivos diferentes', ar: 'القلق المفرط بشأن أمور مختلفة' }],
      ['69734-2', { en: 'Trouble relaxing', es: 'Ha tenido dificultad para relajarse', ar: 'صعوبة في الاسترخاء' }],
      ['69735-9', { en: 'Being so restless that it is hard to sit still', es: 'Se ha sentido tan inquieto(a) que no ha podido quedarse quieto(a)', ar: 'التململ لدرجة يصعب معها الجلوس بهدوء' }],
      ['69689-8', { en: 'Becoming easily annoyed or irritable', es: 'Se ha molestado o irritado fácilmente', ar: 'الانزعاج أو سرعة الغضب' }],
      ['69736-7', { en: 'Feeling afraid, as if something awful might happen', es: 'Ha tenido miedo de que algo terrible fuera a pasar', ar: 'الشعور بالخوف كما لو أن شيئًا فظيعًا قد يحدث' }],
    ],
  },
  asthma: {
    url: 'urn:ward:questionnaire:asthma', score: 'score', options: yesNo,
    title: { en: 'Asthma control', es: 'Control del asma', ar: 'السيطرة على الربو' },
    about: { en: 'Four questions about how your asthma has been.', es: 'Cuatro preguntas sobre cómo ha estado su asma.', ar: 'أربعة أسئلة عن حال الربو لديك.' },
    lead: { en: 'Think of the last 4 weeks.', es: 'Piense en las últimas 4 semanas.', ar: 'فكّر في الأسابيع الأربعة الماضية.' },
    bands: [[0, 'controlled'], [1, 'partly'], [3, 'uncontrolled']],
    items: [
      ['day', { en: 'Did asthma trouble you in the daytime on more than two days of a week?', es: '¿Le molestó el asma durante el día más de dos días por semana?', ar: 'هل أزعجك الربو نهارًا أكثر من يومين في الأسبوع؟' }],
      ['night', { en: 'Did asthma wake you at night?', es: '¿Le despertó el asma por la noche?', ar: 'هل أيقظك الربو ليلًا؟' }],
      ['reliever', { en: 'Did you need your reliever inhaler more than two times a week? (Not counting before exercise.)', es: '¿Necesitó su inhalador de rescate más de dos veces por semana? (Sin contar antes del ejercicio.)', ar: 'هل احتجت إلى بخّاخ الإسعاف أكثر من مرتين في الأسبوع؟ (عدا استعماله قبل الرياضة.)' }],
      ['limits', { en: 'Did asthma keep you from doing anything?', es: '¿El asma le impidió hacer alguna cosa?', ar: 'هل منعك الربو من القيام بشيء؟' }],
    ],
  },
}

const scoreURL = 'http://hl7.org/fhir/StructureDefinition/ordinalValue'

/** One of Ward's questionnaires in a language. */
export function questionnaire(id: ShippedID, lang: string): Resource {
  if (id === 'new-patient') return written(intake, lang)
  if (id === 'wound') return written(wound, lang)
  const { url, code, title, about, lead, items, options, more, score } = data[id]
  const l = spoken(lang)
  const loinc = (linkId: string): object => (/^\d+-\d$/.test(linkId) ? { code: [{ system: 'http://loinc.org', code: linkId }] } : {})
  const choices = (of: readonly Option[], scored: boolean): object[] =>
    of.map(([option, said], at) => ({ valueCoding: { ...(scored && { extension: [{ url: scoreURL, valueDecimal: at }] }), system: 'http://loinc.org', code: option, display: said[l] } }))
  return {
    resourceType: 'Questionnaire', url, title: title[l], description: about[l], status: 'active', language: l, subjectType: ['Patient'], ...(code && { code: [{ system: 'http://loinc.org', code }] }),
    item: [
      { linkId: 'lead', type: 'display', text: lead[l] },
      ...items.map(([linkId, said], i) => ({ linkId, ...loinc(linkId), prefix: `${new Intl.NumberFormat(lang).format(i + 1)}.`, text: said[l], type: 'choice', required: true, answerOption: choices(options, true) })),
      ...(more ? [{ linkId: more.linkId, ...loinc(more.linkId), text: more.said[l], type: 'choice', answerOption: choices(more.options, false) }] : []),
      { linkId: score, ...loinc(score), type: 'integer', readOnly: true },
    ],
  }
}

/** What one of Ward's questionnaires calls its questions and answers in a language, whichever it was answered in. */
export function labelsOf(id: ShippedID, lang: string): { readonly question: (linkId: string) => string; readonly answer: (linkId: string, code: string) => string } {
  const all = new Map<string, Fields>()
  const walk = (items: unknown): void => {
    for (const i of each(items)) {
      all.set(text(i['linkId']), i)
      walk(i['item'])
    }
  }
  walk(questionnaire(id, lang)['item'])
  return {
    question: (linkId) => text(all.get(linkId)?.['text']),
    answer: (linkId, code) => text(each(all.get(linkId)?.['answerOption']).map((o) => fields(o['valueCoding'])).find((o) => o['code'] === code)?.['display']),
  }
}

const isScale = (id: ShippedID): id is ScaleID => (scales as readonly string[]).includes(id)

export const urlOf = (id: ShippedID): string => (id === 'new-patient' ? intake.url : id === 'wound' ? wound.url : data[id].url)

/** Which of Ward's questionnaires a canonical names. */
export const idOf = (canonical: unknown): ShippedID | undefined => shipped.find((id) => text(canonical).split('|')[0] === urlOf(id))

export const titleOf = (id: ShippedID, lang: string): string => text(questionnaire(id, lang)['title'])

/** unchecked: of answers to words that nobody compared with a validated text, so that it may not mean the same. */
export interface Score { readonly id: ScaleID; readonly score: number; readonly most: number; readonly severity: Severity; readonly unchecked: boolean }

/** Whether a questionnaire has words in a language that nobody compared with a validated text. */
export const isUnchecked = (id: ShippedID, lang: string): boolean => (id === 'phq-9' || id === 'gad-7') && spoken(lang) === 'ar'

/** In which language questions were answered: by their letters, since they come as they were asked. */
const answeredIn = (r: Fields): string => (each(r['item']).some((i) => /\p{Script=Arabic}/u.test(text(i['text']))) ? 'ar' : 'en')

export const severityOf = (id: ScaleID, score: number): Severity => data[id].bands.findLast(([lowest]) => score >= lowest)?.[1] ?? (data[id].bands[0] as readonly [number, Severity])[1]

/** Whether a score asks for a clinician's eye. */
export const concerns = (severity: Severity): boolean => !['minimal', 'mild', 'controlled'].includes(severity)

const answersIn = (r: Fields): ReadonlyMap<string, Fields> => new Map(each(r['item']).map((i) => [text(i['linkId']), fields(fields(each(i['answer'])[0])['valueCoding'])]))

/** What answers come to, counted anew from the answers and not taken from a sum that came with them. */
export function scoreOf(r: Resource): Score | undefined {
  const id = idOf(r['questionnaire'])
  if (r.resourceType !== 'QuestionnaireResponse' || id === undefined || !isScale(id)) return undefined
  const { items, options } = data[id]
  const given = answersIn(r)
  const points = items.map(([linkId]) => options.findIndex(([code]) => codes([given.get(linkId)]).includes(code)))
  if (points.includes(-1)) return undefined
  const score = points.reduce((sum, p) => sum + p, 0)
  return { id, score, most: items.length * (options.length - 1), severity: severityOf(id, score), unchecked: isUnchecked(id, answeredIn(r)) }
}

/** Answers with their sum, as other programs expect to find it. */
export function withScore(r: Resource): Resource {
  const found = scoreOf(r)
  return found ? { ...r, item: [...each(r['item']), { linkId: data[found.id].score, answer: [{ valueInteger: found.score }] }] } : r
}

/** Whether an item of answers is the sum, which is said apart. */
export const isSum = (linkId: unknown): boolean => scales.some((id) => data[id].score === linkId)

/** What was answered to PHQ-9's question about death and self-harm, if not 'not at all': '' if so, undefined if it was not asked. */
export function crisisIn(r: Resource): string | undefined {
  if (idOf(r['questionnaire']) !== 'phq-9') return undefined
  const answer = answersIn(r).get(crisisItem)
  const at = howOften.findIndex(([code]) => codes([answer]).includes(code))
  return at < 0 ? undefined : at === 0 ? '' : (howOften[at] as Option)[0]
}

/** The words of one of its answers. */
export const crisisAnswer = (code: string, lang: string): string => howOften.find(([c]) => c === code)?.[1][spoken(lang)] ?? ''

/** Whether what is being answered shows it already, so that help is shown before anything is stored. */
export const asksForHelp = (url: unknown, linkId: string, option: unknown): boolean =>
  idOf(url) === 'phq-9' && linkId === crisisItem && codes([option]).some((code) => howOften.findIndex(([c]) => c === code) > 0)
