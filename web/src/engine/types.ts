// What a screen may ask of the engine, and what it gets. Screens know nothing of keys, sealing or the network: the
// engine holds them, checks everything that comes from the server, and answers in these words.
//
// Every promise may reject with a Problem. Long work takes a Progress function. Nothing here is a sentence for
// people: problems and troubles have codes, and words/*.ts has the sentences.

import type { Door } from '../visit/door.ts'
import type { Fault } from '../ledger/verify.ts'
import type { Introduction } from './introduction.ts'

export type ID = string
export type Role = 'patient' | 'proxy' | 'clinician' | 'frontdesk' | 'security' | 'privacy' | 'admin'
export type Compartment = 'general' | 'restricted'
export type EntryKind =
  | 'record' | 'note' | 'message' | 'questionnaire' | 'file' | 'consent' | 'appointment' | 'person' | 'snapshot'
export type Purpose = 'self' | 'care' | 'proxy' | 'emergency' | 'second-opinion' | 'research' | 'work'

/** A FHIR R4 resource. Screens read it through web/src/fhir, which checks shapes as it goes. */
export interface Resource { readonly resourceType: string; readonly id?: string; readonly [field: string]: unknown }

/** part of whole, in whatever the step counts; step is a key of the words. */
export type Progress = (step: string, done: number, total: number) => void

export type ProblemCode =
  | 'invalid' | 'unauthenticated' | 'refused' | 'missing' | 'conflict' | 'gone' | 'too_large' | 'too_many'
  | 'internal' | 'unavailable'            // from the server
  | 'offline'                             // no network
  | 'no-webauthn' | 'no-prf' | 'cancelled' | 'has-passkey' // passkeys
  | 'bad-link' | 'bad-code' | 'wrong-code' // what a person pasted or typed
  | 'withheld'                              // the ledger does not say whose keys these are
  | 'stale-code'                            // another device made a new recovery code
  | 'keyring' | 'tampered'                // what the server gave does not check
  | 'not-fhir' | 'storage'                // a file that is not FHIR; the browser's storage is full or closed

export interface Problem extends Error {
  readonly code: ProblemCode
  readonly hint?: string               // from the server, in English; for the details only
  readonly policies?: readonly string[]
}

export interface ClinicInfo { readonly org: ID; readonly name: string; readonly version: string }

export interface Me {
  readonly person: ID
  readonly name: string
  readonly roles: readonly Role[]
  readonly clinic: ClinicInfo
  readonly charts: readonly ID[]       // one's own
  readonly pending: boolean            // these keys do not count yet: a second person must confirm them, or the time of a veto runs
  readonly sessionUntil: string
  readonly idleSeconds: number
}

export interface Invitation {
  readonly clinic: ClinicInfo
  readonly from?: string               // who invites, when the link lets us know
  readonly called?: string             // how they call the invited
  readonly roles: readonly Role[]
  readonly recover: boolean
  readonly founding: boolean
  readonly until: string
}

/** What people say of themselves when they join. A member of staff gives a name only. */
export interface About {
  readonly name: { readonly given: string; readonly family: string }
  readonly birthDate?: string          // YYYY-MM-DD
  readonly phone?: string
  readonly email?: string
  readonly language?: string           // BCP 47
  readonly consent?: { readonly version: string; readonly text: string } // what was shown and agreed
}

export interface Passkey { readonly id: ID; readonly name: string; readonly created: string; readonly used?: string; readonly synced: boolean }
export interface SessionInfo {
  readonly id: ID; readonly agent: string; readonly started: string; readonly used: string; readonly until: string; readonly current: boolean
}

