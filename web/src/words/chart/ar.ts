import { fileSize, type ChartWords } from './en.ts'

const rules = new Intl.PluralRules('ar')
const digits = (n: number): string => new Intl.NumberFormat('ar').format(n)

/** Arabic counts in six forms; 'one' and 'two' say the number themselves. */
function many(n: number, forms: { readonly zero: string; readonly one: string; readonly two: string; readonly few: string; readonly many: string; readonly other: string }): string {
  const form = rules.select(n)
  return form === 'zero' || form === 'one' || form === 'two' ? forms[form] : `${digits(n)} ${forms[form]}`
}

const count = (zero: string, one: string, two: string, few: string, many_: string) => (n: number): string => many(n, { zero, one, two, few, many: many_, other: one.replace(/ واحدة?$/, '') })

const entries = count('لا مدخلات', 'مدخل واحد', 'مدخلان', 'مدخلات', 'مدخلاً')
const questions = count('لا أسئلة', 'سؤال واحد', 'سؤالان', 'أسئلة', 'سؤالاً')
const times = count('ولا مرة', 'مرة واحدة', 'مرتان', 'مرات', 'مرة')
const values = count('لا قيم', 'قيمة واحدة', 'قيمتان', 'قيم', 'قيمة')

const units: Readonly<Record<string, readonly [string, string]>> = {
  s: ['ثانية', 'ثوانٍ'], min: ['دقيقة', 'دقائق'], h: ['ساعة', 'ساعات'], d: ['يوم', 'أيام'], wk: ['أسبوع', 'أسابيع'], mo: ['شهر', 'أشهر'], a: ['سنة', 'سنوات'],
}

