// The words about keys in one's own name, in English. es.ts and ar.ts have the same lines.

export const keys = {
  invitedTitle: 'Somebody asked for new keys in your name', waitingTitle: 'New keys in your name are waiting',
  invitedText: (who: string, when: string): string => `${who} made a link for you on ${when}, as for somebody who lost all their devices. Whoever uses it asks to become you.`,
  waitingText: (who: string, when: string): string => `Somebody used the link that ${who} made, on ${when}. If nobody refuses, the new keys replace yours, and this device is signed out.`,
  from: (when: string): string => `They count from ${when} on, once the clinic has confirmed who it is.`,
  ifYou: 'If this was you, on a new phone or computer, there is nothing to do here.', ifNotYou: 'If it was not you, refuse it now, and call the clinic.',
  refuse: 'It was not me: refuse', refuseTitle: 'Refuse the new keys?', refuseText: 'The link, or the keys that were made with it, stop working. Your own keys stay as they are. If it was you after all, the clinic can make another link.', refused: 'The new keys were refused.',
  replacedTitle: 'Your keys were replaced', replacedText: (who: string, when: string): string => `Since ${when} the clinic’s history has other keys for you, by way of ${who}. This device’s no longer count: what you write here is not taken as yours. If that was not you, call the clinic.`,
  wrongTitle: 'The clinic’s list of people does not check', wrongText: 'What the server shows of who works here, or of you, is not what this device saw before, or nobody may have stated it. Nothing is passed on to others until it is explained. You can go on reading. Tell the clinic.',
  since: (when: string, by: string): string => (by === '' ? `New keys since ${when}, made by themselves.` : `New keys since ${when}, vouched for by ${by}.`),
  changeTitle: 'Your keys', changeLead: 'Everything you read and write is protected by keys that only your devices have. If you think that somebody has them, for example from a stolen laptop, change them.',
  change: 'I think someone has my keys', changeDialog: 'Change your keys',
  changeText: ['You get new keys and a new recovery code. The old code stops working.', 'All your other devices are signed out, and sign in again with their passkeys.', 'Whoever has the old keys can no longer sign in, write as you, or read what is written from now on. What they copied before, they keep.'],
  changeBusy: 'Making new keys, and locking what you hold with them. Keep this page open.',
  passkeyNote: 'Removing a passkey stops it from signing in. It does not change your keys: a device that was open may still have them.',
}