/** A person of the clinic as this caller may know them. Name is '' for those whose name is not theirs to read. */
export interface Person {
  readonly person: ID
  readonly name: string
  readonly roles: readonly Role[]
  readonly state: 'active' | 'pending' | 'ended' | 'invited'
  readonly birthDate?: string
  readonly phone?: string
  readonly email?: string
  readonly chart?: ID
  readonly alone?: Alone               // one person alone made them what they are
  readonly keysSince?: string          // of who has new keys: since when they count …
  readonly keysBy?: readonly ID[]      // … and who confirmed them; nobody, if they changed them with those before
  readonly invitation?: { readonly id: ID; readonly until: string; readonly state: string }
}

/** Confirming what (confirmMatter) takes the mark away. */
export interface Alone { readonly what: string; readonly can: boolean }

/** How somebody made sure of whom they confirm. */
export type How = 'met' | 'video' | 'phone' | 'document'

/** What waits in the signed history of who is who, for a second person or for the time of a veto to pass. */
export interface PendingMatter {
  readonly what: string                // hash of the statement
  readonly type: 'card' | 'card-after-loss' | 'roles' | 'deactivate' | 'reinstate' | 'rules'
  readonly person: ID                  // whom it is about; of rules who stated them
  readonly author: ID                  // who stated it; of a card who invited
  readonly at: string
  readonly needs: readonly (readonly Role[])[] // confirmations, each by one of these roles
  readonly from?: string               // of new keys that are confirmed: when they may count
  readonly roles?: readonly Role[]     // of a change of roles: those to be
  readonly vetoHours?: number          // of rules: those to be
  readonly can: { readonly confirm: boolean; readonly veto: boolean; readonly complete: boolean } // this person, now
}

/** An end of somebody's access, or a change of roles, that can be undone (reinstate). */
export interface Undoable {
  readonly what: string
  readonly person: ID
  readonly by: ID
  readonly at: string
  readonly until: string
  readonly roles: readonly Role[]      // those that they would have again
  readonly ended: boolean              // or their roles were changed
  readonly can: boolean
}

/** Keys in one's own name that this device does not hold: somebody made a link for them, made them, or they count already. The first two can be refused (vetoMatter). */
export interface NewKeysAlarm { readonly kind: 'invited' | 'waiting' | 'replaced'; readonly by: ID; readonly at: string; readonly from?: string; readonly what: string }

/** What is wrong with what the server shows of a history: fewer or other statements than this device saw, or one that nobody may state. */
export interface HistoryAlarm { readonly kind: 'shorter' | 'other' | 'bad'; readonly seq: number; readonly why: string; readonly person?: ID }

export interface MembershipState {
  readonly pending: readonly PendingMatter[]
  readonly alone: readonly ID[]        // active people whom one person alone made what they are
  readonly vetoHours: number
  readonly undoable: readonly Undoable[]
  readonly mine?: NewKeysAlarm
  readonly wrong: readonly HistoryAlarm[]
}

export interface Team { readonly lock: ID; readonly name: string; readonly members: readonly ID[]; readonly mine: boolean }

/** A visit as it is planned and as it stands. */
export interface Appointment {
  readonly id: ID                      // of the visit
  readonly start: string; readonly end: string
  readonly patient: ID; readonly chart: ID; readonly patientName: string
  readonly with: ID; readonly withName: string
  readonly state: 'booked' | 'open' | 'ended' | 'cancelled' // open: its clinician is there
  readonly late: number                // minutes, as its clinician says
  readonly me?: 'waiting' | 'admitted' | 'left' | 'removed' // at its door
  readonly waits?: string              // since when someone waits at its door; for its clinician
  readonly series?: ID                 // the first visit of those that were booked together
  readonly reason?: string             // what it is about, for who reads the chart and has it open
}

/** In the time zone of the clinician. A month later is the same weekday of the month. */
export interface Repeat { readonly every: 'week' | 'fortnight' | 'month'; readonly times: number; readonly timeZone: string }

export interface NewAppointment {
  readonly start: string; readonly end: string
  readonly patient: ID; readonly chart: ID; readonly with: ID
  readonly reason?: string
  readonly overlap?: boolean           // staff: although someone has another visit then
  readonly repeat?: Repeat
  readonly skip?: readonly number[]    // of a series: those that are left out, from 0
}

