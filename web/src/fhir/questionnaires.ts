// The questionnaires that Ward brings: PHQ-9 (depression) and GAD-7 (anxiety), by Spitzer, Williams, Kroenke and
// colleagues. No permission is required to reproduce, translate, display or distribute them.

import type { Resource } from '../engine/types.ts'

export const instruments = ['phq-9', 'gad-7'] as const
export type InstrumentID = (typeof instruments)[number]
type Lang = 'en' | 'es' | 'ar'
type Said = Readonly<Record<Lang, string>>

interface Data {
  readonly title: Said; readonly about: Said; readonly loinc: string; readonly scoreLoinc: string
  readonly items: readonly (readonly [loinc: string, text: Said])[]
  /** The lowest score of each severity. */
  readonly bands: readonly (readonly [number, Severity])[]
}

export type Severity = 'minimal' | 'mild' | 'moderate' | 'moderatelySevere' | 'severe'

const lead: Said = {
  en: 'Over the last 2 weeks, how often have you been bothered by any of the following problems?',
  es: 'Durante las últimas 2 semanas, ¿con qué frecuencia ha tenido molestias debido a los siguientes problemas?',
  ar: 'خلال الأسبوعين الماضيين، كم مرة عانيت من أي من المشكلات التالية؟',
}

/** The answers and their LOINC codes; the place of each is its score. */
const options: readonly (readonly [loinc: string, text: Said])[] = [
  ['LA6568-5', { en: 'Not at all', es: 'Ningún día', ar: 'أبدًا' }],
  ['LA6569-3', { en: 'Several days', es: 'Varios días', ar: 'عدة أيام' }],
  ['LA6570-1', { en: 'More than half the days', es: 'Más de la mitad de los días', ar: 'أكثر من نصف الأيام' }],
  ['LA6571-9', { en: 'Nearly every day', es: 'Casi todos los días', ar: 'كل يوم تقريبًا' }],
]

/** The question of PHQ-9 about thoughts of death and self-harm: its place. Any answer but the first asks for help at once. */
export const crisisItem = 8

