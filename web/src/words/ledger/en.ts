// The words of the ledger, in English: proofs, what is wrong with a history, and the officers' page. es.ts and ar.ts
// have the same lines.

import type { LedgerAlarm } from '../../engine/types.ts'

const plural = (n: number, one: string, other: string): string => (n === 1 ? one : other).replace('#', new Intl.NumberFormat('en').format(n))

export const ledger = {
  proof: {
    agreed: (clinic: string, by: string, of: string, time: string) => `Recorded by ${clinic}, agreed by ${by} of ${of} organisations, ${time}`,
    alone: (clinic: string, time: string) => `Recorded and kept by ${clinic} alone, ${time}`,
    pending: 'Recorded. Will be agreed shortly.', late: 'Recorded, and not agreed for more than an hour. It will be when the organisations reach each other again.',
    checking: 'Checking the proof…', none: 'This clinic keeps no proofs of its record yet.', neverChecked: 'Not checked: the clinic’s server shows no proof. Whether this is true, nobody can tell until it does.', uncheckedSince: (time: string) => `Not checked since ${time}: the clinic’s server shows no proof. Whether this is true, nobody can tell until it does.`,
    missing: 'There is no proof for this', missingText: 'The clinic’s server shows it and cannot show that it was recorded. It may have been added or changed behind the clinic’s back. Ask the clinic about it.',
    broken: 'This was changed after it was recorded', brokenText: 'What is shown here is not what the organisations agreed on. Do not rely on it. Tell the clinic.',
    strangers: 'This proof is not signed by those you trust', strangersText: 'Someone may be showing you a made-up history. Do not rely on it. Tell the clinic.',
    show: 'Show the proof', how: 'Your device checked this by itself: it follows from what is shown here to the signatures of these organisations, and any change on the way would show.',
    aloneHow: 'Only this clinic signs its history. Your device notices if what it has seen changes later. That nobody rewrote it before you looked, only other organisations could show.',
    signers: 'Signed by', time: 'When', place: 'Place in the clinic’s log', placeOf: (n: string, of: string) => `${n} of ${of}`, leaf: 'Fingerprint of this', root: 'Fingerprint of the log', block: 'Block', blockOf: (height: string, chain: string) => `${height} of ${chain}`,
    unnamed: '(by the names that this clinic’s server tells; they are not agreed on)', begun: 'Log begun again', begunText: 'The clinic had lost part of its log. What was agreed before and is still here was agreed once more.',
    app: 'This app', appIs: { recorded: (n: string) => `Release ${n}, as the organisations recorded it`, unrecorded: () => 'Not a release that the organisations recorded', changed: () => 'Not what the list of its parts says. If the clinic has just upgraded, load the page again', unknown: () => 'There is nothing to compare it with' }, appHow: 'The app says this of itself. It shows a mistake; an app that someone changed on purpose could say anything.',
    card: 'These keys', cardLead: 'Nobody can put other keys in this person’s name unnoticed:', ownCard: 'Your keys', ownCardText: 'Whoever could put other keys in your name could read what is meant for you. The organisations keep your keys’ fingerprint, and your device compares it each time you sign in.',
    cardMissing: 'There is no proof for these keys', cardBroken: 'These are not the keys that were agreed on', cardBrokenText: 'Share nothing with this person until the clinic has explained it. Call them, or the clinic, to compare.',
  },
  alarm: {
    forked: ['The clinic’s history was changed', 'It is not the history that this device has seen before: something in it was altered, or taken out. Write down the time, and ask the clinic’s data protection officer what happened.'],
    shorter: ['Part of the clinic’s history is missing', 'It ends before what this device has already seen, as if an old copy was put back. Ask the clinic’s data protection officer what happened, and look whether what you wrote lately is still there.'],
    strangers: ['Others sign the clinic’s history than those you trust', 'Nobody whom you trust said so. It may be a made-up history. Tell the clinic.'],
    'other-chain': ['The clinic shows another ledger', 'It is not the one you joined with. Ask the clinic whether it moved, before you go on.'],
    'other-log': ['The clinic shows another log', 'It is not the one you joined with. Ask the clinic’s data protection officer what happened.'],
    silent: ['The clinic’s proofs are gone', 'It used to show proofs that its history is whole, and shows none now. Ask the clinic why.'],
    'own-keys': ['Someone published keys in your name', 'They are not yours. Until this is explained, what people seal to you may reach someone else. Call the clinic now.'],
    'other-keys': ['The server shows wrong keys of someone', 'They are not the keys that the organisations agreed on, so nothing was shared with them. Tell the clinic.'],
    'other-people': ['The server shows another list of who works here', 'It is not the one that the organisations agreed on, so nothing is shared with anyone. Tell the clinic.'],
    'stands-again': ['Someone who was taken off a chart can open it again', 'Their access had been taken back, and the clinic’s server shows it as if it had not been. Take it back once more, and ask the clinic’s data protection officer what happened.'],
    'begun-again': ['The clinic lost part of its history', 'It said so, and began its log again with what it still has. Look whether what you wrote lately is still there, and ask the clinic what happened, before you go on.'],
    salt: ['The clinic hides what was agreed of people’s keys', 'What it told this device does not fit what the organisations agreed on, so people’s keys cannot be compared. Share nothing with anyone new, and ask the clinic’s data protection officer.'],
    'long-away': ['Other organisations sign the clinic’s history than when you were last here', 'That was more than a month ago, and your device no longer takes the word of those who signed then. It may be right: ask the clinic, by telephone, who signs its history now, and compare.'],
    hidden: ['Not everything that was recorded is shown to you', 'The organisations agreed on more than the clinic’s server shows, or it shows something otherwise than it was written. Someone may be hiding who looked. Ask the clinic’s data protection officer what happened.'],
    unchecked: ['The clinic’s proofs cannot be had', 'For more than an hour your device could not check the clinic’s history. The network may be to blame, or someone may not want it checked. Ask the clinic.'],
    gone: ['Something you have seen is gone', 'It was in the list of who looked, and is not there any more. Such a line is never removed while the chart exists. Ask the clinic’s data protection officer what happened.'],
  } as Record<LedgerAlarm['kind'], readonly [string, string]>,
  uncheckedAt: (time: string) => `It was checked last on ${time}.`, goneAt: (time: string) => `It was of ${time}.`, wasAt: (time: string) => `That was on ${time}.`, lost: (lost: string, of: string) => `Of ${of} recorded things, up to ${lost} are lost.`, signNow: (names: string) => `These are said to sign now: ${names}.`, goOn: 'Go on from the history as it is now', goOnText: 'Only after the clinic has explained it. This device then forgets what it saw before.', goOnTitle: 'Take the history as it is now?',
  page: {
    nav: 'Ledger', title: 'The ledger', lead: 'Who agrees on this clinic’s history, how far they are, and what is to be decided.',
    whole: 'The history is whole', wholeText: (time: string, n: string) => `Agreed by ${n} organisations, ${time}.`, wholeAlone: (time: string) => `Kept by this clinic alone, ${time}.`,
    waiting: (n: number) => plural(n, '# thing waits to be agreed', '# things wait to be agreed'), waitingText: 'This is usual for a moment. Work goes on meanwhile, and nothing is lost.',
    stopped: (since: string) => `The ledger has stopped at this clinic since ${since}`, stoppedText: 'Work goes on; what is recorded will be agreed when it runs again, which it tries by itself. Whoever runs the server must look:',
    halted: (since: string) => `The organisations have not agreed on anything since ${since}`, haltedText: 'More than a third of them cannot be reached. Work goes on; what is recorded will be agreed when they are back.',
    wrong: 'Something is wrong with the history', none: 'This clinic has no ledger', noneText: 'Its record is kept, and nobody else can vouch for it. Whoever runs the server can turn the ledger on.',
    readOnly: 'Nothing is sent to the other organisations until this is explained.', since: (time: string) => `since ${time}`,
    alarms: { record: 'The record does not fit together', forked: 'The log kept here is not the one that was agreed', shorter: 'The log kept here ends before what was agreed', line: 'Someone’s keys are not those that were agreed', halted: 'The organisations do not agree', fault: 'An organisation signed two histories', clock: 'An organisation’s clock is wrong' } as Record<string, string>,
    drawing: (agreed: string, waiting: string, here: string, of: string) => `The clinic’s log: ${agreed} things agreed, ${waiting} waiting. ${here} of ${of} organisations are connected.`, drawingBroken: 'The log is broken.',
    members: 'Organisations', connected: 'Connected', away: 'Not connected', self: 'this clinic', power: (n: string) => `weight ${n}`, alone: 'This clinic is alone. With others, nobody can rewrite the history without them: see “Running a ledger together” in the documentation.',
    votes: 'To be decided', votesNone: 'Nothing is to be decided.', vote: { join: (name: string) => `${name} wants to join`, leave: (name: string) => `${name} is to leave`, power: (name: string) => `The weight of ${name} is to change`, upgrade: (name: string) => `New version, from block ${name}` } as Record<string, (name: string) => string>,
    yes: (names: string) => `In favour: ${names}`, yesNone: 'Nobody is in favour yet.', needed: (have: string, need: string) => `${have} of ${need} votes needed`, voteYes: 'Vote for it', voteNo: 'Take back my vote', voteTitle: (what: string) => `Vote for it: ${what}?`, voteText: 'The other organisations see your vote. Check first, by a call, that it is what was agreed between you.',
    releases: 'Programs in use', releasesLead: 'The organisations can record which programs are theirs, so that a changed one shows.', program: { server: 'Server', app: 'App', firmware: 'Devices’ programs' }, release: (n: string) => `release ${n}`, newest: (n: string) => `${n} is the newest`, unrecorded: 'not recorded', noKeys: 'No releases are recorded here.', signedBy: (n: string, of: string) => `Keys that must sign a release: ${n} of ${of}`,
    facts: 'In numbers', agreed: 'Agreed', agreedAt: 'Agreed last', log: 'Kept here', behind: 'Waiting', links: 'Keys on their way', height: 'Block', chain: 'Name of the ledger', root: 'Fingerprint',
  },
}

export type LedgerWords = typeof ledger
