import type { VisitWords } from './en.ts'

export const visit = {
  call: { title: 'Consulta' },
  booking: {},
  care: {},
  guests: {},
} satisfies VisitWords
