// The words of the chart, in English. es.ts and ar.ts have the same lines.

const rules = new Intl.PluralRules('en')
const many = (n: number, one: string, other: string): string => `${n.toLocaleString('en')} ${rules.select(n) === 'one' ? one : other}`

const statuses = {
  active: 'Active', inactive: 'Inactive', resolved: 'Resolved', remission: 'In remission', recurrence: 'Came back', relapse: 'Relapsed', completed: 'Completed', 'in-progress': 'In progress', finished: 'Finished',
  planned: 'Planned', arrived: 'Arrived', triaged: 'Triaged', onleave: 'On leave', cancelled: 'Cancelled', 'entered-in-error': 'Entered in error', unknown: 'Unknown', stopped: 'Stopped', 'on-hold': 'On hold',
  draft: 'Draft', final: 'Final', preliminary: 'Preliminary', amended: 'Amended', corrected: 'Corrected', registered: 'Registered', partial: 'Partial', appended: 'Added to', 'not-done': 'Not done',
  preparation: 'Being prepared', available: 'Available', booked: 'Booked', pending: 'Pending', proposed: 'Proposed', accepted: 'Accepted', fulfilled: 'Took place', noshow: 'Did not come', 'checked-in': 'Checked in',
  waitlist: 'On the waiting list', current: 'Current', superseded: 'Replaced', rejected: 'Rejected', aborted: 'Broken off', revoked: 'Withdrawn', achieved: 'Achieved', improving: 'Improving', worsening: 'Worsening',
  'no-change': 'No change', 'not-achieved': 'Not achieved', sustaining: 'Being kept up', 'not-attainable': 'Cannot be achieved', intended: 'Intended', 'not-taken': 'Not taken', confirmed: 'Confirmed', unconfirmed: 'Not confirmed',
  refuted: 'Ruled out', provisional: 'Provisional', differential: 'Possible', queued: 'Queued', complete: 'Complete', error: 'Error', normal: 'Normal', routine: 'Routine', urgent: 'Urgent', asap: 'As soon as possible', stat: 'At once',
  requested: 'Requested', received: 'Received', 'not-started': 'Not started', scheduled: 'Scheduled', male: 'Male', female: 'Female', other: 'Other', low: 'Low', high: 'High', 'unable-to-assess': 'Could not be assessed',
  mild: 'Mild', moderate: 'Moderate', severe: 'Severe', food: 'Food', medication: 'Medicine', environment: 'Environment', biologic: 'Biologic', MORN: 'in the morning', AFT: 'in the afternoon', EVE: 'in the evening', NIGHT: 'at night',
  HS: 'at bedtime', AC: 'before meals', PC: 'after meals', C: 'with meals', ACM: 'before breakfast', PCM: 'after breakfast', balanced: 'Balanced', issued: 'Issued', person: 'People', practitioner: 'Care team',
}

const units: Readonly<Record<string, readonly [string, string]>> = {
  s: ['second', 'seconds'], min: ['minute', 'minutes'], h: ['hour', 'hours'], d: ['day', 'days'], wk: ['week', 'weeks'], mo: ['month', 'months'], a: ['year', 'years'],
}

