// What common measurements and vaccines are called, by code, for people: laboratories name them for each other
// ('Leukocytes [#/volume] in Blood by Automated count'). Each line has English, Spanish and Arabic.
//
// Codes of LOINC® (© Regenstrief Institute, Inc., used under loinc.org/license) and CVX (United States, public domain).
// The names are Ward's.

type Name = readonly [en: string, es: string, ar: string]

const bloodPressure: Name = ['Blood pressure', 'Presión arterial', 'ضغط الدم']
const weight: Name = ['Weight', 'Peso', 'الوزن']
const oxygen: Name = ['Oxygen saturation', 'Saturación de oxígeno', 'تشبّع الأكسجين']
const ldl: Name = ['LDL cholesterol', 'Colesterol LDL', 'الكوليسترول LDL']
const hdl: Name = ['HDL cholesterol', 'Colesterol HDL', 'الكوليسترول HDL']
const cholesterol: Name = ['Total cholesterol', 'Colesterol total', 'الكوليسترول الكلي']
const triglycerides: Name = ['Triglycerides', 'Triglicéridos', 'الدهون الثلاثية']
const kidneys: Name = ['Kidney function (eGFR)', 'Función renal (TFGe)', 'وظيفة الكلى (eGFR)']
const glucose: Name = ['Blood sugar (glucose)', 'Azúcar en sangre (glucosa)', 'سكر الدم (الجلوكوز)']
const urea: Name = ['Urea nitrogen', 'Nitrógeno ureico', 'نيتروجين اليوريا']
const creatinine: Name = ['Creatinine', 'Creatinina', 'الكرياتينين']
const calcium: Name = ['Calcium', 'Calcio', 'الكالسيوم']
const sodium: Name = ['Sodium', 'Sodio', 'الصوديوم']
const potassium: Name = ['Potassium', 'Potasio', 'البوتاسيوم']
const chloride: Name = ['Chloride', 'Cloruro', 'الكلوريد']
const bicarbonate: Name = ['Carbon dioxide (bicarbonate)', 'Dióxido de carbono (bicarbonato)', 'ثاني أكسيد الكربون (البيكربونات)']
const hematocrit: Name = ['Hematocrit', 'Hematocrito', 'الهيماتوكريت']
const a1c: Name = ['HbA1c (average blood sugar)', 'HbA1c (promedio de azúcar en sangre)', 'HbA1c (متوسط سكر الدم)']
const redWidth: Name = ['Variation in red cell size (RDW)', 'Variación del tamaño de los glóbulos rojos (RDW)', 'تفاوت حجم كريات الدم الحمراء (RDW)']
const lipids: Name = ['Cholesterol and blood fats', 'Colesterol y grasas en sangre', 'الكوليسترول ودهون الدم']
const flu: Name = ['Influenza (flu)', 'Gripe', 'الإنفلونزا']
const covid: Name = ['COVID-19', 'COVID-19', 'كوفيد-19']
const hepatitisA: Name = ['Hepatitis A', 'Hepatitis A', 'التهاب الكبد A']
const hepatitisB: Name = ['Hepatitis B', 'Hepatitis B', 'التهاب الكبد B']
const hpv: Name = ['HPV', 'VPH', 'فيروس الورم الحليمي (HPV)']
const shingles: Name = ['Shingles', 'Herpes zóster (culebrilla)', 'الهربس النطاقي']
const pneumococcal: Name = ['Pneumococcal', 'Neumococo', 'المكوّرات الرئوية']
const meningococcal: Name = ['Meningococcal', 'Meningococo', 'المكوّرات السحائية']