/** One time of a series. clash: whose other visit is then, or that the clock on the wall skips this time. */
export interface Planned { readonly starts: string; readonly ends: string; readonly clash?: 'host' | 'patient' | 'skipped' }

/** How a person is told of their appointments. */
export interface Reminders {
  readonly language: string; readonly timeZone: string
  readonly leads: readonly number[]    // minutes before: 1440, 60
  readonly email: string
  readonly mail: boolean               // this clinic sends e-mail
  readonly here: boolean               // this browser shows them
  readonly browsers: number            // that do
  readonly feed: boolean               // their calendar has an address
}

/** When a clinician may be booked, by the clock on the wall in the time zone. */
export interface Availability {
  readonly timeZone: string            // '' until they say when
  readonly weekly: readonly { readonly day: number; readonly from: string; readonly to: string }[] // day 0 is Sunday
  readonly length: number              // minutes
  readonly notice: number              // minutes before which patients must book, move or cancel
  readonly horizon: number             // days ahead; 0: patients do not book by themselves
}

/** One entry of a chart, opened and checked. */
export interface Item {
  readonly entry: ID
  readonly lock: ID
  readonly compartment: Compartment
  readonly seq: number                 // 0 until the server has it
  readonly kind: EntryKind
  readonly author: { readonly person: ID; readonly name: string; readonly roles: readonly Role[] }
  readonly time: string
  readonly type: string
  readonly title?: string
  readonly filename?: string
  readonly size: number
  readonly resources: readonly Resource[] // FHIR in it; [] for files
  readonly amends?: ID
  readonly retracts?: ID
  readonly amendedBy?: ID              // the newest entry that amends it
  readonly retractedBy?: ID
  readonly state: 'stored' | 'waiting' | 'sending' | 'refused' // waiting: sealed here, to be sent
  readonly problem?: ProblemCode       // why refused
}

/** What was written here and the server does not have yet, whether or not its chart is open. */
export interface Unsent {
  readonly entry: ID
  readonly chart: ID
  readonly kind: EntryKind
  readonly time: string
  readonly filename?: string
  readonly state: 'waiting' | 'sending' | 'refused'
  readonly problem?: ProblemCode       // why refused
}

/** Something that did not check. What it is about is not shown; everything else is. */
export interface Trouble {
  readonly code:
    | 'statement' | 'signature' | 'browser' | 'author' | 'hash' | 'sealed' | 'header' | 'body' | 'chain' | 'fork'
    | 'rollback' | 'card' | 'grant' | 'no-key' | 'epoch' | 'snapshot' | 'too-large'
  readonly lock: ID
  readonly seq?: number
  readonly entry?: ID
  readonly author?: ID                 // of a snapshot: who left it
  readonly authorName?: string
  readonly detail: string              // English, for the details and a report
}

/** What the server is told of an emergency; what happened is written into the chart. */
export const emergencyCodes = ['unconscious', 'life-threatening', 'other'] as const
export type EmergencyCode = (typeof emergencyCodes)[number]

/** A chart that a clinician opened in an emergency: for its patient, its readers and the officers. */
export interface Emergency {
  readonly chart: ID
  readonly owner: ID
  readonly ownerName: string
  readonly person: ID
  readonly name: string
  readonly code: EmergencyCode
  readonly began: string
  readonly until: string               // also of one that was ended sooner
  readonly seen: boolean               // this person said so in this browser
}

export interface OpenChart {
  readonly chart: ID
  readonly owner: ID
  readonly mine: boolean
  readonly compartments: readonly Compartment[] // those this person can read
  readonly writable: readonly Compartment[]
  readonly patient?: Resource          // the chart's Patient
  readonly items: readonly Item[]      // oldest first
  readonly troubles: readonly Trouble[]
  readonly due: boolean                // a new epoch is due and this client cannot make it
  readonly emergencies: readonly Emergency[] // newest first
  readonly loading?: { readonly done: number; readonly total: number }
}

