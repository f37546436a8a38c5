// The questionnaire about a wound, with photographs: what a clinician asks who cannot see it in the room. Ward's own
// words, under the licence of this project.

import type { Own } from './own.ts'

export const wound: Own = {
  url: 'urn:ward:questionnaire:wound', system: 'urn:ward:wound',
  title: { en: 'A wound, with photos', es: 'Una herida, con fotos', ar: 'جرح، مع صور' },
  about: {
    en: 'Photos and a few questions, so that your clinician can see how the wound is doing.', es: 'Fotos y unas preguntas, para que su profesional vea cómo evoluciona la herida.',
    ar: 'صور وأسئلة قليلة، ليرى طبيبك حال الجرح.',
  },
  items: [
    {
      id: 'how', type: 'display', said: {
        en: 'In daylight if you can. One photo from about a forearm’s length, one from closer, with a coin or a ruler beside the wound for its size. The place where a photo was taken is removed from it.',
        es: 'Con luz de día si es posible. Una foto a la distancia de un antebrazo y otra más cerca, con una moneda o una regla junto a la herida para ver su tamaño. El lugar donde se tomó la foto se borra.',
        ar: 'في ضوء النهار إن أمكن. صورة من مسافة ساعد تقريبًا، وأخرى من مسافة أقرب، مع قطعة نقود أو مسطرة بجانب الجرح ليظهر حجمه. يُحذف من الصورة مكان التقاطها.',
      },
    },
    { id: 'photo', type: 'attachment', required: true, repeats: true, said: { en: 'Photos of the wound', es: 'Fotos de la herida', ar: 'صور الجرح' } },
    { id: 'where', type: 'string', required: true, said: { en: 'Where on your body is it?', es: '¿En qué parte del cuerpo está?', ar: 'في أيّ موضع من جسمك؟' } },
    { id: 'since', type: 'date', said: { en: 'Since when?', es: '¿Desde cuándo?', ar: 'منذ متى؟' } },
    { id: 'cause', type: 'text', said: { en: 'How did it happen? If it is from an operation, which one?', es: '¿Cómo ocurrió? Si es de una operación, ¿de cuál?', ar: 'كيف حدث؟ وإن كان من عملية جراحية، فأيّ عملية؟' } },
    {
      id: 'course', type: 'choice', said: { en: 'Since the last time someone looked at it, it is', es: 'Desde la última vez que alguien la vio, está', ar: 'منذ آخر مرة فحصه أحد، أصبح الجرح' }, options: [
        ['better', { en: 'Better', es: 'Mejor', ar: 'أفضل' }], ['same', { en: 'The same', es: 'Igual', ar: 'كما هو' }], ['worse', { en: 'Worse', es: 'Peor', ar: 'أسوأ' }], ['first', { en: 'Nobody has looked at it yet', es: 'Nadie la ha visto todavía', ar: 'لم يفحصه أحد بعد' }],
      ],
    },
    {
      id: 'signs', type: 'choice', repeats: true, said: { en: 'Which of these do you notice?', es: '¿Cuáles de estas cosas nota?', ar: 'أيّ من هذه الأمور تلاحظ؟' }, options: [
        ['red', { en: 'Redness that spreads', es: 'Enrojecimiento que se extiende', ar: 'احمرار ينتشر' }], ['warm', { en: 'The skin around it is warm', es: 'La piel de alrededor está caliente', ar: 'الجلد حوله ساخن' }],
        ['swollen', { en: 'Swelling', es: 'Hinchazón', ar: 'تورّم' }], ['pus', { en: 'Pus, or cloudy fluid', es: 'Pus o líquido turbio', ar: 'قيح أو سائل عكر' }], ['smell', { en: 'A bad smell', es: 'Mal olor', ar: 'رائحة كريهة' }],
        ['bleeding', { en: 'Bleeding', es: 'Sangrado', ar: 'نزف' }], ['open', { en: 'The edges come apart', es: 'Los bordes se separan', ar: 'تباعد حافّتيه' }], ['fever', { en: 'Fever or shivering', es: 'Fiebre o escalofríos', ar: 'حمّى أو رعشة' }],
      ],
    },
    { id: 'pain', type: 'integer', said: { en: 'How much does it hurt, from 0 (not at all) to 10?', es: '¿Cuánto le duele, de 0 (nada) a 10?', ar: 'كم يؤلمك، من 0 (لا ألم) إلى 10؟' } },
    { id: 'care', type: 'text', said: { en: 'How do you take care of it? Dressings, creams, how often', es: '¿Cómo la cuida? Apósitos, cremas, con qué frecuencia', ar: 'كيف تعتني به؟ الضمادات والمراهم، وكم مرة' } },
    {
      id: 'urgent', type: 'display', said: {
        en: 'If redness spreads fast, the bleeding does not stop, or you feel very unwell, do not wait for an answer: call your clinic or your local emergency number.',
        es: 'Si el enrojecimiento se extiende rápido, el sangrado no para o se encuentra muy mal, no espere la respuesta: llame a su clínica o a su número local de emergencias.',
        ar: 'إذا انتشر الاحمرار بسرعة، أو لم يتوقف النزف، أو شعرت بتوعّك شديد، فلا تنتظر الجواب: اتصل بعيادتك أو برقم الطوارئ المحلي.',
      },
    },
  ],
}
