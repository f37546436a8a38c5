// The questionnaire for new patients: what a clinician wants to know before the first visit. Ward's own words, under
// the licence of this project. It asks nothing that must be answered but why one comes.

import type { Own, OwnItem } from './own.ts'
import type { Said } from './said.ts'

const title: Said = { en: 'Before your first visit', es: 'Antes de su primera visita', ar: 'قبل زيارتك الأولى' }
const about: Said = {
  en: 'What your clinician should know before you meet. Leave out what you prefer to say in person.',
  es: 'Lo que su profesional debe saber antes de la visita. Puede omitir lo que prefiera decir en persona.',
  ar: 'ما ينبغي أن يعرفه طبيبك قبل اللقاء. يمكنك ترك ما تفضّل قوله وجهًا لوجه.',
}

const items: readonly OwnItem[] = [
  { id: 'reason', type: 'text', required: true, said: { en: 'What brings you to us?', es: '¿Qué le trae a nuestra consulta?', ar: 'ما الذي أتى بك إلينا؟' } },
  {
    id: 'health', type: 'group', said: { en: 'Your health', es: 'Su salud', ar: 'صحتك' }, items: [
      {
        id: 'conditions', type: 'open-choice', repeats: true, said: { en: 'Have you been told that you have any of these?', es: '¿Le han dicho que tiene alguna de estas enfermedades?', ar: 'هل قيل لك إن لديك أيًّا مما يلي؟' }, options: [
          ['blood-pressure', { en: 'High blood pressure', es: 'Presión arterial alta', ar: 'ارتفاع ضغط الدم' }], ['diabetes', { en: 'Diabetes', es: 'Diabetes', ar: 'السكري' }],
          ['heart', { en: 'Heart disease', es: 'Enfermedad del corazón', ar: 'مرض في القلب' }], ['lungs', { en: 'Asthma or another lung disease', es: 'Asma u otra enfermedad pulmonar', ar: 'الربو أو مرض رئوي آخر' }],
          ['cancer', { en: 'Cancer', es: 'Cáncer', ar: 'السرطان' }], ['mood', { en: 'Depression or anxiety', es: 'Depresión o ansiedad', ar: 'الاكتئاب أو القلق' }],
          ['thyroid', { en: 'Thyroid disease', es: 'Enfermedad de la tiroides', ar: 'مرض في الغدة الدرقية' }], ['kidneys', { en: 'Kidney disease', es: 'Enfermedad de los riñones', ar: 'مرض في الكلى' }],
        ],
      },
      { id: 'operations', type: 'text', said: { en: 'Operations and stays in hospital, with the year if you know it', es: 'Operaciones y estancias en el hospital, con el año si lo recuerda', ar: 'العمليات الجراحية والإقامات في المستشفى، مع السنة إن كنت تعرفها' } },
      { id: 'medicines', type: 'text', said: { en: 'Medicines you take, also those without a prescription', es: 'Medicamentos que toma, también los que no necesitan receta', ar: 'الأدوية التي تتناولها، بما فيها ما يؤخذ دون وصفة' } },
      { id: 'allergic', type: 'boolean', said: { en: 'Are you allergic to anything?', es: '¿Es alérgico(a) a algo?', ar: 'هل لديك حساسية من شيء ما؟' } },
      { id: 'allergies', type: 'text', when: 'allergic', said: { en: 'To what, and what happens?', es: '¿A qué, y qué le ocurre?', ar: 'من أيّ شيء، وماذا يحدث لك؟' } },
      { id: 'family', type: 'text', said: { en: 'Illnesses that run in your family', es: 'Enfermedades frecuentes en su familia', ar: 'الأمراض المتكررة في عائلتك' } },
    ],
  },
  {
    id: 'life', type: 'group', said: { en: 'Your daily life', es: 'Su vida diaria', ar: 'حياتك اليومية' }, items: [
      {
        id: 'smoking', type: 'choice', said: { en: 'Do you smoke?', es: '¿Fuma?', ar: 'هل تدخّن؟' }, options: [
          ['never', { en: 'Never', es: 'Nunca', ar: 'أبدًا' }], ['former', { en: 'Not any more', es: 'Ya no', ar: 'توقفت عن ذلك' }], ['current', { en: 'Yes', es: 'Sí', ar: 'نعم' }],
        ],
      },
      {
        id: 'alcohol', type: 'choice', said: { en: 'How often do you drink alcohol?', es: '¿Con qué frecuencia bebe alcohol?', ar: 'كم مرة تشرب الكحول؟' }, options: [
          ['never', { en: 'Never', es: 'Nunca', ar: 'أبدًا' }], ['monthly', { en: 'Once a month or less', es: 'Una vez al mes o menos', ar: 'مرة في الشهر أو أقل' }],
          ['weekly', { en: 'Every week', es: 'Cada semana', ar: 'كل أسبوع' }], ['daily', { en: 'Every day', es: 'Cada día', ar: 'كل يوم' }],
        ],
      },
      {
        id: 'pregnant', type: 'choice', said: { en: 'Are you pregnant, or could you be?', es: '¿Está embarazada, o podría estarlo?', ar: 'هل أنتِ حامل، أو قد تكونين حاملاً؟' }, options: [
          ['no', { en: 'No, or it does not apply to me', es: 'No, o no me corresponde', ar: 'لا، أو لا ينطبق عليّ' }], ['yes', { en: 'Yes', es: 'Sí', ar: 'نعم' }], ['perhaps', { en: 'Perhaps', es: 'Quizás', ar: 'ربما' }],
        ],
      },
    ],
  },
  {
    id: 'help', type: 'group', said: { en: 'How we can help you best', es: 'Cómo podemos ayudarle mejor', ar: 'كيف يمكننا مساعدتك على أفضل وجه' }, items: [
      { id: 'interpreter', type: 'boolean', said: { en: 'Do you need an interpreter?', es: '¿Necesita un intérprete?', ar: 'هل تحتاج إلى مترجم؟' } },
      { id: 'language', type: 'string', when: 'interpreter', said: { en: 'For which language?', es: '¿Para qué idioma?', ar: 'لأيّ لغة؟' } },
      { id: 'support', type: 'text', said: { en: 'Anything that makes visits easier for you, such as more time or clear speech', es: 'Algo que le facilite las visitas, como más tiempo o que se hable con claridad', ar: 'أيّ شيء يسهّل عليك الزيارات، مثل وقت أطول أو كلام واضح' } },
      { id: 'contact', type: 'string', said: { en: 'Whom may we call in an emergency? Name and phone', es: '¿A quién podemos llamar en una emergencia? Nombre y teléfono', ar: 'بمن يمكننا الاتصال في الحالات الطارئة؟ الاسم والهاتف' } },
    ],
  },
]

export const intake: Own = { url: 'urn:ward:questionnaire:intake', system: 'urn:ward:intake', title, about, items }