export type Draft =
  | { readonly kind: 'note'; readonly title: string; readonly text: string; readonly amends?: ID; readonly visit?: ID }
  | { readonly kind: 'message'; readonly text: string; readonly inReplyTo?: ID }
  | { readonly kind: 'questionnaire' | 'consent' | 'record' | 'person' | 'appointment'; readonly resource: Resource; readonly amends?: ID }
  | { readonly kind: 'retraction'; readonly retracts: ID; readonly of: EntryKind; readonly reason: string }

export interface Member {
  readonly grant: ID
  readonly lock: ID
  readonly compartment?: Compartment
  readonly person?: ID
  readonly team?: ID                   // a lock
  readonly name: string
  readonly purpose: Purpose
  readonly until?: string
  readonly since: string
  readonly by: ID
  readonly byName: string
  readonly state: 'live' | 'expired' | 'removed'
  readonly ended?: string
}

export interface Look {
  readonly id: ID; readonly time: string; readonly person: ID; readonly name: string; readonly roles: readonly Role[]
  readonly action: string              // opened, wrote, shared, … keys of the words
  readonly allowed: boolean
  readonly count: number               // same person and action within the hour are one line
  readonly events: readonly ID[]       // of the record
}

/**
 * What the ledger says of one thing. by: organisations that agreed, of how many. late: it should have been agreed long ago. clinic: what
 * the clinic's log is registered as; named: the names are agreed too, and not only told.
 */
export type Proof =
  | { readonly state: 'none' | 'missing' } // this clinic has no ledger; it has one, and shows no proof
  | { readonly state: 'unchecked'; readonly since?: string } // it cannot be asked, or who would answer says nothing; since is when it last could
  | { readonly state: 'pending'; readonly late: boolean }
  | { readonly state: 'broken'; readonly fault: Fault }
  | { readonly state: 'agreed'; readonly time: string; readonly by: readonly string[]; readonly of: number; readonly detail: ProofDetail; readonly clinic?: string; readonly named: boolean }

/** For who wants to compare: leaf is the place in the log. */
export interface ProofDetail {
  readonly chain: string; readonly height: number
  readonly leaf?: number; readonly commitment?: string; readonly size?: number; readonly root?: string
}

/**
 * What is wrong with the history, for the person concerned. forked: it is not the one of before; shorter: it ends before what was seen;
 * strangers: others sign than those who are trusted; other-chain, other-log: another is shown; silent: none is; own-keys: someone
 * published keys in one's name; other-keys, other-people: the server shows another history of someone, or of who works here; gone: something that was seen is there no more;
 * stands-again: someone's access to a chart was taken back, and is shown as if it had not been; begun-again: part of the log was lost (lost of size things at the most), and it was begun again at a time; salt: what one was told hides what
 * is agreed of people's keys; long-away: others sign than those who did when one was here last, too long ago to take their word; unchecked: the
 * clinic's proofs could not be had for more than an hour, since a time; hidden: of the accesses that were agreed (size) some (lost) are not shown as they were written.
 */
export interface LedgerAlarm {
  readonly kind: 'forked' | 'shorter' | 'strangers' | 'other-chain' | 'other-log' | 'silent' | 'own-keys' | 'other-keys' | 'other-people' | 'gone' | 'stands-again' | 'begun-again' | 'salt' | 'long-away' | 'unchecked' | 'hidden'
  readonly person?: ID
  readonly time?: string
  readonly size?: number
  readonly lost?: number
  readonly organisations?: readonly string[]
}

/** What this browser knows of the ledger. Without organisations the clinic has none. */
export interface LedgerState {
  readonly checked: boolean
  readonly alarms: readonly LedgerAlarm[]
  readonly chain?: string
  readonly organisations?: readonly string[]
  readonly size?: number
  readonly unchecked?: string // the history cannot be checked now; when it last could, or '' if that is not known
  readonly begun?: string // when the log was begun again after a loss, last
}