const loinc: Readonly<Record<string, Name>> = {
  '55284-4': bloodPressure, '85354-9': bloodPressure,
  '8480-6': ['Systolic blood pressure', 'Presión arterial sistólica', 'ضغط الدم الانقباضي'],
  '8462-4': ['Diastolic blood pressure', 'Presión arterial diastólica', 'ضغط الدم الانبساطي'],
  '8867-4': ['Heart rate', 'Frecuencia cardíaca', 'نبض القلب'],
  '9279-1': ['Breathing rate', 'Frecuencia respiratoria', 'معدل التنفس'],
  '8310-5': ['Body temperature', 'Temperatura corporal', 'حرارة الجسم'],
  '8331-1': ['Temperature in the mouth', 'Temperatura en la boca', 'الحرارة في الفم'],
  '2708-6': oxygen, '59408-5': oxygen,
  '8302-2': ['Height', 'Estatura', 'الطول'],
  '29463-7': weight, '3141-9': weight,
  '39156-5': ['Body mass index', 'Índice de masa corporal', 'مؤشر كتلة الجسم'],
  '72514-3': ['Pain, from 0 to 10', 'Dolor, de 0 a 10', 'شدة الألم، من 0 إلى 10'],
  '72166-2': ['Smoking', 'Tabaquismo', 'التدخين'],
  '2093-3': cholesterol, '14647-2': cholesterol, '2571-8': triglycerides, '14927-8': triglycerides, '18262-6': ldl, '13457-7': ldl, '2089-1': ldl, '39469-2': ldl, '2085-9': hdl, '14646-4': hdl,
  '32309-7': ['Total to HDL cholesterol', 'Colesterol total entre HDL', 'الكوليسترول الكلي إلى HDL'],
  '57698-3': lipids, '24331-1': lipids,
  '33914-3': kidneys, '62238-1': kidneys, '98979-8': kidneys,
  '2339-0': glucose, '2345-7': glucose,
  '4548-4': a1c, '17856-6': a1c,
  '6299-2': urea, '3094-0': urea, '38483-4': creatinine, '2160-0': creatinine, '49765-1': calcium, '17861-6': calcium, '2947-0': sodium, '2951-2': sodium,
  '6298-4': potassium, '2823-3': potassium, '2069-3': chloride, '2075-0': chloride, '20565-8': bicarbonate, '2028-9': bicarbonate,
  '51990-0': ['Basic metabolic panel', 'Perfil metabólico básico', 'لوحة الأيض الأساسية'],
  '24323-8': ['Comprehensive metabolic panel', 'Perfil metabólico completo', 'لوحة الأيض الشاملة'],
  '2885-2': ['Total protein', 'Proteínas totales', 'البروتين الكلي'],
  '1751-7': ['Albumin', 'Albúmina', 'الألبومين'],
  '10834-0': ['Globulin', 'Globulina', 'الغلوبولين'],
  '1975-2': ['Bilirubin', 'Bilirrubina', 'البيليروبين'],
  '6768-6': ['Alkaline phosphatase (ALP)', 'Fosfatasa alcalina (FA)', 'الفوسفاتاز القلوي (ALP)'],
  '1742-6': ['Liver enzyme ALT', 'Enzima hepática ALT', 'إنزيم الكبد ALT'],
  '1920-8': ['Liver enzyme AST', 'Enzima hepática AST', 'إنزيم الكبد AST'],
  '58410-2': ['Complete blood count', 'Hemograma completo', 'تعداد الدم الكامل'],
  '6690-2': ['White blood cells', 'Glóbulos blancos', 'كريات الدم البيضاء'],
  '789-8': ['Red blood cells', 'Glóbulos rojos', 'كريات الدم الحمراء'],
  '718-7': ['Hemoglobin', 'Hemoglobina', 'الهيموغلوبين'],
  '4544-3': hematocrit, '20570-8': hematocrit,
  '787-2': ['Size of red cells (MCV)', 'Tamaño de los glóbulos rojos (VCM)', 'حجم كريات الدم الحمراء (MCV)'],
  '785-6': ['Hemoglobin in each red cell (MCH)', 'Hemoglobina por glóbulo rojo (HCM)', 'الهيموغلوبين في كل كرية (MCH)'],
  '786-4': ['Hemoglobin concentration in red cells (MCHC)', 'Concentración de hemoglobina en los glóbulos rojos (CHCM)', 'تركيز الهيموغلوبين في الكريات (MCHC)'],
  '21000-5': redWidth, '788-0': redWidth,
  '777-3': ['Platelets', 'Plaquetas', 'الصفائح الدموية'],
  '32207-3': ['Variation in platelet size (PDW)', 'Variación del tamaño de las plaquetas (PDW)', 'تفاوت حجم الصفائح (PDW)'],
  '32623-1': ['Size of platelets (MPV)', 'Tamaño de las plaquetas (VPM)', 'حجم الصفائح (MPV)'],
  '3016-3': ['Thyroid hormone TSH', 'Hormona tiroidea TSH', 'هرمون الغدة الدرقية TSH'],
  '2857-1': ['Prostate antigen (PSA)', 'Antígeno prostático (PSA)', 'مستضد البروستاتا (PSA)'],
  '33762-6': ['Heart marker NT-proBNP', 'Marcador cardíaco NT-proBNP', 'مؤشر القلب NT-proBNP'],
  '10230-1': ['Heart pumping strength (ejection fraction)', 'Fuerza de bombeo del corazón (fracción de eyección)', 'قوة ضخ القلب (الكسر القذفي)'],
  '38265-5': ['Bone density (T-score)', 'Densidad ósea (puntuación T)', 'كثافة العظام (T)'],
  '882-1': ['Blood group', 'Grupo sanguíneo', 'فصيلة الدم'],
}

const cvx: Readonly<Record<string, Name>> = {
  '03': ['Measles, mumps and rubella', 'Sarampión, paperas y rubéola', 'الحصبة والنكاف والحصبة الألمانية'],
  '10': ['Polio', 'Poliomielitis', 'شلل الأطفال'],
  '20': ['Diphtheria, tetanus and whooping cough (DTaP)', 'Difteria, tétanos y tosferina (DTaP)', 'الخناق والكزاز والسعال الديكي (DTaP)'],
  '115': ['Tetanus, diphtheria and whooping cough (Tdap)', 'Tétanos, difteria y tosferina (Tdap)', 'الكزاز والخناق والسعال الديكي (Tdap)'],
  '113': ['Tetanus and diphtheria (Td)', 'Tétanos y difteria (Td)', 'الكزاز والخناق (Td)'],
  '21': ['Chickenpox', 'Varicela', 'جدري الماء'],
  '49': ['Haemophilus influenzae b', 'Haemophilus influenzae b', 'المستدمية النزلية b'],
  '119': ['Rotavirus', 'Rotavirus', 'الفيروس العجلي'],
  '88': flu, '140': flu, '141': flu, '150': flu, '158': flu, '207': covid, '208': covid, '212': covid, '213': covid, '300': covid,
  '52': hepatitisA, '83': hepatitisA, '08': hepatitisB, '43': hepatitisB, '62': hpv, '165': hpv, '121': shingles, '187': shingles,
  '33': pneumococcal, '133': pneumococcal, '215': pneumococcal, '216': pneumococcal, '114': meningococcal, '136': meningococcal, '147': meningococcal,
}

/** The name of a coded measurement or vaccine in a language; undefined if it is not a common one. */
export function commonName(system: string, code: string, lang: string): string | undefined {
  const names = system === 'http://loinc.org' ? loinc : system === 'http://hl7.org/fhir/sid/cvx' ? cvx : undefined
  return names !== undefined && Object.hasOwn(names, code) ? names[code]?.[lang === 'es' ? 1 : lang === 'ar' ? 2 : 0] : undefined
}