export const chart = {
  // How imported and written records read.
  fhir: {
    yes: 'Yes', no: 'No', recording: 'A recording', asNeeded: 'as needed', atATime: (n: string): string => `${n} at a time`,
    fromTo: (from: string, to: string): string => `${from} to ${to}`, since: (from: string): string => `since ${from}`, until: (to: string): string => `until ${to}`,
    pair: (name: string, value: string): string => `${name}: ${value}`, planFor: (what: string): string => `Plan for ${what}`,
    often: (times: number, period: number, unit: string): string => {
      const [one, other] = units[unit] ?? [unit, unit]
      return `${times === 1 ? 'once' : times === 2 ? 'twice' : `${times} times`} every ${period === 1 ? one : `${period} ${other}`}`
    },
    bands: { minimal: 'minimal', mild: 'mild', moderate: 'moderate', moderatelySevere: 'moderately severe', severe: 'severe', controlled: 'well controlled', partly: 'partly controlled', uncontrolled: 'not controlled' },
    score: (n: number): string => `Score ${n}`, answersGiven: (n: number): string => many(n, 'answer', 'answers'), entries: (n: number): string => many(n, 'entry', 'entries'),
    questions: (n: number): string => many(n, 'question', 'questions'), question: (n: number): string => `Question ${n}`, messageFrom: (name: string): string => (name === '' ? 'Message' : `Message from ${name}`),
    file: 'File', state: 'Status', category: 'Category', time: 'When', reason: 'Reason', by: 'By', at: 'At', outcome: 'Outcome', certainty: 'Certainty', severity: 'Severity', began: 'Began', ended: 'Ended', bodySite: 'Body site',
    recorded: 'Recorded', reaction: 'Reaction', risk: 'Risk', lastSeen: 'Last time', dose: 'Dose', written: 'Written', taken: 'Taken', handedOver: 'Handed over', quantity: 'Quantity', refills: 'Refills', validFor: 'Valid',
    whyStopped: 'Why it changed', ingredients: 'Ingredients', given: 'Given', value: 'Result', assessment: 'Assessment', normal: 'Normal range', measured: 'Measured', method: 'Method', device: 'Device', missing: 'Why there is no result',
    conclusion: 'Conclusion', images: 'Images', complications: 'Complications', followUp: 'Follow-up', whyNot: 'Why not', doseNumber: 'Dose number', route: 'How', maker: 'Maker', lot: 'Lot number', forProblems: 'For', goals: 'Goals',
    team: 'Care team', priority: 'Priority', target: 'Target', member: 'Member', performer: 'To be done by', instructions: 'Instructions', basis: 'Based on', note: 'Note', contents: 'Contents', to: 'To', sent: 'Sent',
    service: 'Service', total: 'Total', paid: 'Paid by insurance', insurer: 'Insurance', born: 'Born', died: 'Died', gender: 'Gender', phone: 'Phone', email: 'Email', address: 'Address', language: 'Language', marital: 'Marital status',
    relationship: 'Relationship', role: 'Role', specialty: 'Specialty', ends: 'Ends', with: 'With', model: 'Model', serial: 'Serial number', made: 'Made', expires: 'Expires', identifier: 'Number', about: 'About',
    unchecked: 'Arabic words, not validated',
    consents: { active: 'Agreed', inactive: 'Taken back', rejected: 'Not agreed' },
    status: statuses,
    // Codes that come without words of their own.
    concepts: {
      AMB: 'Outpatient visit', EMER: 'Emergency', IMP: 'Hospital stay', ACUTE: 'Hospital stay', HH: 'Home visit', VR: 'Remote visit', WELLNESS: 'Check-up', URGENTCARE: 'Urgent care', outpatient: 'Outpatient visit',
      inpatient: 'Hospital stay', wellness: 'Check-up', urgentcare: 'Urgent care', emergency: 'Emergency', ambulatory: 'Outpatient visit', H: 'High', L: 'Low', N: 'Normal', A: 'Out of range', LL: 'Dangerously low',
      'result-HH': 'Dangerously high', AA: 'Dangerously out of range', POS: 'Positive', NEG: 'Negative', IND: 'Unclear', 'vital-signs': 'Vital signs', laboratory: 'Laboratory', survey: 'Survey', 'social-history': 'Social history', imaging: 'Imaging', exam: 'Examination',
      'encounter-diagnosis': 'Diagnosis of a visit', 'problem-list-item': 'Problem', institutional: 'Hospital or clinic', professional: 'Professional services', pharmacy: 'Pharmacy', 'high-priority': 'High priority', 'patient-privacy': 'Privacy',
      LAB: 'Laboratory', 'marital-M': 'Married', 'marital-S': 'Single', 'marital-D': 'Divorced', 'marital-W': 'Widowed',
      treatment: 'Treatment', 'complete-questionnaire': 'Questionnaire to fill in', 'care-telehealth': 'Consent to visits by video', 'care-connection': 'Connection of the visit', 'care-sound': 'Trouble with the sound', 'care-picture': 'Trouble with the picture',
      'care-dropped': 'The connection broke off', 'care-follow-up': 'Follow-up visit', 'care-patient': 'The patient', 'care-clinic': 'The care team',
    },
    types: {
      AllergyIntolerance: 'Allergy', AdverseEvent: 'Unwanted event', Account: 'Account', Appointment: 'Appointment', AppointmentResponse: 'Reply to an appointment', Basic: 'Record', Binary: 'Attached data', BodyStructure: 'Body part',
      CarePlan: 'Care plan', CareTeam: 'Care team', Claim: 'Bill', ClaimResponse: 'Answer to a bill', ClinicalImpression: 'Assessment', Communication: 'Message', CommunicationRequest: 'Request for a message', Composition: 'Document',
      Condition: 'Problem', Consent: 'Consent', Coverage: 'Insurance', DetectedIssue: 'Warning', Device: 'Device', DeviceRequest: 'Request for a device', DeviceUseStatement: 'Use of a device', DiagnosticReport: 'Report', DocumentManifest: 'Documents',
      DocumentReference: 'Note', Encounter: 'Visit', EpisodeOfCare: 'Episode of care', ExplanationOfBenefit: 'Insurance statement', FamilyMemberHistory: 'Family history', Flag: 'Warning', Goal: 'Goal', Group: 'Group', ImagingStudy: 'Imaging',
      Immunization: 'Immunization', ImmunizationRecommendation: 'Recommended immunization', Invoice: 'Invoice', List: 'List', Location: 'Place', Media: 'Picture or recording', Medication: 'Medicine', MedicationAdministration: 'Medicine given',
      MedicationDispense: 'Medicine handed out', MedicationRequest: 'Prescription', MedicationStatement: 'Medicine', NutritionOrder: 'Diet', Observation: 'Result', Organization: 'Organization', Patient: 'Patient', PaymentNotice: 'Payment',
      Person: 'Person', Practitioner: 'Clinician', PractitionerRole: 'Clinician', Procedure: 'Procedure', Provenance: 'Where it came from', Questionnaire: 'Questionnaire', QuestionnaireResponse: 'Answers', RelatedPerson: 'Related person',
      RiskAssessment: 'Risk assessment', ServiceRequest: 'Order', Specimen: 'Sample', Substance: 'Substance', SupplyDelivery: 'Supplies delivered', SupplyRequest: 'Supplies ordered', Task: 'Task',
    },
  },

  kinds: {
    visit: 'Visits', problem: 'Problems', allergy: 'Allergies', medicine: 'Medicines', result: 'Results', procedure: 'Procedures', immunization: 'Immunizations', plan: 'Plans and orders', note: 'Notes', message: 'Messages',
    form: 'Questionnaires', file: 'Files', appointment: 'Appointments', bill: 'Bills', person: 'People and places', other: 'Other',
  },
  compartment: { general: 'General', restricted: 'Restricted' },
  compartmentHint: { general: 'What the care team reads.', restricted: 'For what is most private, such as psychotherapy, substance use and sexual health. It has keys of its own.' },
  whereQuestion: 'Where does it belong?',

  // The frame.
  titleOf: (name: string): string => `Chart of ${name}`, titleMine: 'My chart', titleUnknown: 'Chart', pages: 'Pages of the chart',
  page: { summary: 'Summary', messages: 'Messages', notes: 'Notes', files: 'Files', questionnaires: 'Questionnaires', visits: 'Visits', import: 'Import', share: 'Sharing', looks: 'Who looked' },
  born: (date: string): string => `Born ${date}`, readersAre: (names: string): string => `Others who can read it: ${names}`, youSeeRestricted: 'You can also read the restricted part.', opening: 'Opening the chart…',
  steps: { opening: 'Opening…', reading: 'Reading…', sending: 'Sending…', fetching: 'Fetching…', sealing: 'Sealing…' },
  due: 'Someone was taken off this chart. It gets new keys as soon as someone who can make them opens Ward; until then, the clinic’s server refuses the person who left.',
  stillLoading: 'Reading the rest of the chart…',

  // What did not check.
  troubleTitle: (n: number): string => (n === 1 ? 'One thing in this chart did not pass its checks' : `${many(n, 'thing', 'things')} in this chart did not pass their checks`),
  troubleText: 'Ward checks every entry: who wrote it, and that nobody changed, removed or exchanged it. What did not pass is not shown. Tell your clinic, and do not rely on this chart being complete.',
  snapshotBy: (who: string): string => `A summary of the chart that ${who} left does not check, and is not used again. The entries themselves were read instead.`,
  trouble: {
    statement: 'An entry is not written as it must be.', signature: 'A signature is wrong: an entry was changed, or is not from who it says.', browser: 'An entry was signed by a browser that its author did not approve.',
    author: 'An entry is not from who it says.', hash: 'An entry is not the one that was stored.', sealed: 'An entry could not be unsealed.', header: 'An entry says one thing outside and another inside.', body: 'The contents of an entry are damaged.',
    chain: 'The server left out, changed or reordered entries.', fork: 'The server shows another history than before.', rollback: 'The server shows an older state than this browser has seen.', card: 'The keys of a person do not check.',
    'no-key': 'A part of the chart does not open with your keys. After lost keys that is so for the restricted part, until someone who can read it shares it with you.',
    grant: 'A permission does not check.', epoch: 'The keys of the chart do not check.', snapshot: 'A summary of the chart, left by someone’s browser, does not check. The entries themselves were read instead, if they could be.',
    'too-large': 'An entry is too large to be opened.',
  },
  troubleDetails: 'Details to report',

  // The summary.
  flags: 'Important to know', problems: 'Problems', noProblems: 'No problems are recorded.', pastProblems: (n: number): string => many(n, 'past problem', 'past problems'), medicines: 'Medicines', noMedicines: 'No current medicines are recorded.',
  allergies: 'Allergies', noAllergies: 'No allergies are recorded. This does not mean that there are none.', results: 'Recent results', noResults: 'No measurements are recorded.', immunizations: 'Immunizations',
  noImmunizations: 'No immunizations are recorded.', times: (n: number): string => many(n, 'time', 'times'), lastOn: (date: string): string => `last on ${date}`, moreResults: (n: number): string => `Show ${many(n, 'more result', 'more results')}`,
  moreImmunizations: (n: number): string => `Show ${n.toLocaleString('en')} more`, sinceDate: (date: string): string => `since ${date}`,
  trend: (title: string, n: number, from: string, to: string, low: string, high: string, latest: string): string =>
    `${title}: ${many(n, 'value', 'values')} from ${from} to ${to}, lowest ${low}, highest ${high}, latest ${latest}.`,
  asTable: 'All values', date: 'Date', value: 'Value', unitIn: (unit: string): string => `in ${unit}`, normalRange: (range: string): string => `Normal: ${range}`,
  outOfRange: 'Out of range', dangerous: 'Dangerous',

  // The timeline.
  timeline: 'Everything, newest first', search: 'Search in this chart', filterKind: 'Kind', filterPart: 'Part', all: 'All', withoutBills: 'All but bills', found: (n: number): string => many(n, 'entry', 'entries'),
  nothingFound: 'Nothing fits', nothingFoundHint: 'Try fewer letters, or another kind.', nothingYet: 'Nothing is in this chart yet', nothingYetHint: 'Messages, notes, files and imported records appear here.',
  showMore: (n: number): string => `Show ${n.toLocaleString('en')} more`, undated: 'Without a date', billsHidden: (n: number): string => `${many(n, 'bill is', 'bills are')} folded away.`, showBills: 'Show bills', clear: 'Clear',
  writtenBy: (name: string, date: string): string => `Stored by ${name} on ${date}`, writtenByYou: (date: string): string => `Stored by you on ${date}`, someone: 'someone whose name you cannot see', you: 'You',
  fromFile: (name: string): string => `from the file ${name}`, inError: 'Entered in error', waiting: 'Waiting to be sent', sending: 'Sending…', refused: 'Not stored',
  waitingHint: 'It is sealed and kept in this browser. It is sent as soon as the clinic can be reached.', refusedHint: 'The clinic did not take this.', tryAgain: 'Try again', discard: 'Discard',
  discardTitle: 'Discard this?', discardText: 'It was never stored, and it will be gone.', discarded: 'Discarded.',
  amended: 'Amended', withdrawn: 'Withdrawn', withdrawnBy: (name: string, date: string): string => `Withdrawn by ${name} on ${date}`, withdrawnReason: (reason: string): string => `Reason: ${reason}`, showWithdrawn: 'Show what it said',
  history: (n: number): string => many(n, 'earlier version', 'earlier versions'), version: (name: string, date: string): string => `${name}, ${date}`,
  amend: 'Amend', withdraw: 'Withdraw', withdrawTitle: 'Withdraw this?', withdrawText: 'It stays in the chart, marked as withdrawn and with your reason. Nothing is ever removed without a trace.', reason: 'Reason', withdrawDone: 'Withdrawn.',
  cancel: 'Cancel', details: 'Details',

  // Messages.
  messagesTitle: 'Messages with the care team', noMessages: 'No messages yet', noMessagesHint: 'Only the patient and those who can read this part of the chart can read what you write.', write: 'Your message', send: 'Send', messageSent: 'Sent.',
  messageQueued: 'Sealed. It is sent as soon as the clinic can be reached.', emergency: 'Nobody may be reading right now. In an emergency, call your local emergency number.', olderMessages: 'Show older messages', replyTo: 'Reply', replyingTo: (what: string): string => `Reply to: ${what}`,
  notWritable: 'You can read this chart but not write in it.',

  // Notes.
  newNote: 'Write a note', amendNote: 'Amend a note', noteTitle: 'Title', noteTitleHint: 'Such as: Visit, phone call, plan', noteText: 'Note', template: 'Template',
  store: 'Store', noteStored: 'Stored.', noteEmpty: 'Write something first.', notesTitle: 'Notes', noNotes: 'No notes yet', noNotesHint: 'What you write here is sealed in this browser before it is sent.', defaultTitle: 'Note', 

  // Files.
  filesTitle: 'Files', addFile: 'Add files', addFileHint: 'Pictures, documents, recordings. They are sealed in this browser before they are sent.', noFiles: 'No files yet', noFilesHint: 'What you add is here for everyone who can read that part of the chart.',
  fileStored: (name: string): string => `${name} is stored.`, uploading: (name: string): string => `Adding ${name}`, preview: 'Look at it', download: 'Download', openTab: 'Open in a new tab', cannotPreview: 'This kind of file cannot be shown here. Download it to open it.',
  cutText: 'Only the beginning is shown. Download the file for all of it.', imageOf: (name: string): string => `Picture: ${name}`, dropHere: 'or drop them here', size: (bytes: number): string => fileSize(bytes, 'en'), 

  // Importing.
  importTitle: 'Import records', importText: 'Bring in records from another clinic or app: a FHIR R4 file (JSON or NDJSON), as hospitals and health apps give out. They are sealed in this browser before they are sent.', chooseFile: 'FHIR file',
  importStart: 'Import', imported: (n: number): string => `${many(n, 'record', 'records')} imported`, importedHint: 'They are in the chart now.', toSummary: 'To the summary', importAnother: 'Import another file', importEmpty: 'Choose a file first.',

  // Questionnaires.
  formsTitle: 'Questionnaires', noForms: 'Nothing answered yet', noFormsHint: 'Answers you store are shown here.', formFill: 'Fill in', formStore: 'Store the answers', formStored: 'Your answers are stored.', formMissing: (n: number): string => `${many(n, 'question is', 'questions are')} not answered yet.`,
  formBack: 'Back', answered: 'Answered', scoreOf: (score: number, most: number): string => `${score} of ${most}`, required: 'Choose an answer.',
  formMeaning: 'This is not a diagnosis. Your care team talks it through with you.', answerThis: 'Please answer this.', otherAnswer: 'Something else', unknownQuestion: 'This kind of question cannot be answered here.',

  // Sharing.
  shareTitle: 'Who can read this chart', shareWith: 'Share with someone', sharePerson: 'A person', shareTeam: 'A team', who: 'With whom?', whoType: 'A person or a team?', choose: 'Choose…', parts: 'Which parts?', purposeQuestion: 'What for?', until: 'Until', untilHint: 'Leave it empty for no end.',
  share: 'Share', shared: (name: string): string => `Shared with ${name}.`, chooseSomeone: 'Choose someone first.', chooseParts: 'Choose at least one part.', untilPast: 'Choose a day that is not over.',
  purpose: { self: 'their own chart', care: 'care', proxy: 'looking after the patient', emergency: 'emergencies', 'second-opinion': 'a second opinion', research: 'research', work: 'work' },
  teamNames: { clinicians: 'The clinic’s clinicians', emergency: 'Emergency access' },
  emergencyNote: 'Used only when someone breaks the glass in an emergency. The patient is told at once.',
  canRead: (name: string, parts: string, purpose: string): string => `${name} can read the ${parts}, for ${purpose}.`, youCanRead: (parts: string, purpose: string): string => `You can read the ${parts}, for ${purpose}.`,
  ownChart: 'You can read everything: it is your chart.', ownerCanRead: (name: string): string => `${name}: it is their chart.`, partName: { general: 'general part', restricted: 'restricted part' },
  sharedBy: (name: string, date: string): string => `Shared by ${name} on ${date}`, sharedByYou: (date: string): string => `Shared by you on ${date}`, untilDate: (date: string): string => `until ${date}`, noEnd: 'without an end',
  remove: 'Remove', removeTitle: (name: string): string => `Remove ${name}?`, removeText: 'They are refused from this moment on, and the chart gets new keys, so that nothing written from now on opens for them. What they have read already, they may remember or have kept.',
  removed: (name: string): string => `${name} can no longer read this chart.`, giveUp: 'Give up my access', giveUpTitle: 'Give up your access?', giveUpText: 'You will no longer be able to open this chart. Someone who can read it would have to share it with you again.', gaveUp: 'You gave up your access.',
  eraseTitle: 'Erase this chart', eraseText: 'Everything in it is removed from the clinic’s server, with all its keys. Nobody can bring it back. Copies that you or others took are not touched.', eraseSure: 'I understand that this cannot be undone', eraseNow: 'Erase it now', takeFirst: 'Take a copy first', erased: 'The chart is erased.',
  before: (n: number): string => `${many(n, 'person or team', 'people or teams')} could read it before`, endedOn: (date: string): string => `ended on ${date}`, nobodyElse: 'Nobody else can read this chart.', shareRule: 'Only the patient shares the restricted part.',

  carer: {
    offer: 'Someone who is not in the list, such as a carer?', link: 'Their link', linkHint: 'They find it on their first page, at “Show who I am”. Scan it with your phone’s camera, or paste it here.', wrongLink: 'This is not a whole link. Ask them to show or send it again.',
    introduced: (name: string): string => `${name} introduced themselves with this link. Share only if you have it from them.`, show: 'Show who I am', showText: 'Someone you look after can share their chart with you: they scan this with their phone’s camera, or open the link. By itself it opens nothing.', qr: 'QR code of who you are', noChart: 'You have no chart of your own here to share.',
  },

  // Emergencies.
  glass: {
    notShared: 'This chart is not shared with you', notSharedText: 'The patient decides who reads it. Ask them, or a colleague who can read it, to share it with you.',
    offer: 'A life depends on it?', offerRest: 'A life depends on the restricted part?', warning: 'This opens the whole chart, and everyone concerned is told',
    whatHappens: ['You read all of it, also the restricted part, for one hour.', 'The patient and the data protection officer are told at once, with your name.', 'Your reason stays in the chart, and what you do is on the record.'],
    why: 'What has happened?', codes: { unconscious: 'The patient cannot answer', 'life-threatening': 'The patient’s life or health is in danger', other: 'Something else that cannot wait' }, reason: 'Your reason', reasonHint: 'It is sealed into the chart. The patient reads it.',
    reasonNeeded: 'Say why you need the chart now.', sure: 'I need this chart now to protect someone’s life or health', sureNeeded: 'Tick this to go on, or ask for the chart to be shared.', open: 'Open the chart in an emergency', opened: 'The chart is open. The patient has been told.',
    noteTitle: 'Emergency access', mine: (time: string): string => `You opened this chart in an emergency, until ${time}`, mineText: 'The patient and the data protection officer know. End it as soon as you need the chart no more.', end: 'End it now', ended: 'The emergency is over. The chart gets new keys.',
    yours: 'Your chart was opened in an emergency', theirs: 'This chart was opened in an emergency', of: (name: string): string => `The chart of ${name} was opened in an emergency`, by: (who: string, when: string): string => `By ${who}, ${when}.`,
    until: (time: string): string => `Until ${time}`, over: 'Over', reasonIsInChart: 'The reason is in the chart, among the notes. If it does not seem right, ask the clinic.', read: 'Read the reason', seen: 'I have seen this',
    all: 'Opened in an emergency', none: 'No chart was opened in an emergency lately.', line: (who: string, whose: string): string => `${who} opened the chart of ${whose}`,
  },

  // Looks.
  looksShow: 'Show', looksAllowed: 'Allowed', looksRefused: 'Refused', looksSteps: (n: number): string => many(n, 'technical step', 'technical steps'), looksTitle: 'Who looked', looksText: 'Every time someone opens, changes or shares this chart, the clinic records it. So it does when it refuses someone.', noLooks: 'Nothing yet', olderLooks: 'Show older', refusedLook: 'Refused', timesLook: (n: number): string => (n === 1 ? '' : many(n, 'time', 'times')),
  look: {
    opened: (who: string): string => `${who} opened the chart`, wrote: (who: string): string => `${who} wrote in the chart`, shared: (who: string): string => `${who} shared the chart`, unshared: (who: string): string => `${who} took someone off the chart`,
    turned: (who: string): string => `${who}’s browser gave the chart new keys`, 'ended-emergency': (who: string): string => `${who} ended the emergency`, 'emergency-over': (who: string): string => `${who} had the chart open in an emergency until the hour was over`, 'broke-glass': (who: string): string => `${who} opened the chart in an emergency`, erased: (who: string): string => `${who} erased the chart`,
    found: (who: string): string => `${who} looked up the chart’s keys, to share or write`, members: (who: string): string => `${who} looked at who can read the chart`, invited: (who: string): string => `${who} invited the patient`, joined: (who: string): string => `${who} joined`,
  },
  triedLook: {
    opened: (who: string): string => `${who} tried to open the chart`, wrote: (who: string): string => `${who} tried to write in the chart`, shared: (who: string): string => `${who} tried to share the chart`, unshared: (who: string): string => `${who} tried to take someone off the chart`,
    turned: (who: string): string => `${who}’s browser tried to give the chart new keys`, 'ended-emergency': (who: string): string => `${who} tried to end an emergency`, 'broke-glass': (who: string): string => `${who} tried to open the chart as an emergency`, erased: (who: string): string => `${who} tried to erase the chart`,
    found: (who: string): string => `${who} tried to look up the chart’s keys`, members: (who: string): string => `${who} tried to see who can read the chart`, invited: (who: string): string => `${who} tried to invite the patient`, joined: (who: string): string => `${who} tried to join`,
  },
  otherLook: (who: string): string => `${who} did something else with the chart`,
}

/** A number of bytes in the largest unit that leaves a number of one or more. */
export function fileSize(bytes: number, lang: string): string {
  const sizes = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const
  const step = Math.min(sizes.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3))
  return new Intl.NumberFormat(lang, { style: 'unit', unit: sizes[step] ?? 'byte', unitDisplay: 'short', maximumFractionDigits: 1 }).format(bytes / 1000 ** step)
}

type Widen<T> = T extends string ? string : T extends (...args: never[]) => unknown ? T : { readonly [K in keyof T]: Widen<T[K]> }

/** What every language has to say. */
export type ChartWords = Widen<typeof chart>