/** Which release of the app this says it is. changed: file is not as in the list of its files; unknown: there is nothing to compare with. */
export type AppRelease =
  | { readonly state: 'recorded'; readonly sum: string; readonly number: number }
  | { readonly state: 'unrecorded'; readonly sum: string }
  | { readonly state: 'changed'; readonly sum: string; readonly file: string }
  | { readonly state: 'unknown'; readonly sum?: string }

/** A server, an app or firmware that is given out; wire.go says more. */
export interface LedgerRelease { readonly kind: 'server' | 'app' | 'firmware'; readonly number: number; readonly sum: string }
export interface ReleaseKeys { readonly needed: number; readonly keys: readonly string[] }

/** For officers; wire.go says what each is. */
export interface LedgerStatus {
  readonly chain?: {
    readonly chain: string; readonly height: number; readonly time?: string; readonly halted?: string; readonly reason?: string
    readonly members: readonly { readonly name: string; readonly power: number; readonly kind: string; readonly key: string; readonly self?: boolean; readonly connected: boolean; readonly address?: string }[]
    readonly votes?: readonly LedgerVote[]
    readonly faults?: readonly { readonly kind: string; readonly name: string; readonly height: number }[]
    readonly releases?: readonly LedgerRelease[]
    readonly releaseKeys?: ReleaseKeys
  }
  readonly log: { readonly size: number; readonly root: string }
  readonly agreed?: { readonly size: number; readonly root: string }
  readonly agreedAt?: string
  readonly waiting: number
  readonly since?: string
  readonly links: number
  readonly running?: readonly LedgerRelease[]
  readonly readOnly?: boolean
  readonly alarms: readonly { readonly kind: string; readonly since: string; readonly text: string }[]
  readonly record?: { readonly events: number; readonly whole: boolean; readonly problems?: readonly { readonly kind: string; readonly about?: string; readonly count: number; readonly first: number; readonly text: string }[] }
}

export interface LedgerVote {
  readonly subject: string; readonly kind: string; readonly member?: { readonly name: string; readonly address?: string }
  readonly height?: number; readonly version?: number; readonly releases?: ReleaseKeys; readonly yes: readonly string[]; readonly power: number; readonly needed: number; readonly mine?: boolean
}

export interface RecordEvent {
  readonly seq: number; readonly time: string; readonly person?: ID; readonly name?: string; readonly roles: readonly Role[]
  readonly action: string; readonly about?: string; readonly decision: 'allow' | 'deny' | 'done'
  readonly policies: readonly string[]; readonly outcome?: string
}

/** What changed; screens that show it ask again. */
export type Change =
  | { readonly what: 'chart'; readonly chart: ID }
  | { readonly what: 'charts' | 'people' | 'appointments' | 'sessions' | 'me' | 'unsent' | 'ledger' | 'touch' }
  | { readonly what: 'online'; readonly online: boolean }
  | { readonly what: 'ended'; readonly why: 'signed-out' | 'expired' | 'elsewhere' }

/** The server wants the person's passkey before it does what was asked. What asked waits, until it is given or refused. */
export interface Touch {
  readonly waiting: boolean            // for the passkey, now
  readonly failed: Problem | undefined // the last time
  give(): void
  refuse(): void
}

export interface Engine {
  clinic(): Promise<ClinicInfo>
  /** Called on each change, until the returned function is called. */
  watch(on: (change: Change) => void): () => void
  readonly me: Me | undefined
  readonly online: boolean
  /** What waits for the person's passkey, if anything does. */
  readonly touch: Touch | undefined

