// How a person likes their screen; kept on the device, known to nobody else.

import { languages, type Language } from './context.tsx'

export interface Prefs {
  readonly language: Language; readonly theme: 'auto' | 'light' | 'dark'; readonly size: 'normal' | 'large' | 'larger'
  readonly contrast: 'normal' | 'more'; readonly motion: 'auto' | 'less'
}

const name = 'ward-prefs'

export function readPrefs(): Prefs {
  let stored: Partial<Prefs> = {}
  try {
    stored = JSON.parse(localStorage.getItem(name) ?? '{}') as Partial<Prefs>
  } catch {
    // storage is closed; the defaults do
  }
  const wanted = [stored.language, ...navigator.languages.map((l) => l.slice(0, 2))]
  const language = wanted.find((l): l is Language => languages.some((k) => k.code === l)) ?? 'en'
  return { theme: 'auto', size: 'normal', contrast: 'normal', motion: 'auto', ...stored, language }
}

export function keepPrefs(prefs: Prefs): void {
  try {
    localStorage.setItem(name, JSON.stringify(prefs))
  } catch {
    // they last until the page is closed
  }
}

/** Marks the page with them; style/tokens.css does the rest, and follows the device where a person left it to it. */
export function applyPrefs(prefs: Prefs): void {
  const root = document.documentElement
  root.lang = prefs.language
  root.dir = languages.find((l) => l.code === prefs.language)?.dir ?? 'ltr'
  for (const key of ['theme', 'size', 'contrast', 'motion'] as const) root.dataset[key] = prefs[key]
}
