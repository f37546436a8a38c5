// The words of visits, in English: the call itself, booking one, what comes before and after, and guests. es.ts and
// ar.ts have the same lines.

export const visit = {
  call: {
    title: 'Visit', with: (name: string) => `Visit with ${name}`, when: (day: string, from: string, to: string) => `${day}, ${from} to ${to}`,
    enter: 'Go to the waiting room', open: 'Open the visit', back: 'Go back in', home: 'Go home',
    private: 'Only the people in this visit can see and hear it. The clinic’s server passes it on sealed.', notRecorded: 'Nothing is recorded.',
    arriving: 'Knocking at the door…', joining: 'Exchanging keys…', connecting: 'Connecting sound and picture…',
    tooEarly: 'This visit is not yet.', tooEarlyText: 'You can come to the door from two hours before it starts.',
    waitTitle: 'You are in the waiting room', waitText: (name: string) => `${name} can see that you are here, and will let you in.`, waitStay: 'Keep this page open. You will see and hear when it begins.',
    waitLate: (name: string, minutes: string) => `${name} is running about ${minutes} minutes late, and has not forgotten you.`, waitSince: (minutes: string) => `waiting for ${minutes} min`, waitNow: 'just came',
    preview: 'How others will see you', previewOff: 'Your camera is off', ready: 'Camera and microphone are only used once you go in.',
    knocks: (name: string) => `${name} is at the door`, door: 'At the door', doorNone: 'Nobody is waiting.', admit: 'Let in', admitName: (name: string) => `Let in: ${name}`, tell: 'Send a message', tellText: 'They see it at once, and it stays in the chart.',
    late: 'I am running late', lateText: 'Whoever waits is told.', lateBy: (minutes: string) => `${minutes} min late`, lateNone: 'On time',
    here: 'In the visit', you: 'you', hostMark: 'Clinician', by: (name: string) => `invited by ${name}`, unknown: 'Someone whose name is not shared with you',
    came: (name: string) => `${name} came in`, went: (name: string) => `${name} left`,
    remove: 'Take out', removeTitle: (name: string) => `Take ${name} out of the visit?`, removeText: 'They are out at once, and cannot come back to this visit.',
    mute: 'Mute', unmute: 'Unmute', cameraOn: 'Camera on', cameraOff: 'Camera off', share: 'Share screen', unshare: 'Stop sharing', people: 'People', chat: 'Chat', note: 'Note', chart: 'Chart', devices: 'Devices', small: 'Small window',
    leave: 'Leave', end: 'End visit', endTitle: 'End the visit for everyone?', endText: 'The keys of the visit are forgotten, and nobody can come back in. The note and the summary come next.', endStay: 'Only leave, others stay',
    controls: 'Controls', stage: 'People in the visit', panel: 'Beside the visit', closePanel: 'Close', more: 'More',
    muted: 'muted', cameraIsOff: 'camera off', opening: 'Opening the sealed picture…', sharing: (name: string) => `${name}’s screen`, mySharing: 'Your screen is shared', alone: 'You are alone in the visit', aloneText: 'Others appear here when they come in.',
    quality: { good: 'Good connection', weak: 'Weak connection', lost: 'Connection lost', unknown: 'Measuring the connection' }, reconnecting: 'The connection broke. Coming back by itself…',
    weak: 'Your connection is weak. Without your picture the sound stays clear.', weakDo: 'Turn my camera off',
    soundBlocked: 'Your browser waits for a touch before it plays sound.', soundPlay: 'Play sound',
    trouble: {
      denied: ['The browser may not use it', 'Press the sign beside the address, allow it for this page, and try again.'], missing: ['None was found', 'Plug one in, or choose another under Devices.'],
      busy: ['Another program is using it', 'Close other video calls and try again.'], failed: ['It did not start', 'Try again. If that does not help, restart the browser.'],
    } satisfies Record<string, readonly [string, string]>, noCamera: 'No camera', noMicrophone: 'No microphone',
    sealed: 'Sealed', sealedText: 'Picture, sound and chat are sealed between the people you see here.', codeTitle: 'Make sure that nobody sits between', codeText: 'Everyone in this visit sees the same numbers and the same picture. To be sure, read two or three groups aloud. If they differ, leave and tell the clinic.',
    codeWhen: 'The code is new whenever someone comes or goes.', codeLabel: 'The code of this visit', pictureLabel: 'The same code, drawn. Compare the numbers if you cannot compare pictures.',
    stranger: 'Someone is connected who was not let in', strangerText: 'They cannot see or hear anything: they have no key. Whoever runs the server let them connect. You may go on, or leave and tell the clinic.',
    stopped: 'Picture and sound were stopped', doubt: {
      form: (who: string) => `${who} could not show who they are.`, 'other-visit': (who: string) => `${who} showed a pass for another visit.`, key: (who: string) => `The key of ${who} is not the one they signed for.`,
      browser: (who: string) => `${who} came from a device that they never confirmed.`, card: (who: string) => `The keys shown for ${who} are not the ones that are known.`, 'not-admitted': (who: string) => `${who} tried to come in without being let in.`, expired: (who: string) => `The pass of ${who} has expired.`,
    }, someone: 'Someone', stoppedWait: 'The clinician can begin again without them. Wait here, or call the clinic.', stoppedHost: 'You can begin again: everyone whom you let in comes back, with new keys, and nobody else.', beginAgain: 'Begin again without them',
    chatNone: 'Nothing was written yet', chatHint: 'What is written here is sealed, and is kept in the chart.', chatGuest: 'What is written here is sealed between the people in the visit.', write: 'Write to everyone here', send: 'Send', notSent: 'not sent', addFile: 'Add a file', fileAdded: (name: string) => `added a file to the chart: ${name}`, said: (name: string) => `${name} wrote in the chat`,
    over: { left: ['You left the visit', 'It goes on. You can go back in.'], removed: ['You were taken out of this visit', 'Ask the clinic if you do not know why.'], ended: ['The visit has ended', 'Its keys are forgotten. What was written is in the chart.'], elsewhere: ['You are in this visit in another window', 'Picture and sound are there now.'] } satisfies Record<string, readonly [string, string]>,
    cannot: 'This browser cannot seal a visit', cannotText: 'Ward never shows a visit that is not sealed, so you cannot join with it. Use a current Chrome, Edge, Firefox or Safari, or your phone.',
    camera: 'Camera', microphone: 'Microphone', speaker: 'Speaker', deviceUsual: 'As the device chooses', keys: 'Alt+M mutes, Alt+V switches the camera.', swap: 'Show me larger or smaller', elapsed: 'Time in the visit',
    hostSays: (name: string) => `${name} writes`, chartOf: 'From the chart',
    mini: 'Visit goes on', miniBack: 'Back to the visit',
  },
  background: {
    title: 'Behind you', none: 'Your room as it is', blur: 'Blurred', room: 'A drawn room', preparing: 'Preparing the picture. Until then others see a drawn figure.',
    hint: 'Your picture is changed on this device before it is sealed. Other people in the room may still be seen.', cannot: 'This browser cannot change what is behind you. A plain wall helps.',
    failed: {
      slow: ['Your camera is off: this device is too slow to change what is behind you', 'Your room is not shown. You can turn the camera on with your room as it is, or go on with sound.'],
      broken: ['Your camera is off: what is behind you could not be changed', 'Your room is not shown. Try once more, or turn the camera on with your room as it is.'],
    } satisfies Record<string, readonly [string, string]>, again: 'Try once more', plain: 'Turn on and show my room',
  },
  booking: {},
  care: {},
  guests: {
    roles: { interpreter: 'Interpreter', family: 'Family or friend', clinician: 'Another clinician', other: 'Guest' },
    invite: 'Invite a guest', inviteText: 'An interpreter, someone close or another clinician can join without an account. They wait at the door until the clinician lets them in, and everyone sees who they are.',
    who: 'Who joins?', make: 'Make a link', linkTitle: 'The link for your guest', linkText: 'Send it to them alone. It opens this visit once, in the first browser that uses it, and is not shown again.', link: 'Link', copy: 'Copy the link', share: 'Send it on', done: 'Done',
    waits: 'A link that nobody used yet', close: 'Close this link', shareText: 'Your link to a visit by video',
    checking: 'Opening your link', notOpened: 'This link does not open a visit', title: (from: string) => `${from} invites you to a visit by video`, lead: (host: string, clinic: string) => (clinic ? `With ${host}, ${clinic}` : `With ${host}`), as: 'You join as', when: (day: string, from: string, to: string) => `${day}, ${from} to ${to}`,
    late: (host: string, minutes: string) => `${host} is running about ${minutes} minutes late.`,
    promise: ['You need no account, and nothing is installed.', 'Everyone in the visit sees your name and who invited you.', 'You see and hear the visit, and no records.', 'Sound and picture are sealed between the people in it. Nothing is recorded.'],
    name: 'Your name', nameHint: (host: string) => `Only ${host} can read it, until you are let in.`, needName: 'Write your name, so that the clinician knows whom to let in.', go: 'Go on', back: (name: string) => `Go back in as ${name}`,
    used: 'This link was used already', usedText: 'It works in the browser that opened it first. If that was yours, go back there. If it was not, tell whoever sent it, and ask for a new one.',
    bye: 'You may close this window.',
  },
}

export type VisitWords = typeof visit