  // Coming in. passkeyHelp: what this device offers, to explain before asking.
  passkeys(): Promise<{ readonly webauthn: boolean; readonly platform: boolean; readonly prf: 'yes' | 'no' | 'unknown' }>
  openInvitation(link: string): Promise<Invitation>
  /** One touch. Resolves to the recovery code, to be shown and printed. */
  accept(link: string, about: About, passkeyName: string, progress: Progress): Promise<{ readonly code: string }>
  signIn(progress: Progress): Promise<void>
  /** 'ok' or what is wrong with a typed code, without the network. */
  checkCode(typed: string): 'ok' | 'short' | 'checksum'
  recover(code: string, passkeyName: string, progress: Progress): Promise<void>
  /** After a reload: true if the session could be taken up without a touch. */
  resume(): Promise<boolean>
  signOut(everywhere: boolean): Promise<void>

  // One's own account.
  myPasskeys(): Promise<readonly Passkey[]>
  addPasskey(name: string): Promise<void>
  renamePasskey(id: ID, name: string): Promise<void>
  removePasskey(id: ID): Promise<void>
  newCode(): Promise<{ readonly code: string }>
  /** New keys in place of those that this device holds. Other devices are signed out; resolves to the new recovery code. */
  changeKeys(): Promise<{ readonly code: string }>
  sessions(): Promise<readonly SessionInfo[]>
  endSession(id: ID): Promise<void>
  eraseMe(): Promise<void>

  // The clinic's people (as far as the caller may know them).
  people(): Promise<readonly Person[]>
  invite(who: About, roles: readonly Role[], byEmail: boolean): Promise<{ readonly link: string; readonly sent: boolean; readonly person: ID }>
  /** For a person whose keys are lost. */
  inviteAgain(person: ID, byEmail: boolean): Promise<{ readonly link: string; readonly sent: boolean }>
  withdraw(invitation: ID): Promise<void>
  endPerson(person: ID): Promise<void>
  setRoles(person: ID, roles: readonly Role[]): Promise<void>
  /** What waits for a second person or for time, as the signed history has it. */
  membership(): Promise<MembershipState>
  confirmMatter(person: ID, what: string, how: How): Promise<void>
  vetoMatter(person: ID, what: string): Promise<void>
  completeMatter(person: ID, what: string): Promise<void>
  /** Undoes an end of access or a change of roles; another must confirm it. */
  reinstate(person: ID, what: string): Promise<void>
  renamePerson(person: ID, given: string, family: string): Promise<void>
  /** How long new keys after a loss can be refused. Another must confirm it. */
  setVetoHours(hours: number): Promise<void>
  teams(): Promise<readonly Team[]>
  createTeam(name: string, members: readonly ID[]): Promise<ID>
  addToTeam(team: ID, person: ID): Promise<void>
  removeFromTeam(team: ID, person: ID): Promise<void>
  appointments(from: string, to: string): Promise<readonly Appointment[]>
  /** Opens a chart for what its visits are about, which appointments then say. */
  readReasons(chart: ID): Promise<void>
  book(a: NewAppointment): Promise<ID>
  plan(a: NewAppointment): Promise<readonly Planned[]>
  move(a: Appointment, start: string, end: string, overlap: boolean): Promise<void>
  cancel(a: Appointment, series: boolean): Promise<void>
  describe(a: Appointment, reason: string): Promise<void>
  /** Free times of a clinician, for who books within the clinic's rules. */
  slots(clinician: ID, from: string, to: string): Promise<{ readonly length: number; readonly starts: readonly string[] }>
  availability(clinician: ID): Promise<Availability>
  setAvailability(clinician: ID, a: Availability): Promise<void>
  reminders(): Promise<Reminders>
  setReminders(r: Pick<Reminders, 'language' | 'timeZone' | 'leads' | 'email'>): Promise<void>
  endReminders(): Promise<void>
  /** This browser shows them, or no longer. 'denied': the browser does not allow it. */
  showReminders(on: boolean): Promise<'ok' | 'denied'>
  /** A secret address for a calendar; an earlier one ends. */
  makeFeed(language: string): Promise<string>
  endFeed(): Promise<void>

