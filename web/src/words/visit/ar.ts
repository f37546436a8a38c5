import type { VisitWords } from './en.ts'

export const visit = {
  call: { title: 'استشارة' },
  booking: {},
  care: {},
  guests: {},
} satisfies VisitWords
