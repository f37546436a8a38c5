import { fileSize, type ChartWords } from './en.ts'

const rules = new Intl.PluralRules('es')
const many = (n: number, one: string, other: string): string => `${n.toLocaleString('es')} ${rules.select(n) === 'one' ? one : other}`

const units: Readonly<Record<string, readonly [string, string]>> = {
  s: ['segundo', 'segundos'], min: ['minuto', 'minutos'], h: ['hora', 'horas'], d: ['día', 'días'], wk: ['semana', 'semanas'], mo: ['mes', 'meses'], a: ['año', 'años'],
}

export const chart = {
  fhir: {
    yes: 'Sí', no: 'No', recording: 'Una grabación', asNeeded: 'si es necesario', atATime: (n) => `${n} por toma`,
    fromTo: (from, to) => `${from} a ${to}`, since: (from) => `desde ${from}`, until: (to) => `hasta ${to}`,
    pair: (name, value) => `${name}: ${value}`, planFor: (what) => `Plan para ${what}`,
    often: (times, period, unit) => {
      const [one, other] = units[unit] ?? [unit, unit]
      return `${times === 1 ? 'una vez' : `${times} veces`} cada ${period === 1 ? one : `${period} ${other}`}`
    },
    bands: { minimal: 'mínima', mild: 'leve', moderate: 'moderada', moderatelySevere: 'moderadamente grave', severe: 'grave', controlled: 'bien controlada', partly: 'controlada en parte', uncontrolled: 'no controlada' },
    score: (n) => `Puntuación ${n}`, answersGiven: (n) => many(n, 'respuesta', 'respuestas'), entries: (n) => many(n, 'entrada', 'entradas'),
    questions: (n) => many(n, 'pregunta', 'preguntas'), question: (n) => `Pregunta ${n}`, messageFrom: (name) => (name === '' ? 'Mensaje' : `Mensaje de ${name}`),
    file: 'Archivo', state: 'Estado', category: 'Categoría', time: 'Cuándo', reason: 'Motivo', by: 'Por', at: 'En', outcome: 'Resultado final', certainty: 'Certeza', severity: 'Gravedad', began: 'Comienzo', ended: 'Final', bodySite: 'Parte del cuerpo',
    recorded: 'Anotado', reaction: 'Reacción', risk: 'Riesgo', lastSeen: 'Última vez', dose: 'Dosis', written: 'Escrito', taken: 'Tomado', handedOver: 'Entregado', quantity: 'Cantidad', refills: 'Repeticiones', validFor: 'Válido',
    whyStopped: 'Por qué cambió', ingredients: 'Ingredientes', given: 'Administrado', value: 'Resultado', assessment: 'Valoración', normal: 'Valores normales', measured: 'Medido', method: 'Método', device: 'Dispositivo', missing: 'Por qué no hay resultado',
    conclusion: 'Conclusión', images: 'Imágenes', complications: 'Complicaciones', followUp: 'Seguimiento', whyNot: 'Por qué no', doseNumber: 'Número de dosis', route: 'Vía', maker: 'Fabricante', lot: 'Número de lote', forProblems: 'Para', goals: 'Objetivos',
    team: 'Equipo', priority: 'Prioridad', target: 'Meta', member: 'Miembro', performer: 'Quién lo hará', instructions: 'Instrucciones', basis: 'Basado en', note: 'Nota', contents: 'Contenido', to: 'Para', sent: 'Enviado',
    service: 'Servicio', total: 'Total', paid: 'Pagado por el seguro', insurer: 'Seguro', born: 'Nacimiento', died: 'Fallecimiento', gender: 'Sexo', phone: 'Teléfono', email: 'Correo', address: 'Dirección', language: 'Idioma', marital: 'Estado civil',
    relationship: 'Relación', role: 'Función', specialty: 'Especialidad', ends: 'Termina', with: 'Con', model: 'Modelo', serial: 'Número de serie', made: 'Fabricado', expires: 'Caduca', identifier: 'Número', about: 'Sobre',
    unchecked: 'texto árabe sin validar',
    consents: { active: 'Aceptado', inactive: 'Retirado', rejected: 'No aceptado' },
    status: {
      active: 'Activo', inactive: 'Inactivo', resolved: 'Resuelto', remission: 'En remisión', recurrence: 'Reaparecido', relapse: 'Recaída', completed: 'Completado', 'in-progress': 'En curso', finished: 'Terminado',
      planned: 'Planificado', arrived: 'Ha llegado', triaged: 'Clasificado', onleave: 'De permiso', cancelled: 'Cancelado', 'entered-in-error': 'Anotado por error', unknown: 'Desconocido', stopped: 'Interrumpido', 'on-hold': 'En pausa',
      draft: 'Borrador', final: 'Definitivo', preliminary: 'Preliminar', amended: 'Rectificado', corrected: 'Corregido', registered: 'Registrado', partial: 'Parcial', appended: 'Ampliado', 'not-done': 'No realizado',
      preparation: 'En preparación', available: 'Disponible', booked: 'Reservado', pending: 'Pendiente', proposed: 'Propuesto', accepted: 'Aceptado', fulfilled: 'Realizado', noshow: 'No acudió', 'checked-in': 'Registrado a la llegada',
      waitlist: 'En lista de espera', current: 'Actual', superseded: 'Sustituido', rejected: 'Rechazado', aborted: 'Suspendido', revoked: 'Retirado', achieved: 'Logrado', improving: 'Mejorando', worsening: 'Empeorando',
      'no-change': 'Sin cambios', 'not-achieved': 'No logrado', sustaining: 'Se mantiene', 'not-attainable': 'No alcanzable', intended: 'Previsto', 'not-taken': 'No tomado', confirmed: 'Confirmado', unconfirmed: 'Sin confirmar',
      refuted: 'Descartado', provisional: 'Provisional', differential: 'Posible', queued: 'En cola', complete: 'Completo', error: 'Error', normal: 'Normal', routine: 'Habitual', urgent: 'Urgente', asap: 'Lo antes posible', stat: 'Inmediato',
      requested: 'Solicitado', received: 'Recibido', 'not-started': 'Sin empezar', scheduled: 'Programado', male: 'Masculino', female: 'Femenino', other: 'Otro', low: 'Bajo', high: 'Alto', 'unable-to-assess': 'No se pudo valorar',
      mild: 'Leve', moderate: 'Moderado', severe: 'Grave', food: 'Alimento', medication: 'Medicamento', environment: 'Ambiente', biologic: 'Biológico', MORN: 'por la mañana', AFT: 'por la tarde', EVE: 'al anochecer', NIGHT: 'por la noche',
      HS: 'al acostarse', AC: 'antes de las comidas', PC: 'después de las comidas', C: 'con las comidas', ACM: 'antes del desayuno', PCM: 'después del desayuno', balanced: 'Saldado', issued: 'Emitido', person: 'Personas', practitioner: 'Equipo',
    },
    concepts: {
      AMB: 'Consulta', EMER: 'Urgencias', IMP: 'Hospitalización', ACUTE: 'Hospitalización', HH: 'Visita a domicilio', VR: 'Consulta a distancia', WELLNESS: 'Revisión', URGENTCARE: 'Atención urgente', outpatient: 'Consulta',
      inpatient: 'Hospitalización', wellness: 'Revisión', urgentcare: 'Atención urgente', emergency: 'Urgencias', ambulatory: 'Consulta', H: 'Alto', L: 'Bajo', N: 'Normal', A: 'Fuera de lo normal', LL: 'Peligrosamente bajo',
      'result-HH': 'Peligrosamente alto', AA: 'Peligrosamente fuera de lo normal', POS: 'Positivo', NEG: 'Negativo', IND: 'No concluyente', 'vital-signs': 'Signos vitales', laboratory: 'Laboratorio', survey: 'Encuesta', 'social-history': 'Historia social', imaging: 'Imagen', exam: 'Exploración',
      'encounter-diagnosis': 'Diagnóstico de una visita', 'problem-list-item': 'Problema', institutional: 'Hospital o clínica', professional: 'Servicios profesionales', pharmacy: 'Farmacia', 'high-priority': 'Prioridad alta', 'patient-privacy': 'Privacidad',
      LAB: 'Laboratorio', 'marital-M': 'Casado(a)', 'marital-S': 'Soltero(a)', 'marital-D': 'Divorciado(a)', 'marital-W': 'Viudo(a)',
      treatment: 'Tratamiento', 'complete-questionnaire': 'Cuestionario por rellenar', 'care-telehealth': 'Consentimiento para consultas por video', 'care-connection': 'Conexión de la consulta', 'care-sound': 'Problemas con el sonido', 'care-picture': 'Problemas con la imagen',
      'care-dropped': 'La conexión se cortó', 'care-follow-up': 'Consulta de seguimiento', 'care-patient': 'El paciente', 'care-clinic': 'El equipo',
    },
    types: {
      AllergyIntolerance: 'Alergia', AdverseEvent: 'Efecto no deseado', Account: 'Cuenta', Appointment: 'Cita', AppointmentResponse: 'Respuesta a una cita', Basic: 'Registro', Binary: 'Datos adjuntos', BodyStructure: 'Parte del cuerpo',
      CarePlan: 'Plan de cuidados', CareTeam: 'Equipo', Claim: 'Factura', ClaimResponse: 'Respuesta a una factura', ClinicalImpression: 'Valoración', Communication: 'Mensaje', CommunicationRequest: 'Petición de mensaje', Composition: 'Documento',
      Condition: 'Problema', Consent: 'Consentimiento', Coverage: 'Seguro', DetectedIssue: 'Aviso', Device: 'Dispositivo', DeviceRequest: 'Petición de dispositivo', DeviceUseStatement: 'Uso de un dispositivo', DiagnosticReport: 'Informe', DocumentManifest: 'Documentos',
      DocumentReference: 'Nota', Encounter: 'Visita', EpisodeOfCare: 'Episodio de atención', ExplanationOfBenefit: 'Liquidación del seguro', FamilyMemberHistory: 'Antecedentes familiares', Flag: 'Aviso', Goal: 'Objetivo', Group: 'Grupo', ImagingStudy: 'Imagen',
      Immunization: 'Vacuna', ImmunizationRecommendation: 'Vacuna recomendada', Invoice: 'Factura', List: 'Lista', Location: 'Lugar', Media: 'Imagen o grabación', Medication: 'Medicamento', MedicationAdministration: 'Medicamento administrado',
      MedicationDispense: 'Medicamento entregado', MedicationRequest: 'Receta', MedicationStatement: 'Medicamento', NutritionOrder: 'Dieta', Observation: 'Resultado', Organization: 'Organización', Patient: 'Paciente', PaymentNotice: 'Pago',
      Person: 'Persona', Practitioner: 'Profesional', PractitionerRole: 'Profesional', Procedure: 'Procedimiento', Provenance: 'Procedencia', Questionnaire: 'Cuestionario', QuestionnaireResponse: 'Respuestas', RelatedPerson: 'Persona relacionada',
      RiskAssessment: 'Valoración de riesgo', ServiceRequest: 'Orden', Specimen: 'Muestra', Substance: 'Sustancia', SupplyDelivery: 'Material entregado', SupplyRequest: 'Material pedido', Task: 'Tarea',
    },
  },

  kinds: {
    visit: 'Visitas', problem: 'Problemas', allergy: 'Alergias', medicine: 'Medicamentos', result: 'Resultados', procedure: 'Procedimientos', immunization: 'Vacunas', plan: 'Planes y órdenes', note: 'Notas', message: 'Mensajes',
    form: 'Cuestionarios', file: 'Archivos', appointment: 'Citas', bill: 'Facturas', person: 'Personas y lugares', other: 'Otros',
  },
  compartment: { general: 'General', restricted: 'Restringida' },
  compartmentHint: { general: 'Lo que lee el equipo que le atiende.', restricted: 'Para lo más íntimo, como psicoterapia, consumo de sustancias y salud sexual. Tiene sus propias llaves.' },
  whereQuestion: '¿A qué parte pertenece?',

  titleOf: (name) => `Historia de ${name}`, titleMine: 'Mi historia', titleUnknown: 'Historia', pages: 'Páginas de la historia',
  page: { summary: 'Resumen', messages: 'Mensajes', notes: 'Notas', files: 'Archivos', questionnaires: 'Cuestionarios', visits: 'Consultas', import: 'Importar', share: 'Compartir', looks: 'Quién miró' },
  born: (date) => `Nacimiento: ${date}`, readersAre: (names) => `También pueden leerla: ${names}`, youSeeRestricted: 'Usted puede leer también la parte restringida.', opening: 'Abriendo la historia…',
  steps: { opening: 'Abriendo…', reading: 'Leyendo…', sending: 'Enviando…', fetching: 'Recibiendo…', sealing: 'Sellando…' },
  due: 'Alguien ha dejado de tener acceso a esta historia. Recibirá llaves nuevas en cuanto abra Ward alguien que pueda hacerlas; hasta entonces, el servidor de la clínica rechaza a quien se fue.',
  stillLoading: 'Leyendo el resto de la historia…',

  troubleTitle: (n) => (n === 1 ? 'Algo en esta historia no ha superado las comprobaciones' : `${many(n, 'cosa', 'cosas')} en esta historia no han superado las comprobaciones`),
  troubleText: 'Ward comprueba cada entrada: quién la escribió, y que nadie la cambió, quitó o sustituyó. Lo que no superó la comprobación no se muestra. Avise a su clínica y no dé por completa esta historia.',
  snapshotBy: (who: string): string => `Un resumen de la historia que dejó ${who} no es correcto y no se volverá a usar. En su lugar se leyeron las propias entradas.`,
  trouble: {
    statement: 'Una entrada no está escrita como debe.', signature: 'Una firma es incorrecta: una entrada fue cambiada o no es de quien dice.', browser: 'Una entrada fue firmada por un navegador que su autor no aprobó.',
    author: 'Una entrada no es de quien dice.', hash: 'Una entrada no es la que se guardó.', sealed: 'No se pudo abrir una entrada sellada.', header: 'Una entrada dice una cosa por fuera y otra por dentro.', body: 'El contenido de una entrada está dañado.',
    chain: 'El servidor omitió, cambió o reordenó entradas.', fork: 'El servidor muestra otro historial que antes.', rollback: 'El servidor muestra un estado anterior al que este navegador ya vio.', card: 'Las llaves de una persona no son correctas.',
    'no-key': 'Una parte de la historia no se abre con sus llaves. Tras perder las llaves, así ocurre con la parte restringida hasta que alguien que puede leerla la comparta con usted.',
    grant: 'Un permiso no es correcto.', epoch: 'Las llaves de la historia no son correctas.', snapshot: 'Un resumen de la historia, dejado por el navegador de alguien, no es correcto. En su lugar se leyeron las propias entradas, si se pudo.',
    'too-large': 'Una entrada es demasiado grande para abrirla.',
  },
  troubleDetails: 'Detalles para avisar',

  flags: 'Importante', problems: 'Problemas', noProblems: 'No hay problemas anotados.', pastProblems: (n) => many(n, 'problema pasado', 'problemas pasados'), medicines: 'Medicamentos', noMedicines: 'No hay medicamentos actuales anotados.',
  allergies: 'Alergias', noAllergies: 'No hay alergias anotadas. Eso no significa que no existan.', results: 'Resultados recientes', noResults: 'No hay mediciones anotadas.', immunizations: 'Vacunas',
  noImmunizations: 'No hay vacunas anotadas.', times: (n) => many(n, 'vez', 'veces'), lastOn: (date) => `la última, ${date}`, moreResults: (n) => `Mostrar ${many(n, 'resultado más', 'resultados más')}`,
  moreImmunizations: (n) => `Mostrar ${n.toLocaleString('es')} más`, sinceDate: (date) => `desde ${date}`,
  trend: (title, n, from, to, low, high, latest) => `${title}: ${many(n, 'valor', 'valores')} de ${from} a ${to}, mínimo ${low}, máximo ${high}, último ${latest}.`,
  asTable: 'Todos los valores', date: 'Fecha', value: 'Valor', unitIn: (unit) => `en ${unit}`, normalRange: (range) => `Normal: ${range}`, outOfRange: 'Fuera de lo normal', dangerous: 'Peligroso',

  timeline: 'Todo, lo más nuevo primero', search: 'Buscar en esta historia', filterKind: 'Tipo', filterPart: 'Parte', all: 'Todo', withoutBills: 'Todo menos facturas', found: (n) => many(n, 'entrada', 'entradas'),
  nothingFound: 'Nada coincide', nothingFoundHint: 'Pruebe con menos letras o con otro tipo.', nothingYet: 'Todavía no hay nada en esta historia', nothingYetHint: 'Aquí aparecen mensajes, notas, archivos e historias importadas.',
  showMore: (n) => `Mostrar ${n.toLocaleString('es')} más`, undated: 'Sin fecha', billsHidden: (n) => `${many(n, 'factura está oculta', 'facturas están ocultas')}.`, showBills: 'Mostrar facturas', clear: 'Borrar filtros',
  writtenBy: (name, date) => `Guardado por ${name} el ${date}`, writtenByYou: (date) => `Guardado por usted el ${date}`, someone: 'alguien cuyo nombre usted no puede ver', you: 'Usted',
  fromFile: (name) => `del archivo ${name}`, inError: 'Anotado por error', waiting: 'Pendiente de enviar', sending: 'Enviando…', refused: 'No guardado',
  waitingHint: 'Está sellado y guardado en este navegador. Se enviará en cuanto se pueda contactar con la clínica.', refusedHint: 'La clínica no lo ha aceptado.', tryAgain: 'Intentar de nuevo', discard: 'Descartar',
  discardTitle: '¿Descartar esto?', discardText: 'No llegó a guardarse, y desaparecerá.', discarded: 'Descartado.',
  amended: 'Rectificado', withdrawn: 'Retirado', withdrawnBy: (name, date) => `Retirado por ${name} el ${date}`, withdrawnReason: (reason) => `Motivo: ${reason}`, showWithdrawn: 'Mostrar lo que decía',
  history: (n) => many(n, 'versión anterior', 'versiones anteriores'), version: (name, date) => `${name}, ${date}`,
  amend: 'Rectificar', withdraw: 'Retirar', withdrawTitle: '¿Retirar esto?', withdrawText: 'Permanece en la historia, marcado como retirado y con su motivo. Nunca se quita nada sin dejar rastro.', reason: 'Motivo', withdrawDone: 'Retirado.',
  cancel: 'Cancelar', details: 'Detalles',

  messagesTitle: 'Mensajes con el equipo', noMessages: 'Aún no hay mensajes', noMessagesHint: 'Solo pueden leer lo que escriba el paciente y quienes pueden leer esta parte de la historia.', write: 'Su mensaje', send: 'Enviar', messageSent: 'Enviado.',
  messageQueued: 'Sellado. Se enviará en cuanto se pueda contactar con la clínica.', emergency: 'Puede que nadie lo lea ahora mismo. En una emergencia, llame a su número local de emergencias.', olderMessages: 'Mostrar mensajes anteriores', replyTo: 'Responder', replyingTo: (what) => `Respuesta a: ${what}`,
  notWritable: 'Usted puede leer esta historia, pero no escribir en ella.',

  newNote: 'Escribir una nota', amendNote: 'Rectificar una nota', noteTitle: 'Título', noteTitleHint: 'Por ejemplo: visita, llamada, plan', noteText: 'Nota', template: 'Plantilla',
  store: 'Guardar', noteStored: 'Guardado.', noteEmpty: 'Escriba algo primero.', notesTitle: 'Notas', noNotes: 'Aún no hay notas', noNotesHint: 'Lo que escriba aquí se sella en este navegador antes de enviarse.', defaultTitle: 'Nota', 

  filesTitle: 'Archivos', addFile: 'Añadir archivos', addFileHint: 'Imágenes, documentos, grabaciones. Se sellan en este navegador antes de enviarse.', noFiles: 'Aún no hay archivos', noFilesHint: 'Lo que añada estará aquí para quienes pueden leer esa parte de la historia.',
  fileStored: (name) => `${name} está guardado.`, uploading: (name) => `Añadiendo ${name}`, preview: 'Ver', download: 'Descargar', openTab: 'Abrir en otra pestaña', cannotPreview: 'Este tipo de archivo no se puede mostrar aquí. Descárguelo para abrirlo.',
  cutText: 'Solo se muestra el principio. Descargue el archivo para verlo entero.', imageOf: (name) => `Imagen: ${name}`, dropHere: 'o suéltelos aquí', size: (bytes) => fileSize(bytes, 'es'), 

  importTitle: 'Importar historias', importText: 'Traiga su historia de otra clínica o aplicación: un archivo FHIR R4 (JSON o NDJSON), como los que entregan hospitales y aplicaciones de salud. Se sella en este navegador antes de enviarse.', chooseFile: 'Archivo FHIR',
  importStart: 'Importar', imported: (n) => many(n, 'registro importado', 'registros importados'), importedHint: 'Ya están en la historia.', toSummary: 'Ir al resumen', importAnother: 'Importar otro archivo', importEmpty: 'Elija primero un archivo.',

  formsTitle: 'Cuestionarios', noForms: 'Aún no hay respuestas', noFormsHint: 'Aquí se muestran las respuestas que guarde.', formFill: 'Rellenar', formStore: 'Guardar las respuestas', formStored: 'Sus respuestas están guardadas.', formMissing: (n) => `${many(n, 'pregunta queda', 'preguntas quedan')} sin responder.`,
  formBack: 'Volver', answered: 'Respondidos', scoreOf: (score, most) => `${score} de ${most}`, required: 'Elija una respuesta.',
  formMeaning: 'Esto no es un diagnóstico. Su equipo lo hablará con usted.', answerThis: 'Responda a esta pregunta.', otherAnswer: 'Otra cosa', unknownQuestion: 'Este tipo de pregunta no se puede responder aquí.',

  shareTitle: 'Quién puede leer esta historia', shareWith: 'Compartir con alguien', sharePerson: 'Una persona', shareTeam: 'Un equipo', who: '¿Con quién?', whoType: '¿Una persona o un equipo?', choose: 'Elija…', parts: '¿Qué partes?', purposeQuestion: '¿Para qué?', until: 'Hasta', untilHint: 'Déjelo vacío para que no termine.',
  share: 'Compartir', shared: (name) => `Compartido con ${name}.`, chooseSomeone: 'Elija primero a alguien.', chooseParts: 'Elija al menos una parte.', untilPast: 'Elija un día que no haya pasado.',
  purpose: { self: 'su propia historia', care: 'la atención', proxy: 'cuidar del paciente', emergency: 'emergencias', 'second-opinion': 'una segunda opinión', research: 'investigación', work: 'trabajo' },
  teamNames: { clinicians: 'Los profesionales de la clínica', emergency: 'Acceso de emergencia' },
  emergencyNote: 'Solo se usa cuando alguien abre la historia en una emergencia. Se avisa al paciente de inmediato.',
  canRead: (name, parts, purpose) => `${name} puede leer: ${parts}. Para: ${purpose}.`, youCanRead: (parts, purpose) => `Usted puede leer: ${parts}. Para: ${purpose}.`,
  ownChart: 'Usted puede leerlo todo: es su historia.', ownerCanRead: (name) => `${name}: es su historia.`, partName: { general: 'parte general', restricted: 'parte restringida' },
  sharedBy: (name, date) => `Compartido por ${name} el ${date}`, sharedByYou: (date) => `Compartido por usted el ${date}`, untilDate: (date) => `hasta el ${date}`, noEnd: 'sin fecha final',
  remove: 'Quitar', removeTitle: (name) => `¿Quitar a ${name}?`, removeText: 'Se le rechaza desde este momento, y la historia recibe llaves nuevas, para que no pueda abrir nada de lo que se escriba desde ahora. Lo que ya leyó, puede recordarlo o haberlo guardado.',
  removed: (name) => `${name} ya no puede leer esta historia.`, giveUp: 'Renunciar a mi acceso', giveUpTitle: '¿Renunciar a su acceso?', giveUpText: 'Ya no podrá abrir esta historia. Alguien que pueda leerla tendría que compartirla de nuevo con usted.', gaveUp: 'Ha renunciado a su acceso.',
  eraseTitle: 'Borrar esta historia', eraseText: 'Todo lo que contiene se elimina del servidor de la clínica, con todas sus claves. Nadie puede recuperarlo. Las copias que usted u otras personas hayan hecho no se tocan.', eraseSure: 'Entiendo que esto no se puede deshacer', eraseNow: 'Borrar ahora', takeFirst: 'Llevarme antes una copia', erased: 'La historia se ha borrado.',
  before: (n) => `${many(n, 'persona o equipo pudo', 'personas o equipos pudieron')} leerla antes`, endedOn: (date) => `terminó el ${date}`, nobodyElse: 'Nadie más puede leer esta historia.', shareRule: 'Solo el paciente comparte la parte restringida.',

  carer: {
    offer: '¿Alguien que no está en la lista, como un cuidador?', link: 'Su enlace', linkHint: 'Esa persona lo encuentra en su primera página, en «Mostrar quién soy». Léalo con la cámara de su teléfono o péguelo aquí.', wrongLink: 'Este enlace no está completo. Pida que se lo muestre o envíe de nuevo.',
    introduced: (name) => `${name} se presentó con este enlace. Comparta solo si lo recibió de esa persona.`, show: 'Mostrar quién soy', showText: 'Alguien a quien usted cuida puede compartir su historia con usted: lee esto con la cámara de su teléfono o abre el enlace. Por sí solo no abre nada.', qr: 'Código QR de quién es usted', noChart: 'Usted no tiene aquí una historia propia que compartir.',
  },

  glass: {
    notShared: 'Esta historia no está compartida con usted', notSharedText: 'El paciente decide quién la lee. Pida que la comparta con usted, a él o a un colega que pueda leerla.',
    offer: '¿Depende una vida de ello?', offerRest: '¿Depende una vida de la parte restringida?', warning: 'Esto abre toda la historia, y se avisa a todos los interesados',
    whatHappens: ['Usted la lee entera, también la parte restringida, durante una hora.', 'Se avisa de inmediato al paciente y al responsable de protección de datos, con su nombre.', 'Su motivo queda en la historia, y lo que haga queda registrado.'],
    why: '¿Qué ha ocurrido?', codes: { unconscious: 'El paciente no puede responder', 'life-threatening': 'La vida o la salud del paciente corre peligro', other: 'Otra cosa que no puede esperar' }, reason: 'Su motivo', reasonHint: 'Se sella dentro de la historia. El paciente lo lee.',
    reasonNeeded: 'Diga por qué necesita la historia ahora.', sure: 'Necesito esta historia ahora para proteger la vida o la salud de alguien', sureNeeded: 'Marque esto para seguir, o pida que compartan la historia con usted.', open: 'Abrir la historia en una emergencia', opened: 'La historia está abierta. Se ha avisado al paciente.',
    noteTitle: 'Acceso de emergencia', mine: (time) => `Usted abrió esta historia en una emergencia, hasta las ${time}`, mineText: 'El paciente y el responsable de protección de datos lo saben. Termínelo en cuanto ya no necesite la historia.', end: 'Terminarlo ahora', ended: 'La emergencia ha terminado. La historia recibe llaves nuevas.',
    yours: 'Su historia se abrió en una emergencia', theirs: 'Esta historia se abrió en una emergencia', of: (name) => `La historia de ${name} se abrió en una emergencia`, by: (who, when) => `Por ${who}, ${when}.`,
    until: (time) => `Hasta las ${time}`, over: 'Terminado', reasonIsInChart: 'El motivo está en la historia, entre las notas. Si no le parece correcto, pregunte a la clínica.', read: 'Leer el motivo', seen: 'Ya lo he visto',
    all: 'Abiertas en una emergencia', none: 'Últimamente no se abrió ninguna historia en una emergencia.', line: (who, whose) => `${who} abrió la historia de ${whose}`,
  },

  looksShow: 'Mostrar', looksAllowed: 'Permitido', looksRefused: 'Rechazado', looksSteps: (n) => many(n, 'paso técnico', 'pasos técnicos'), looksTitle: 'Quién miró', looksText: 'Cada vez que alguien abre, cambia o comparte esta historia, la clínica lo anota. También cuando rechaza a alguien.', noLooks: 'Todavía nada', olderLooks: 'Mostrar anteriores', refusedLook: 'Rechazado', timesLook: (n) => (n === 1 ? '' : many(n, 'vez', 'veces')),
  look: {
    opened: (who) => `${who} abrió la historia`, wrote: (who) => `${who} escribió en la historia`, shared: (who) => `${who} compartió la historia`, unshared: (who) => `${who} retiró el acceso de alguien`,
    turned: (who) => `El navegador de ${who} dio llaves nuevas a la historia`, 'ended-emergency': (who) => `${who} terminó la emergencia`, 'emergency-over': (who) => `${who} tuvo la historia abierta en una emergencia hasta que pasó la hora`, 'broke-glass': (who) => `${who} abrió la historia en una emergencia`, erased: (who) => `${who} borró la historia`,
    found: (who) => `${who} consultó las llaves de la historia, para compartir o escribir`, members: (who) => `${who} miró quién puede leer la historia`, invited: (who) => `${who} invitó al paciente`, joined: (who) => `${who} se incorporó`,
  },
  triedLook: {
    opened: (who) => `${who} intentó abrir la historia`, wrote: (who) => `${who} intentó escribir en la historia`, shared: (who) => `${who} intentó compartir la historia`, unshared: (who) => `${who} intentó retirar el acceso de alguien`,
    turned: (who) => `El navegador de ${who} intentó dar llaves nuevas a la historia`, 'ended-emergency': (who) => `${who} intentó terminar una emergencia`, 'broke-glass': (who) => `${who} intentó abrir la historia como emergencia`, erased: (who) => `${who} intentó borrar la historia`,
    found: (who) => `${who} intentó consultar las llaves de la historia`, members: (who) => `${who} intentó ver quién puede leer la historia`, invited: (who) => `${who} intentó invitar al paciente`, joined: (who) => `${who} intentó incorporarse`,
  },
  otherLook: (who) => `${who} hizo otra cosa con la historia`,
} satisfies ChartWords