  /** The door of a visit by video, for the call (visit/call.ts). */
  visitDoor(visit: ID): Promise<Door>

  // Charts.
  charts(): Promise<readonly { readonly chart: ID; readonly owner: ID; readonly name: string; readonly purpose: Purpose; readonly due: boolean; readonly news: number; readonly emergencies: readonly Emergency[] }[]>
  /** Resolves when readable; watch() says when it grew. */
  open(chart: ID, progress: Progress): Promise<OpenChart>
  /** What is open now, without asking anyone. */
  opened(chart: ID): OpenChart | undefined
  /** from: the names of the drafts that it was written in, which are dropped once it cannot be lost. */
  write(chart: ID, compartment: Compartment, draft: Draft, from?: readonly string[]): Promise<ID>
  addFile(chart: ID, compartment: Compartment, file: File, progress: Progress, signal?: AbortSignal): Promise<ID>
  importFHIR(chart: ID, compartment: Compartment, file: File, progress: Progress): Promise<{ readonly resources: number }>
  file(chart: ID, entry: ID, progress: Progress): Promise<Blob>
  /** What was begun and not sent, as it was kept, sealed, in this browser. Its name begins with the chart's id and a slash. */
  draft(name: string): unknown
  /** Keeps a draft (anything that is JSON) soon, or drops it if it is undefined, when it was sent: that is done on return. */
  keepDraft(name: string, value: unknown): Promise<void>
  unsent(): Promise<readonly Unsent[]>
  tryAgain(entry: ID): Promise<void>
  discard(entry: ID): Promise<void>
  markSeen(chart: ID): void
  members(chart: ID): Promise<readonly Member[]>
  share(chart: ID, to: { readonly person: ID } | { readonly team: ID }, compartments: readonly Compartment[], purpose: Purpose, until?: string, introduced?: Introduction): Promise<void>
  /** A link by which the person introduces themselves to someone they look after. */
  introduction(): Promise<string>
  unshare(chart: ID, grants: readonly ID[]): Promise<void>
  /** Opens a chart that is not shared, or all of one of which a part is, for an hour. The reason is written into it, under a title. */
  breakGlass(chart: ID, code: EmergencyCode, title: string, reason: string): Promise<void>
  endEmergency(chart: ID): Promise<void>
  markEmergenciesSeen(chart: ID): void
  /** Those of the whole clinic, for officers. */
  emergencies(): Promise<readonly Emergency[]>
  looks(chart: ID, before?: ID): Promise<{ readonly looks: readonly Look[]; readonly more: boolean }>
  /** The ledger's proofs of events of the record, about a chart. */
  lookProofs(chart: ID, events: readonly ID[]): Promise<readonly Proof[]>
  entryProof(chart: ID, entry: ID): Promise<Proof>
  cardProof(person: ID): Promise<Proof>
  /** Since when somebody's keys are new, and who vouched for them; nothing while they have their first. */
  newKeysOf(person: ID): Promise<Pick<Person, 'keysSince' | 'keysBy'>>
  readonly ledger: LedgerState | undefined
  /** After an alarm: takes the history as it is shown now for the one to go on from. */
  acceptLedger(): Promise<void>
  eraseChart(chart: ID): Promise<void>
  /** A zip of the export folder. */
  takeEverything(progress: Progress): Promise<Blob>

  // For the security and data protection officers.
  record(after: number): Promise<{ readonly events: readonly RecordEvent[]; readonly more: boolean }>
  recordState(): Promise<{ readonly events: number; readonly whole: boolean; readonly problems?: readonly { readonly kind: string; readonly about?: string; readonly count: number; readonly first: number }[] }>
  ledgerStatus(): Promise<LedgerStatus>
  /** Which release this app says it is. */
  appRelease(): Promise<AppRelease>
  castLedgerVote(subject: string, yes: boolean): Promise<void>
}
