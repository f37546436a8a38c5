const rightToLeft = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/

/** A name inside a sentence, kept apart if it is written in the other direction: else it would turn the sentence round. */
export const apart = (name: string, lang: string): string => (rightToLeft.test(name) === (lang === 'ar') ? name : `\u2068${name}\u2069`)