export const chart = {
  fhir: {
    yes: 'نعم', no: 'لا', recording: 'تسجيل', asNeeded: 'عند الحاجة', atATime: (n) => `${n} في كل مرة`,
    fromTo: (from, to) => `${from} إلى ${to}`, since: (from) => `منذ ${from}`, until: (to) => `حتى ${to}`,
    pair: (name, value) => `${name}: ${value}`, planFor: (what) => `خطة من أجل ${what}`,
    often: (n, period, unit) => {
      const [one, other] = units[unit] ?? [unit, unit]
      return `${times(n)} كل ${period === 1 ? one : `${digits(period)} ${other}`}`
    },
    bands: { minimal: 'ضئيلة', mild: 'خفيفة', moderate: 'متوسطة', moderatelySevere: 'متوسطة إلى شديدة', severe: 'شديدة', controlled: 'سيطرة جيدة', partly: 'سيطرة جزئية', uncontrolled: 'غير مسيطر عليه' },
    score: (n) => `النتيجة ${digits(n)}`, answersGiven: count('لا إجابات', 'إجابة واحدة', 'إجابتان', 'إجابات', 'إجابة'), entries,
    questions, question: (n) => `السؤال ${digits(n)}`, messageFrom: (name) => (name === '' ? 'رسالة' : `رسالة من ${name}`),
    file: 'ملف', state: 'الحالة', category: 'الفئة', time: 'متى', reason: 'السبب', by: 'بواسطة', at: 'في', outcome: 'النتيجة', certainty: 'مدى التأكد', severity: 'الشدة', began: 'البداية', ended: 'النهاية', bodySite: 'موضع الجسم',
    recorded: 'سُجّل', reaction: 'رد الفعل', risk: 'الخطر', lastSeen: 'آخر مرة', dose: 'الجرعة', written: 'كُتب', taken: 'أُخذ', handedOver: 'سُلّم', quantity: 'الكمية', refills: 'مرات التجديد', validFor: 'الصلاحية',
    whyStopped: 'سبب التغيير', ingredients: 'المكونات', given: 'أُعطي', value: 'النتيجة', assessment: 'التقييم', normal: 'المعدل الطبيعي', measured: 'وقت القياس', method: 'الطريقة', device: 'الجهاز', missing: 'سبب عدم وجود نتيجة',
    conclusion: 'الخلاصة', images: 'الصور', complications: 'المضاعفات', followUp: 'المتابعة', whyNot: 'سبب عدم الإعطاء', doseNumber: 'رقم الجرعة', route: 'طريقة الإعطاء', maker: 'الشركة المصنعة', lot: 'رقم التشغيلة', forProblems: 'من أجل', goals: 'الأهداف',
    team: 'فريق الرعاية', priority: 'الأولوية', target: 'الهدف المطلوب', member: 'عضو', performer: 'من سيقوم به', instructions: 'تعليمات', basis: 'بناءً على', note: 'ملاحظة', contents: 'المحتوى', to: 'إلى', sent: 'أُرسل',
    service: 'الخدمة', total: 'المجموع', paid: 'دفعه التأمين', insurer: 'التأمين', born: 'تاريخ الميلاد', died: 'الوفاة', gender: 'الجنس', phone: 'الهاتف', email: 'البريد', address: 'العنوان', language: 'اللغة', marital: 'الحالة الاجتماعية',
    relationship: 'الصلة', role: 'الدور', specialty: 'التخصص', ends: 'ينتهي', with: 'مع', model: 'الطراز', serial: 'الرقم التسلسلي', made: 'صُنع', expires: 'ينتهي في', identifier: 'الرقم', about: 'عن',
    unchecked: 'نص عربي لم تُثبَت صلاحيته',
    consents: { active: 'تمت الموافقة', inactive: 'سُحبت الموافقة', rejected: 'لم تُعطَ الموافقة' },
    status: {
      active: 'نشط', inactive: 'غير نشط', resolved: 'شُفي', remission: 'في هدأة', recurrence: 'عاد', relapse: 'انتكس', completed: 'مكتمل', 'in-progress': 'جارٍ', finished: 'انتهى',
      planned: 'مخطط', arrived: 'وصل', triaged: 'فُرز', onleave: 'في إجازة', cancelled: 'أُلغي', 'entered-in-error': 'سُجّل بالخطأ', unknown: 'غير معروف', stopped: 'أُوقف', 'on-hold': 'معلّق',
      draft: 'مسودة', final: 'نهائي', preliminary: 'أولي', amended: 'معدّل', corrected: 'مصحّح', registered: 'مسجّل', partial: 'جزئي', appended: 'أُضيف إليه', 'not-done': 'لم يتم',
      preparation: 'قيد التحضير', available: 'متاح', booked: 'محجوز', pending: 'قيد الانتظار', proposed: 'مقترح', accepted: 'مقبول', fulfilled: 'تم', noshow: 'لم يحضر', 'checked-in': 'سُجّل الحضور',
      waitlist: 'في قائمة الانتظار', current: 'حالي', superseded: 'استُبدل', rejected: 'مرفوض', aborted: 'أُوقف قبل إتمامه', revoked: 'سُحب', achieved: 'تحقق', improving: 'يتحسن', worsening: 'يسوء',
      'no-change': 'بلا تغيير', 'not-achieved': 'لم يتحقق', sustaining: 'مستمر', 'not-attainable': 'لا يمكن تحقيقه', intended: 'مقصود', 'not-taken': 'لم يؤخذ', confirmed: 'مؤكد', unconfirmed: 'غير مؤكد',
      refuted: 'مستبعد', provisional: 'مبدئي', differential: 'محتمل', queued: 'في الانتظار', complete: 'كامل', error: 'خطأ', normal: 'طبيعي', routine: 'عادي', urgent: 'عاجل', asap: 'في أقرب وقت', stat: 'فورًا',
      requested: 'مطلوب', received: 'استُلم', 'not-started': 'لم يبدأ', scheduled: 'محدد الموعد', male: 'ذكر', female: 'أنثى', other: 'آخر', low: 'منخفض', high: 'مرتفع', 'unable-to-assess': 'تعذر تقييمه',
      mild: 'خفيف', moderate: 'متوسط', severe: 'شديد', food: 'طعام', medication: 'دواء', environment: 'بيئة', biologic: 'مادة حيوية', MORN: 'صباحًا', AFT: 'بعد الظهر', EVE: 'مساءً', NIGHT: 'ليلاً',
      HS: 'عند النوم', AC: 'قبل الوجبات', PC: 'بعد الوجبات', C: 'مع الوجبات', ACM: 'قبل الإفطار', PCM: 'بعد الإفطار', balanced: 'مسدّد', issued: 'صدر', person: 'أشخاص', practitioner: 'فريق الرعاية',
    },
    concepts: {
      AMB: 'زيارة عيادة', EMER: 'طوارئ', IMP: 'إقامة في المستشفى', ACUTE: 'إقامة في المستشفى', HH: 'زيارة منزلية', VR: 'زيارة عن بُعد', WELLNESS: 'فحص دوري', URGENTCARE: 'رعاية عاجلة', outpatient: 'زيارة عيادة',
      inpatient: 'إقامة في المستشفى', wellness: 'فحص دوري', urgentcare: 'رعاية عاجلة', emergency: 'طوارئ', ambulatory: 'زيارة عيادة', H: 'مرتفع', L: 'منخفض', N: 'طبيعي', A: 'خارج المعدل', LL: 'منخفض بشكل خطير',
      'result-HH': 'مرتفع بشكل خطير', AA: 'خارج المعدل بشكل خطير', POS: 'إيجابي', NEG: 'سلبي', IND: 'غير واضح', 'vital-signs': 'العلامات الحيوية', laboratory: 'المختبر', survey: 'استبيان', 'social-history': 'التاريخ الاجتماعي', imaging: 'التصوير', exam: 'الفحص',
      'encounter-diagnosis': 'تشخيص زيارة', 'problem-list-item': 'مشكلة', institutional: 'مستشفى أو عيادة', professional: 'خدمات مهنية', pharmacy: 'صيدلية', 'high-priority': 'أولوية عالية', 'patient-privacy': 'الخصوصية',
      LAB: 'المختبر', 'marital-M': 'متزوج', 'marital-S': 'أعزب', 'marital-D': 'مطلّق', 'marital-W': 'أرمل',
      treatment: 'العلاج', 'complete-questionnaire': 'استبيان للتعبئة', 'care-telehealth': 'الموافقة على الاستشارات بالفيديو', 'care-connection': 'اتصال الاستشارة', 'care-sound': 'مشكلة في الصوت', 'care-picture': 'مشكلة في الصورة',
      'care-dropped': 'انقطع الاتصال', 'care-follow-up': 'زيارة متابعة', 'care-patient': 'المريض', 'care-clinic': 'فريق الرعاية',
    },
    types: {
      AllergyIntolerance: 'حساسية', AdverseEvent: 'حدث غير مرغوب', Account: 'حساب', Appointment: 'موعد', AppointmentResponse: 'رد على موعد', Basic: 'سجل', Binary: 'بيانات مرفقة', BodyStructure: 'موضع في الجسم',
      CarePlan: 'خطة رعاية', CareTeam: 'فريق الرعاية', Claim: 'فاتورة', ClaimResponse: 'رد على فاتورة', ClinicalImpression: 'تقييم', Communication: 'رسالة', CommunicationRequest: 'طلب رسالة', Composition: 'مستند',
      Condition: 'مشكلة', Consent: 'موافقة', Coverage: 'تأمين', DetectedIssue: 'تنبيه', Device: 'جهاز', DeviceRequest: 'طلب جهاز', DeviceUseStatement: 'استخدام جهاز', DiagnosticReport: 'تقرير', DocumentManifest: 'مستندات',
      DocumentReference: 'ملاحظة', Encounter: 'زيارة', EpisodeOfCare: 'فترة رعاية', ExplanationOfBenefit: 'كشف التأمين', FamilyMemberHistory: 'تاريخ العائلة', Flag: 'تنبيه', Goal: 'هدف', Group: 'مجموعة', ImagingStudy: 'تصوير',
      Immunization: 'تطعيم', ImmunizationRecommendation: 'تطعيم موصى به', Invoice: 'فاتورة', List: 'قائمة', Location: 'مكان', Media: 'صورة أو تسجيل', Medication: 'دواء', MedicationAdministration: 'دواء أُعطي',
      MedicationDispense: 'دواء صُرف', MedicationRequest: 'وصفة', MedicationStatement: 'دواء', NutritionOrder: 'نظام غذائي', Observation: 'نتيجة', Organization: 'مؤسسة', Patient: 'المريض', PaymentNotice: 'دفعة',
      Person: 'شخص', Practitioner: 'ممارس صحي', PractitionerRole: 'ممارس صحي', Procedure: 'إجراء', Provenance: 'المصدر', Questionnaire: 'استبيان', QuestionnaireResponse: 'إجابات', RelatedPerson: 'شخص ذو صلة',
      RiskAssessment: 'تقييم خطر', ServiceRequest: 'طلب', Specimen: 'عينة', Substance: 'مادة', SupplyDelivery: 'لوازم سُلّمت', SupplyRequest: 'لوازم طُلبت', Task: 'مهمة',
    },
  },

  kinds: {
    visit: 'الزيارات', problem: 'المشكلات', allergy: 'الحساسية', medicine: 'الأدوية', result: 'النتائج', procedure: 'الإجراءات', immunization: 'التطعيمات', plan: 'الخطط والطلبات', note: 'الملاحظات', message: 'الرسائل',
    form: 'الاستبيانات', file: 'الملفات', appointment: 'المواعيد', bill: 'الفواتير', person: 'الأشخاص والأماكن', other: 'أخرى',
  },
  compartment: { general: 'عام', restricted: 'مقيّد' },
  compartmentHint: { general: 'ما يقرؤه فريق الرعاية.', restricted: 'لأكثر الأمور خصوصية، مثل العلاج النفسي وتعاطي المواد والصحة الجنسية. له مفاتيح خاصة به.' },
  whereQuestion: 'إلى أي جزء ينتمي؟',

  titleOf: (name) => `ملف ${name}`, titleMine: 'ملفي', titleUnknown: 'ملف', pages: 'صفحات الملف',
  page: { summary: 'الملخص', messages: 'الرسائل', notes: 'الملاحظات', files: 'الملفات', questionnaires: 'الاستبيانات', visits: 'الزيارات', import: 'استيراد', share: 'المشاركة', looks: 'من اطّلع' },
  born: (date) => `تاريخ الميلاد: ${date}`, readersAre: (names) => `يستطيع قراءته أيضًا: ${names}`, youSeeRestricted: 'يمكنك أيضًا قراءة الجزء المقيّد.', opening: 'جارٍ فتح الملف…',
  steps: { opening: 'جارٍ الفتح…', reading: 'جارٍ القراءة…', sending: 'جارٍ الإرسال…', fetching: 'جارٍ الجلب…', sealing: 'جارٍ الختم…' },
  due: 'أُزيل شخص من هذا الملف. سيحصل الملف على مفاتيح جديدة حالما يفتح Ward شخص يستطيع صنعها؛ وحتى ذلك الحين يرفض خادم العيادة من أُزيل.',
  stillLoading: 'جارٍ قراءة بقية الملف…',

  troubleTitle: (n) => (n === 1 ? 'شيء في هذا الملف لم يجتز الفحص' : `${many(n, { zero: 'لا شيء', one: 'شيء واحد', two: 'شيئان', few: 'أشياء', many: 'شيئًا', other: 'شيء' })} في هذا الملف لم تجتز الفحص`),
  troubleText: 'يفحص Ward كل مدخل: من كتبه، وأن أحدًا لم يغيّره أو يحذفه أو يستبدله. ما لم يجتز الفحص لا يُعرض. أخبر عيادتك، ولا تعتمد على أن هذا الملف كامل.',
  snapshotBy: (who: string): string => `ملخص للملف تركه ${who} لم يجتز الفحص ولن يُستخدم مرة أخرى. قُرئت المدخلات نفسها بدلاً منه.`,
  trouble: {
    statement: 'مدخل غير مكتوب كما يجب.', signature: 'توقيع خاطئ: غُيّر مدخل أو أنه ليس ممن يدّعي.', browser: 'مدخل وقّعه متصفح لم يوافق عليه كاتبه.',
    author: 'مدخل ليس ممن يدّعي.', hash: 'مدخل ليس هو الذي حُفظ.', sealed: 'تعذر فك ختم مدخل.', header: 'مدخل يقول شيئًا في خارجه وشيئًا آخر في داخله.', body: 'محتوى مدخل تالف.',
    chain: 'أغفل الخادم مدخلات أو غيّرها أو بدّل ترتيبها.', fork: 'يعرض الخادم تاريخًا مختلفًا عما سبق.', rollback: 'يعرض الخادم حالة أقدم مما رآه هذا المتصفح.', card: 'مفاتيح شخص لم تجتز الفحص.',
    'no-key': 'جزء من الملف لا يُفتح بمفاتيحك. بعد فقدان المفاتيح يكون ذلك حال الجزء المقيّد إلى أن يشاركه معك من يستطيع قراءته.',
    grant: 'إذن لم يجتز الفحص.', epoch: 'مفاتيح الملف لم تجتز الفحص.', snapshot: 'ملخص للملف تركه متصفح أحدهم لم يجتز الفحص. قُرئت المدخلات نفسها بدلاً منه إن أمكن.',
    'too-large': 'مدخل أكبر من أن يُفتح.',
  },
  troubleDetails: 'تفاصيل للإبلاغ',

  flags: 'مهم', problems: 'المشكلات', noProblems: 'لا مشكلات مسجّلة.', pastProblems: count('لا مشكلات سابقة', 'مشكلة سابقة واحدة', 'مشكلتان سابقتان', 'مشكلات سابقة', 'مشكلة سابقة'), medicines: 'الأدوية', noMedicines: 'لا أدوية حالية مسجّلة.',
  allergies: 'الحساسية', noAllergies: 'لا حساسية مسجّلة. هذا لا يعني أنها غير موجودة.', results: 'أحدث النتائج', noResults: 'لا قياسات مسجّلة.', immunizations: 'التطعيمات',
  noImmunizations: 'لا تطعيمات مسجّلة.', times, lastOn: (date) => `آخرها ${date}`, moreResults: (n) => `عرض المزيد من النتائج (${digits(n)})`,
  moreImmunizations: (n) => `عرض المزيد (${digits(n)})`, sinceDate: (date) => `منذ ${date}`,
  trend: (title, n, from, to, low, high, latest) => `${title}: ${values(n)} من ${from} إلى ${to}، الأدنى ${low}، الأعلى ${high}، الأحدث ${latest}.`,
  asTable: 'كل القيم', date: 'التاريخ', value: 'القيمة', unitIn: (unit) => `بوحدة ${unit}`, normalRange: (range) => `الطبيعي: ${range}`, outOfRange: 'خارج المعدل', dangerous: 'خطير',

  timeline: 'كل شيء، الأحدث أولاً', search: 'البحث في هذا الملف', filterKind: 'النوع', filterPart: 'الجزء', all: 'الكل', withoutBills: 'الكل عدا الفواتير', found: entries,
  nothingFound: 'لا شيء يطابق', nothingFoundHint: 'جرّب حروفًا أقل أو نوعًا آخر.', nothingYet: 'لا شيء في هذا الملف بعد', nothingYetHint: 'تظهر هنا الرسائل والملاحظات والملفات والسجلات المستوردة.',
  showMore: (n) => `عرض المزيد (${digits(n)})`, undated: 'بلا تاريخ', billsHidden: (n) => `فواتير مطوية: ${digits(n)}.`, showBills: 'عرض الفواتير', clear: 'مسح',
  writtenBy: (name, date) => `حفظه ${name} في ${date}`, writtenByYou: (date) => `حفظته أنت في ${date}`, someone: 'شخص لا يمكنك رؤية اسمه', you: 'أنت',
  fromFile: (name) => `من الملف ${name}`, inError: 'سُجّل بالخطأ', waiting: 'في انتظار الإرسال', sending: 'جارٍ الإرسال…', refused: 'لم يُحفظ',
  waitingHint: 'هو مختوم ومحفوظ في هذا المتصفح، وسيُرسل حالما يمكن الوصول إلى العيادة.', refusedHint: 'لم تقبله العيادة.', tryAgain: 'حاول مجددًا', discard: 'تجاهل',
  discardTitle: 'أتريد تجاهل هذا؟', discardText: 'لم يُحفظ قط، وسيزول.', discarded: 'تم التجاهل.',
  amended: 'معدّل', withdrawn: 'مسحوب', withdrawnBy: (name, date) => `سحبه ${name} في ${date}`, withdrawnReason: (reason) => `السبب: ${reason}`, showWithdrawn: 'عرض ما كان مكتوبًا',
  history: count('لا نسخ سابقة', 'نسخة سابقة واحدة', 'نسختان سابقتان', 'نسخ سابقة', 'نسخة سابقة'), version: (name, date) => `${name}، ${date}`,
  amend: 'تعديل', withdraw: 'سحب', withdrawTitle: 'أتريد سحب هذا؟', withdrawText: 'يبقى في الملف معلّمًا بأنه مسحوب مع ذكر سببك. لا يُزال شيء أبدًا دون أثر.', reason: 'السبب', withdrawDone: 'تم السحب.',
  cancel: 'إلغاء', details: 'التفاصيل',

  messagesTitle: 'الرسائل مع فريق الرعاية', noMessages: 'لا رسائل بعد', noMessagesHint: 'لا يقرأ ما تكتبه إلا المريض ومن يستطيع قراءة هذا الجزء من الملف.', write: 'رسالتك', send: 'إرسال', messageSent: 'أُرسلت.',
  messageQueued: 'خُتمت. ستُرسل حالما يمكن الوصول إلى العيادة.', emergency: 'قد لا يقرأ أحد الآن. في حالة الطوارئ اتصل برقم الطوارئ المحلي.', olderMessages: 'عرض رسائل أقدم', replyTo: 'رد', replyingTo: (what) => `رد على: ${what}`,
  notWritable: 'يمكنك قراءة هذا الملف لكن لا يمكنك الكتابة فيه.',

  newNote: 'كتابة ملاحظة', amendNote: 'تعديل ملاحظة', noteTitle: 'العنوان', noteTitleHint: 'مثل: زيارة، مكالمة، خطة', noteText: 'الملاحظة', template: 'القالب',
  store: 'حفظ', noteStored: 'حُفظت.', noteEmpty: 'اكتب شيئًا أولاً.', notesTitle: 'الملاحظات', noNotes: 'لا ملاحظات بعد', noNotesHint: 'ما تكتبه هنا يُختم في هذا المتصفح قبل إرساله.', defaultTitle: 'ملاحظة', 

  filesTitle: 'الملفات', addFile: 'إضافة ملفات', addFileHint: 'صور ومستندات وتسجيلات. تُختم في هذا المتصفح قبل إرسالها.', noFiles: 'لا ملفات بعد', noFilesHint: 'ما تضيفه يكون هنا لكل من يستطيع قراءة ذلك الجزء من الملف.',
  fileStored: (name) => `حُفظ ${name}.`, uploading: (name) => `جارٍ إضافة ${name}`, preview: 'عرض', download: 'تنزيل', openTab: 'فتح في علامة تبويب جديدة', cannotPreview: 'لا يمكن عرض هذا النوع من الملفات هنا. نزّله لفتحه.',
  cutText: 'تُعرض البداية فقط. نزّل الملف لقراءته كله.', imageOf: (name) => `صورة: ${name}`, dropHere: 'أو أفلتها هنا', size: (bytes) => fileSize(bytes, 'ar'), 

  importTitle: 'استيراد السجلات', importText: 'أحضر سجلاتك من عيادة أو تطبيق آخر: ملف FHIR R4 (JSON أو NDJSON) كالذي تقدمه المستشفيات وتطبيقات الصحة. يُختم في هذا المتصفح قبل إرساله.', chooseFile: 'ملف FHIR',
  importStart: 'استيراد', imported: (n) => `تم استيراد ${many(n, { zero: 'لا شيء', one: 'سجل واحد', two: 'سجلين', few: 'سجلات', many: 'سجلاً', other: 'سجل' })}`, importedHint: 'هي الآن في الملف.', toSummary: 'إلى الملخص', importAnother: 'استيراد ملف آخر', importEmpty: 'اختر ملفًا أولاً.',

  formsTitle: 'الاستبيانات', noForms: 'لا إجابات بعد', noFormsHint: 'تظهر هنا الإجابات التي تحفظها.', formFill: 'تعبئة', formStore: 'حفظ الإجابات', formStored: 'حُفظت إجاباتك.', formMissing: (n) => `أسئلة لم تُجب بعد: ${digits(n)}.`,
  formBack: 'رجوع', answered: 'تمت الإجابة عنها', scoreOf: (score, most) => `${digits(score)} من ${digits(most)}`, required: 'اختر إجابة.',
  formMeaning: 'هذا ليس تشخيصًا. سيناقشه معك فريق الرعاية.', answerThis: 'يرجى الإجابة عن هذا السؤال.', otherAnswer: 'شيء آخر', unknownQuestion: 'لا يمكن الإجابة عن هذا النوع من الأسئلة هنا.',

  shareTitle: 'من يستطيع قراءة هذا الملف', shareWith: 'المشاركة مع أحد', sharePerson: 'شخص', shareTeam: 'فريق', who: 'مع من؟', whoType: 'شخص أم فريق؟', choose: 'اختر…', parts: 'أي الأجزاء؟', purposeQuestion: 'لأي غرض؟', until: 'حتى', untilHint: 'اتركه فارغًا إن لم تكن له نهاية.',
  share: 'مشاركة', shared: (name) => `تمت المشاركة مع ${name}.`, chooseSomeone: 'اختر شخصًا أولاً.', chooseParts: 'اختر جزءًا واحدًا على الأقل.', untilPast: 'اختر يومًا لم ينقضِ.',
  purpose: { self: 'ملفه الخاص', care: 'الرعاية', proxy: 'الاعتناء بالمريض', emergency: 'الطوارئ', 'second-opinion': 'رأي ثانٍ', research: 'البحث', work: 'العمل' },
  teamNames: { clinicians: 'ممارسو العيادة', emergency: 'الوصول في الطوارئ' },
  emergencyNote: 'لا يُستخدم إلا حين يفتح أحدهم الملف في حالة طوارئ. ويُخبر المريض فورًا.',
  canRead: (name, parts, purpose) => `يستطيع ${name} قراءة ${parts}، من أجل ${purpose}.`, youCanRead: (parts, purpose) => `يمكنك قراءة ${parts}، من أجل ${purpose}.`,
  ownChart: 'يمكنك قراءة كل شيء: هذا ملفك.', ownerCanRead: (name) => `${name}: هذا ملفه.`, partName: { general: 'الجزء العام', restricted: 'الجزء المقيّد' },
  sharedBy: (name, date) => `شاركه ${name} في ${date}`, sharedByYou: (date) => `شاركته أنت في ${date}`, untilDate: (date) => `حتى ${date}`, noEnd: 'بلا نهاية',
  remove: 'إزالة', removeTitle: (name) => `إزالة ${name}؟`, removeText: 'يُرفض من هذه اللحظة، ويحصل الملف على مفاتيح جديدة، فلا يستطيع فتح شيء يُكتب بعد الآن. أما ما قرأه فقد يتذكره أو يكون قد احتفظ به.',
  removed: (name) => `لم يعد ${name} يستطيع قراءة هذا الملف.`, giveUp: 'التخلي عن وصولي', giveUpTitle: 'أتريد التخلي عن وصولك؟', giveUpText: 'لن تستطيع فتح هذا الملف بعد الآن. وعلى من يستطيع قراءته أن يشاركه معك من جديد.', gaveUp: 'تخليت عن وصولك.',
  eraseTitle: 'محو هذا الملف', eraseText: 'يُزال كل ما فيه من خادم العيادة مع جميع مفاتيحه، ولا يستطيع أحد استعادته. ولا يمسّ ذلك النسخ التي أخذتها أنت أو غيرك.', eraseSure: 'أفهم أنه لا يمكن التراجع عن هذا', eraseNow: 'امحُ الآن', takeFirst: 'خذ نسخة أولًا', erased: 'تم محو الملف.',
  before: (n) => `من كان يستطيع قراءته سابقًا: ${digits(n)}`, endedOn: (date) => `انتهى في ${date}`, nobodyElse: 'لا أحد غيرك يستطيع قراءة هذا الملف.', shareRule: 'المريض وحده يشارك الجزء المقيّد.',

  carer: {
    offer: 'شخص ليس في القائمة، مثل من يعتني بك؟', link: 'رابطه', linkHint: 'يجده في صفحته الأولى عند «إظهار من أنا». امسحه بكاميرا هاتفك أو الصقه هنا.', wrongLink: 'هذا الرابط ليس كاملاً. اطلب أن يُعرض عليك أو يُرسل إليك مجددًا.',
    introduced: (name) => `عرّف ${name} بنفسه بهذا الرابط. شارك فقط إن كان الرابط قد وصلك منه.`, show: 'إظهار من أنا', showText: 'يستطيع من تعتني به أن يشارك ملفه معك: يمسح هذا بكاميرا هاتفه أو يفتح الرابط. لا يفتح هذا شيئًا بذاته.', qr: 'رمز QR يعرّف بك', noChart: 'ليس لديك هنا ملف خاص بك لتشاركه.',
  },

  glass: {
    notShared: 'لم يُشارَك هذا الملف معك', notSharedText: 'المريض هو من يقرر من يقرؤه. اطلب منه، أو من زميل يستطيع قراءته، أن يشاركه معك.',
    offer: 'أتتوقف عليه حياة؟', offerRest: 'أتتوقف حياة على الجزء المقيّد؟', warning: 'سيفتح هذا الملف كله، ويُبلَّغ كل من يعنيه الأمر',
    whatHappens: ['تقرأ الملف كله، بما فيه الجزء المقيّد، مدة ساعة واحدة.', 'يُبلَّغ المريض ومسؤول حماية البيانات فورًا باسمك.', 'يبقى سببك في الملف، ويُسجَّل كل ما تفعله.'],
    why: 'ماذا حدث؟', codes: { unconscious: 'المريض لا يستطيع الإجابة', 'life-threatening': 'حياة المريض أو صحته في خطر', other: 'أمر آخر لا يحتمل الانتظار' }, reason: 'سببك', reasonHint: 'يُختم داخل الملف، ويقرؤه المريض.',
    reasonNeeded: 'اذكر لماذا تحتاج الملف الآن.', sure: 'أحتاج هذا الملف الآن لحماية حياة شخص أو صحته', sureNeeded: 'ضع علامة هنا للمتابعة، أو اطلب مشاركة الملف معك.', open: 'فتح الملف في حالة طوارئ', opened: 'الملف مفتوح. أُبلغ المريض.',
    noteTitle: 'وصول في حالة طوارئ', mine: (time) => `فتحت هذا الملف في حالة طوارئ، حتى ${time}`, mineText: 'المريض ومسؤول حماية البيانات يعلمان بذلك. أنهِه حالما لا تعود بحاجة إلى الملف.', end: 'إنهاؤه الآن', ended: 'انتهت حالة الطوارئ. يحصل الملف على مفاتيح جديدة.',
    yours: 'فُتح ملفك في حالة طوارئ', theirs: 'فُتح هذا الملف في حالة طوارئ', of: (name) => `فُتح ملف ${name} في حالة طوارئ`, by: (who, when) => `فتحه ${who}، ${when}.`,
    until: (time) => `حتى ${time}`, over: 'انتهى', reasonIsInChart: 'السبب في الملف بين الملاحظات. إن لم يبدُ لك صحيحًا فاسأل العيادة.', read: 'قراءة السبب', seen: 'اطّلعت على هذا',
    all: 'ملفات فُتحت في حالة طوارئ', none: 'لم يُفتح أي ملف في حالة طوارئ مؤخرًا.', line: (who, whose) => `فتح ${who} ملف ${whose}`,
  },

  looksShow: 'عرض', looksAllowed: 'مسموح', looksRefused: 'مرفوض', looksSteps: (n) => `خطوات تقنية: ${digits(n)}`, looksTitle: 'من اطّلع', looksText: 'كلما فتح أحدهم هذا الملف أو غيّره أو شاركه سجّلت العيادة ذلك، وكذلك حين ترفض أحدًا.', noLooks: 'لا شيء بعد', olderLooks: 'عرض الأقدم', refusedLook: 'مرفوض', timesLook: (n) => (n === 1 ? '' : times(n)),
  look: {
    opened: (who) => `${who}: فتح الملف`, wrote: (who) => `${who}: كتب في الملف`, shared: (who) => `${who}: شارك الملف`, unshared: (who) => `${who}: أزال شخصًا من الملف`,
    turned: (who) => `متصفح ${who}: أعطى الملف مفاتيح جديدة`, 'ended-emergency': (who) => `أنهى ${who} حالة الطوارئ`, 'emergency-over': (who) => `${who}: كان الملف مفتوحًا في حالة طوارئ حتى انقضت الساعة`, 'broke-glass': (who) => `${who}: فتح الملف في حالة طوارئ`, erased: (who) => `${who}: محا الملف`,
    found: (who) => `${who}: بحث عن مفاتيح الملف للمشاركة أو الكتابة`, members: (who) => `${who}: نظر من يستطيع قراءة الملف`, invited: (who) => `${who}: دعا المريض`, joined: (who) => `${who}: انضم`,
  },
  triedLook: {
    opened: (who) => `${who}: حاول فتح الملف`, wrote: (who) => `${who}: حاول الكتابة في الملف`, shared: (who) => `${who}: حاول مشاركة الملف`, unshared: (who) => `${who}: حاول إزالة شخص من الملف`,
    turned: (who) => `متصفح ${who}: حاول إعطاء الملف مفاتيح جديدة`, 'ended-emergency': (who) => `حاول ${who} إنهاء حالة طوارئ`, 'broke-glass': (who) => `${who}: حاول فتح الملف كحالة طوارئ`, erased: (who) => `${who}: حاول محو الملف`,
    found: (who) => `${who}: حاول البحث عن مفاتيح الملف`, members: (who) => `${who}: حاول أن يرى من يستطيع قراءة الملف`, invited: (who) => `${who}: حاول دعوة المريض`, joined: (who) => `${who}: حاول الانضمام`,
  },
  otherLook: (who) => `${who}: فعل شيئًا آخر بالملف`,
} satisfies ChartWords
