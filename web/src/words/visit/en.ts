// The words of visits, in English: the call itself, booking one, what comes before and after, and guests. es.ts and
// ar.ts have the same lines.

export const visit = {
  call: { title: 'Visit' },
  booking: {},
  care: {},
  guests: {},
}

export type VisitWords = typeof visit