const data: Readonly<Record<InstrumentID, Data>> = {
  'phq-9': {
    title: { en: 'Mood (PHQ-9)', es: 'Estado de ánimo (PHQ-9)', ar: 'المزاج (PHQ-9)' },
    about: { en: 'Nine questions about low mood.', es: 'Nueve preguntas sobre el ánimo decaído.', ar: 'تسعة أسئلة عن انخفاض المزاج.' },
    loinc: '44249-1', scoreLoinc: '44261-6',
    bands: [[0, 'minimal'], [5, 'mild'], [10, 'moderate'], [15, 'moderatelySevere'], [20, 'severe']],
    items: [
      ['44250-9', { en: 'Little interest or pleasure in doing things', es: 'Poco interés o placer en hacer cosas', ar: 'قلة الاهتمام أو الاستمتاع بعمل الأشياء' }],
      ['44255-8', { en: 'Feeling down, depressed, or hopeless', es: 'Se ha sentido decaído(a), deprimido(a) o sin esperanzas', ar: 'الشعور بالإحباط أو الاكتئاب أو اليأس' }],
      ['44259-0', { en: 'Trouble falling or staying asleep, or sleeping too much', es: 'Ha tenido dificultad para quedarse o permanecer dormido(a), o ha dormido demasiado', ar: 'صعوبة في النوم أو في الاستمرار فيه، أو النوم أكثر من اللازم' }],
      ['44254-1', { en: 'Feeling tired or having little energy', es: 'Se ha sentido cansado(a) o con poca energía', ar: 'الشعور بالتعب أو قلة الطاقة' }],
      ['44251-7', { en: 'Poor appetite or overeating', es: 'Sin apetito o ha comido en exceso', ar: 'ضعف الشهية أو الإفراط في الأكل' }],
      ['44258-2', { en: 'Feeling bad about yourself — or that you are a failure or have let yourself or your family down', es: 'Se ha sentido mal con usted mismo(a) — o que es un fracaso o que ha quedado mal con usted mismo(a) o con su familia', ar: 'الشعور بالسوء تجاه نفسك — أو بأنك فاشل أو أنك خذلت نفسك أو عائلتك' }],
      ['44252-5', { en: 'Trouble concentrating on things, such as reading the newspaper or watching television', es: 'Ha tenido dificultad para concentrarse en ciertas actividades, tales como leer el periódico o ver la televisión', ar: 'صعوبة في التركيز على الأشياء، مثل قراءة الصحيفة أو مشاهدة التلفاز' }],
      ['44253-3', { en: 'Moving or speaking so slowly that other people could have noticed? Or the opposite — being so fidgety or restless that you have been moving around a lot more than usual', es: '¿Se ha movido o hablado tan lento que otras personas podrían haberlo notado? O lo contrario — muy inquieto(a) o agitado(a) que ha estado moviéndose mucho más de lo normal', ar: 'التحرك أو التحدث ببطء شديد لدرجة أن الآخرين ربما لاحظوا ذلك؟ أو العكس — التململ أو عدم الاستقرار بحيث كنت تتحرك أكثر بكثير من المعتاد' }],
      ['44260-8', { en: 'Thoughts that you would be better off dead, or of hurting yourself in some way', es: 'Pensamientos de que estaría mejor muerto(a) o de lastimarse de alguna manera', ar: 'أفكار بأنه من الأفضل لك لو كنت ميتًا، أو أفكار بإيذاء نفسك بطريقة ما' }],
    ],
  },
  'gad-7': {
    title: { en: 'Worry (GAD-7)', es: 'Preocupación (GAD-7)', ar: 'القلق (GAD-7)' },
    about: { en: 'Seven questions about worry and nervousness.', es: 'Siete preguntas sobre la preocupación y los nervios.', ar: 'سبعة أسئلة عن القلق والتوتر.' },
    loinc: '69737-5', scoreLoinc: '70274-6',
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
}

export interface Instrument {
  readonly id: InstrumentID; readonly title: string; readonly about: string; readonly lead: string
  readonly items: readonly { readonly linkId: string; readonly text: string }[]
  readonly options: readonly string[]
  readonly most: number
}

const spoken = (lang: string): Lang => (lang === 'es' || lang === 'ar' ? lang : 'en')

/** A questionnaire in a language. */
export function instrument(id: InstrumentID, lang: string): Instrument {
  const { title, about, items } = data[id]
  const l = spoken(lang)
  return {
    id, title: title[l], about: about[l], lead: lead[l], items: items.map(([code, text]) => ({ linkId: code, text: text[l] })), options: options.map(([, text]) => text[l]),
    most: items.length * (options.length - 1),
  }
}

export const scoreOf = (answers: readonly number[]): number => answers.reduce((sum, a) => sum + a, 0)

export function severityOf(id: InstrumentID, score: number): Severity {
  return data[id].bands.findLast(([from]) => score >= from)?.[1] ?? 'minimal'
}

const scoreURL = 'http://hl7.org/fhir/StructureDefinition/questionnaireresponse-ordinalValue'

/** The answers as FHIR: each by its place in the options, which is its score, and the sum as the last item. */
export function toResponse(q: Instrument, answers: readonly number[], by: { chart: string; person: string; name: string; date: string }): Resource {
  const { loinc, scoreLoinc } = data[q.id]
  return {
    resourceType: 'QuestionnaireResponse', status: 'completed', questionnaire: `http://loinc.org/q/${loinc}`,
    _questionnaire: { extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/display', valueString: q.title }] },
    subject: { identifier: { system: 'urn:ward:chart', value: by.chart } }, authored: by.date,
    author: { identifier: { system: 'urn:ward:person', value: by.person }, display: by.name },
    item: [
      ...q.items.map((item, i) => {
        const at = answers[i] ?? 0
        return {
          linkId: item.linkId, text: item.text,
          answer: [{ valueCoding: { extension: [{ url: scoreURL, valueDecimal: at }], system: 'http://loinc.org', code: options[at]?.[0] ?? '', display: q.options[at] ?? '' } }],
        }
      }),
      { linkId: scoreLoinc, answer: [{ valueInteger: scoreOf(answers) }] },
    ],
  }
}

/** Which of Ward's questionnaires a response answers, and its score. */
export function readResponse(r: Resource): { readonly id: InstrumentID; readonly score: number } | undefined {
  const id = instruments.find((i) => r['questionnaire'] === `http://loinc.org/q/${data[i].loinc}`)
  const items = (Array.isArray(r['item']) ? r['item'] : []) as { linkId?: unknown; answer?: { valueInteger?: unknown }[] }[]
  const score = items.find((i) => id !== undefined && i.linkId === data[id].scoreLoinc)?.answer?.[0]?.valueInteger
  return id !== undefined && typeof score === 'number' ? { id, score } : undefined
}
