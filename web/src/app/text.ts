// Finding text as people type it.

/** The letters of a text, without accents and capitals. */
export const plain = (text: string): string => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().trim()

/** Whether every word of the search is in the text. */
export const matches = (text: string, search: string): boolean => plain(search).split(/\s+/).every((word) => plain(text).includes(word))
