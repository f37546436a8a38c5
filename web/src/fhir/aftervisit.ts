// The words of an after-visit summary that do not depend on who writes it: its title, its parts, and sentences that are
// said often. They are data, since a summary is in the patient's language, whatever that of the clinician's screen.

import { spoken, type Said } from './said.ts'
import type { SummaryPart } from './visit.ts'

const title: Said = { en: 'After your visit', es: 'Después de su consulta', ar: 'بعد زيارتك' }

const parts: Readonly<Record<SummaryPart, Said>> = {
  talked: { en: 'What we talked about', es: 'De qué hablamos', ar: 'ما تحدثنا عنه' },
  todo: { en: 'What you can do', es: 'Qué puede hacer usted', ar: 'ما يمكنك فعله' },
  medicines: { en: 'Your medicines', es: 'Sus medicamentos', ar: 'أدويتك' },
  help: { en: 'When to get help', es: 'Cuándo pedir ayuda', ar: 'متى تطلب المساعدة' },
  next: { en: 'What comes next', es: 'Qué sigue ahora', ar: 'ما التالي' },
}

const sentences: Readonly<Partial<Record<SummaryPart, readonly Said[]>>> = {
  todo: [
    { en: 'Rest, and drink enough water.', es: 'Descanse y beba suficiente agua.', ar: 'استرح واشرب ما يكفي من الماء.' },
    { en: 'Write down your readings each day, and bring them to the next visit.', es: 'Anote sus mediciones cada día y tráigalas a la próxima consulta.', ar: 'دوّن قياساتك كل يوم وأحضرها إلى الزيارة القادمة.' },
    { en: 'Keep moving as far as you feel well.', es: 'Siga moviéndose mientras se sienta bien.', ar: 'واصل الحركة ما دمت تشعر بأنك بخير.' },
  ],
  medicines: [
    { en: 'Nothing changes. Take your medicines as before.', es: 'Nada cambia. Tome sus medicamentos como hasta ahora.', ar: 'لا تغيير. تناول أدويتك كما كنت تفعل.' },
    { en: 'If you think that a medicine does you harm, do not wait: call the clinic.', es: 'Si cree que un medicamento le hace daño, no espere: llame a la clínica.', ar: 'إذا ظننت أن دواءً يضرّك فلا تنتظر: اتصل بالعيادة.' },
  ],
  help: [
    { en: 'Call the clinic if you do not feel better in a few days, or if you feel worse.', es: 'Llame a la clínica si no mejora en unos días o si empeora.', ar: 'اتصل بالعيادة إذا لم تتحسن خلال أيام، أو إذا ساءت حالتك.' },
    { en: 'Call your local emergency number if you have chest pain, cannot breathe well, faint, or suddenly cannot speak or move as usual.', es: 'Llame a su número local de emergencias si tiene dolor en el pecho, no puede respirar bien, se desmaya o de repente no puede hablar o moverse como siempre.', ar: 'اتصل برقم الطوارئ المحلي إذا شعرت بألم في الصدر، أو لم تستطع التنفس جيدًا، أو أُغمي عليك، أو لم تعد فجأة تستطيع الكلام أو الحركة كالمعتاد.' },
    { en: 'If you have thoughts of hurting yourself, call your local emergency number, or talk to someone near you, now.', es: 'Si piensa en hacerse daño, llame ahora a su número local de emergencias o hable con alguien cercano.', ar: 'إذا راودتك أفكار بإيذاء نفسك فاتصل الآن برقم الطوارئ المحلي، أو تحدث إلى شخص قريب منك.' },
  ],
  next: [
    { en: 'No further visit is needed for now.', es: 'Por ahora no hace falta otra consulta.', ar: 'لا حاجة إلى زيارة أخرى في الوقت الحالي.' },
    { en: 'You will get your results in your chart. We write to you if something has to be done.', es: 'Recibirá sus resultados en su historia. Le escribiremos si hay que hacer algo.', ar: 'ستصلك نتائجك في ملفك. وسنكتب إليك إذا لزم فعل شيء.' },
  ],
}

export const summaryTitle = (lang: string): string => title[spoken(lang)]
export const partTitles = (lang: string): Readonly<Record<SummaryPart, string>> => {
  const l = spoken(lang)
  return { talked: parts.talked[l], todo: parts.todo[l], medicines: parts.medicines[l], help: parts.help[l], next: parts.next[l] }
}

/** Ready sentences of a part: as the clinician reads them, and as they go into the summary. */
export const readySentences = (part: SummaryPart, reading: string, writing: string): readonly { readonly shown: string; readonly put: string }[] =>
  (sentences[part] ?? []).map((s) => ({ shown: s[spoken(reading)], put: s[spoken(writing)] }))
