// English, the source of all words. Others `satisfies Words`, so that a missing line does not compile.

import { chart } from './chart/en.ts'
import type { ProblemCode, Role } from '../engine/types.ts'

const plural = (n: number, one: string, other: string): string => (new Intl.PluralRules('en').select(n) === 'one' ? one : other).replace('#', String(n))

export const en = {
  appName: 'Ward', skip: 'Skip to content', close: 'Close', cancel: 'Cancel', back: 'Back', next: 'Continue', done: 'Done', save: 'Save', remove: 'Remove', add: 'Add', tryAgain: 'Try again',
  details: 'Details', copy: 'Copy', copied: 'Copied', print: 'Print', loading: 'Loading…', search: 'Search', yes: 'Yes', no: 'No', optional: 'optional', you: 'you', unnamed: 'Name not shared with you',
  roles: { patient: 'Patient', proxy: 'Carer', clinician: 'Clinician', frontdesk: 'Front desk', security: 'Security officer', privacy: 'Data protection officer', admin: 'Administrator' } as Record<Role, string>,
  nav: { main: 'Main', home: 'Home', chart: 'My chart', messages: 'Messages', people: 'People', teams: 'Teams', calendar: 'Appointments', record: 'Record', settings: 'Settings', signOut: 'Sign out' },
  offline: 'No connection. What you write is kept sealed on this device and sent later.',
  unsent: (n: number) => plural(n, '# thing you wrote waits to be sent', '# things you wrote wait to be sent'),
  steps: {
    opening: 'Opening', passkey: 'Waiting for your passkey', keys: 'Making your keys', sealing: 'Sealing', unlocking: 'Unlocking', reading: 'Reading and checking', sending: 'Sending', fetching: 'Fetching',
    exporting: 'Packing and checking', done: 'Done',
  } as Record<string, string>,
  problems: {
    invalid: ['That could not be accepted.', 'Please check what you entered and try again.'],
    unauthenticated: ['You have been signed out.', 'Sign in again to go on. Nothing you wrote is lost.'],
    refused: ['You may not do this.', 'The clinic’s rules do not allow it. If you think they should, ask the clinic.'],
    missing: ['This is not here.', 'It may have been removed, or it is not shared with you.'],
    conflict: ['Someone changed this at the same moment.', 'Try again; you will see the newest state.'],
    gone: ['This has ended.', 'The link was used or is too old. Ask the clinic for a new one.'],
    too_large: ['This is too large.', 'Files may be up to 1 GB.'],
    too_many: ['That was too fast.', 'Wait a few seconds and try again.'],
    internal: ['Something went wrong.', 'It is not your fault. Try again in a moment.'],
    unavailable: ['The clinic’s server is not answering.', 'Try again in a moment.'],
    offline: ['There is no connection.', 'Check your network. What you wrote is safe on this device.'],
    'no-webauthn': ['This browser cannot use passkeys.', 'Please use a current version of Chrome, Edge, Safari or Firefox.'],
    'no-prf': ['This passkey can sign in, but it cannot unlock your records.', 'Use another one: the passkey of a recent phone (choose “use a phone” and scan the code), the built-in one of a current computer, or a security key with a PIN.'],
    cancelled: ['That was stopped.', 'Nothing was changed. Try again when you are ready.'],
    'bad-link': ['This link is not complete.', 'Open the whole link from your letter, or paste it here.'],
    'bad-code': ['The code has a typing mistake.', 'Compare each group of four with your printed code.'],
    'wrong-code': ['This code opens no account here.', 'If you made a newer code, use that one. Otherwise ask the clinic.'],
    keyring: ['Your keys could not be opened.', 'Try another passkey or your recovery code.'],
    tampered: ['Something here is not what it should be.', 'What the server showed does not match its signatures, so it is not shown. Please tell the clinic.'],
    'not-fhir': ['This file is not a health record we can read.', 'Choose a FHIR file (JSON or NDJSON) from your other clinic.'],
    storage: ['This device has no room left.', 'Free some space, then try again.'],
  } as Record<ProblemCode, readonly [string, string]>,
  welcome: {
    title: 'Your clinic, for your eyes only', lead: 'Charts, messages and files here are sealed on your own device. Not even the people who run the server can read them.', signIn: 'Sign in', oneTouch: 'One touch with your face, finger or PIN.',
    recover: 'I lost my device', haveLink: 'I have an invitation', pasteLink: 'Paste your invitation link', open: 'Open', signedOut: 'You are signed out.', expired: 'You were signed out because this device was quiet for a while.', elsewhere: 'You signed out in another window.',
  },
  join: {
    title: (clinic: string) => `Welcome to ${clinic}`, recoverTitle: 'Welcome back', foundTitle: 'Begin your clinic', lead: 'You have been invited as', checking: 'Opening your invitation',
    promise: ['Only you, and the people you share with, can read what is in your chart.', 'There is no password. Your face, finger or PIN opens it.', 'You can see who looked, take everything with you, and leave.'],
    staffPromise: ['You see only what people share with your team.', 'There is no password. Your face, finger or PIN signs you in.', 'Every look at a chart is on the record, and patients see it.'],
    about: 'About you', aboutHint: 'Your name is sealed too: only the clinic’s team can read it.', given: 'First name', family: 'Last name', birthDate: 'Date of birth', phone: 'Phone', consentTitle: 'How we care for your data', consentAgree: 'I have read this and agree',
    consentText: 'The clinic keeps your health record sealed so that only you and the care team you share it with can read it. Clinicians on your care team read and write in your chart to treat you. In an emergency a clinician may open the general part; you are told at once. You can change who may read it, see who looked, take a copy, and ask for everything to be erased at any time. The law may ask clinics to keep some records longer.',
    consentVersion: '2026-11', device: 'Name this device', deviceHint: 'So that you recognise it later, such as “My phone”.', deviceDefault: 'My device', makePasskey: 'Make my passkey', passkeyHint: 'Your device will ask for your face, finger or PIN.',
    codeTitle: 'Keep your recovery code', codeLead: 'If you lose all your devices, this code is the only way in without the clinic’s help. Print it or write it down, and keep it where you keep important papers. Do not send it to anyone, not even to us.', codeKept: 'I have printed it or written it down',
    codeGroups: 'Recovery code', finish: 'Go to my space', codePrintTitle: 'Ward recovery code', codePrintHint: 'To use it: open the clinic’s page, choose “I lost my device”, and type these seven groups.', pendingTitle: 'One more step', pendingText: 'The clinic must confirm that it is you. They will do so when they see you have joined; then your chart opens again.',
  },
  recovery: { title: 'Open with your recovery code', lead: 'Type the seven groups from your printed code. Capitals, spaces and hyphens do not matter.', label: 'Recovery code', ok: 'The code is complete.', short: 'Go on: seven groups of four.', checksum: 'Something is mistyped. Compare each group.', open: 'Open and add this device', noCode: 'I have no code', noCodeText: 'Ask your clinic. After checking who you are, they send you a new invitation and share your chart with you again.', fromLink: 'Your code was in the link. One touch adds this device.' },
  home: {
    hello: (name: string) => `Hello, ${name}`, nextTitle: 'What is next', nextNone: 'You have no appointment planned.', newTitle: 'What is new', newNone: 'Nothing new since you last looked.', newIn: (n: number) => plural(n, '# new entry in your chart', '# new entries in your chart'),
    openChart: 'Open my chart', openChartHint: 'Problems, medicines, results', write: 'Write to my team', writeHint: 'Only your care team can read it', addFile: 'Send a file', addFileHint: 'Photos, letters, up to 1 GB', looked: 'Who looked', lookedHint: 'See everyone who opened your chart', caring: 'People you care for', caringNone: 'Nobody has shared a chart with you yet.',
    today: 'Today', todayNone: 'Nobody is booked today.', charts: 'Charts', chartsNone: 'No chart is shared with you yet. When a patient joins, their chart appears here.', find: 'Find by name', findNone: 'Nobody of that name.', desk: 'Front desk', invite: 'Invite someone', inviteHint: 'A link, by e-mail or in person', findPatient: 'Find a patient', book: 'Book an appointment', waiting: 'Invited, not here yet', due: 'A new key is due', news: (n: number) => `${n} new`, born: (date: string) => `born ${date}`,
  },
  people: {
    title: 'People', invite: 'Invite someone', asWhom: 'Who is this?', birthDate: 'Date of birth', email: 'E-mail', byEmail: 'Send the link by e-mail', byEmailHint: 'The letter names no person and nothing about health. The mail server sees the link.', make: 'Make the link', linkTitle: 'The invitation is ready', linkLead: (name: string) => `Give this link to ${name}, in person if you can. It works once, for two weeks, for whoever opens it first.`, linkSent: 'The letter is on its way. You can also show the link here.', qr: 'QR code of the link',
    states: { active: 'Active', pending: 'To be confirmed', ended: 'Ended', invited: 'Invited' }, checked: 'Checked', uncheckedHint: 'Not yet checked against the invitation', until: (date: string) => `until ${date}`, withdraw: 'Withdraw', again: 'New link after lost keys', end: 'End access', endTitle: (name: string) => `End access for ${name}?`, endText: 'They are signed out everywhere at once. Charts they could read get a new key.', editRoles: 'Change roles', openChart: 'Open chart', writeChart: 'Write to chart', none: 'Nobody here yet.', rolesTitle: (name: string) => `Roles of ${name}`, noEmail: 'No mail server is set up here, so give the link yourself.', directoryWait: 'Names appear once a colleague’s device has shared the directory with you. This happens when they are next online.',
  },
  teams: { title: 'Teams', lead: 'Share a chart with a team once, not with every person on it.', name: 'Name of the team', create: 'Make a team', members: (n: number) => plural(n, '# member', '# members'), addMember: 'Add someone', leave: 'Take off', none: 'No teams yet.', clinicians: 'All clinicians', notMine: 'You are not on this team.' },
  calendar: { title: 'Appointments', book: 'Book', patient: 'Patient', with: 'With', day: 'Day', time: 'Time', length: 'Length', minutes: (n: number) => plural(n, '# minute', '# minutes'), none: 'No appointments.', cancel: 'Cancel appointment', arrived: 'Has arrived', statuses: { booked: 'Booked', cancelled: 'Cancelled', fulfilled: 'Done', arrived: 'Here', noshow: 'Did not come' }, withName: (name: string) => `with ${name}`, choose: 'Choose…', private: 'What it is about belongs in the chart, not here.', past: 'Earlier', upcoming: 'Coming up' },
  record: {
    title: 'The record', lead: 'Every request, decided and written down. It holds who and what kind, never what a chart says.', whole: (n: string) => `The record is whole: ${n} events fit together.`, broken: (n: string) => `The record is broken at event ${n}. Someone changed it outside Ward.`, check: 'Check the whole record', all: 'All', denied: 'Refused', older: 'Show older', time: 'When', who: 'Who', what: 'What', decision: 'Decision', policies: 'Rules', allow: 'allowed', deny: 'refused', done: 'done', none: 'No such events.', visitor: 'someone not signed in',
    actions: {
      readSelf: 'read their own account', writeSelf: 'changed their own account', listLocks: 'listed what they may open', listCharts: 'listed charts', readLock: 'opened keys', readKeys: 'read public keys', readEntries: 'read entries', readMembers: 'looked at who may read', writeEntry: 'wrote', grant: 'shared', revoke: 'took back a share', turnLock: 'changed a key', findChart: 'looked up a chart', readLooks: 'looked at who looked', breakGlass: 'opened in an emergency', eraseChart: 'erased a chart', eraseSelf: 'erased themselves', invite: 'made an invitation', invited: 'invited someone', joined: 'joined', found: 'began the clinic', listPeople: 'listed people', listInvitations: 'listed invitations', readCards: 'read someone’s public keys', manageRoles: 'changed roles', 'changed-roles': 'changed roles', vouch: 'confirmed someone', vouched: 'confirmed someone', endPerson: 'ended someone’s access', ended: 'ended someone’s access', createTeam: 'made a team', readRecord: 'read the record', 'signed-in': 'signed in', recovered: 'used a recovery code', 'opened-recovery': 'opened with a recovery code', 'changed-recovery': 'made a new recovery code', 'added-passkey': 'added a passkey', 'removed-passkey': 'removed a passkey', 'refused-proof': 'sent a proof that does not hold',
    } as Record<string, string>,
  },
  settings: {
    title: 'Settings', account: 'Your account', passkeys: 'Passkeys', passkeysLead: 'Each opens your space. Add one on a second device, so that losing one is no trouble.', synced: 'backed up', addPasskey: 'Add a passkey', passkeyName: 'Name', rename: 'Rename', lastUsed: (date: string) => `last used ${date}`, made: (date: string) => `made ${date}`, newCode: 'Make a new recovery code', newCodeText: 'Your old code stops working at once.', sessions: 'Where you are signed in', thisDevice: 'this device', end: 'Sign out', everywhere: 'Sign out everywhere', unknownAgent: 'A browser', since: (date: string) => `since ${date}`,
    look: 'Language and display', language: 'Language', theme: 'Light or dark', themes: { auto: 'As the device', light: 'Light', dark: 'Dark' }, size: 'Text size', sizes: { normal: 'Normal', large: 'Large', larger: 'Larger' }, contrast: 'Contrast', contrasts: { normal: 'Normal', more: 'More' }, motion: 'Motion', motions: { auto: 'As the device', less: 'Less' },
    take: 'Take everything with me', takeText: 'One file with your whole chart, its keys and who looked. It opens with free software and your recovery code, without us.', takeStart: 'Pack everything', takeReady: 'Your file is ready.', takeSave: 'Save the file',
    erase: 'Erase me', eraseText: 'Your chart, messages, files and account are removed from the clinic’s server. Nobody can bring them back, also not we. Copies you took stay yours; what others wrote down elsewhere stays there.', eraseCheck: 'I understand that this cannot be undone', eraseType: 'Type ERASE to go on', eraseWord: 'ERASE', eraseButton: 'Erase everything', erasedTitle: 'You have been erased', erasedText: 'Nothing of yours is left to read here. We wish you well.', signedIn: 'Signed in as', sessionEnds: (date: string) => `You will be signed out at the latest on ${date}.`,
  },
  notFound: { title: 'There is nothing here', text: 'The address may be mistyped.', home: 'Go home' },
  chart,
}

export type Words = typeof en
