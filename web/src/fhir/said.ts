// Words that are data and not of the screen: what a questionnaire asks and what a consent says, in Ward's languages.

export type Lang = 'en' | 'es' | 'ar'
export type Said = Readonly<Record<Lang, string>>
export const spoken = (lang: string): Lang => (lang === 'es' || lang === 'ar' ? lang : 'en')
