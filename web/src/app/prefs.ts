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

const dark = matchMedia('(prefers-color-scheme: dark)')

export function applyPrefs(prefs: Prefs): void {
  const root = document.documentElement
  root.lang = prefs.language
  root.dir = languages.find((l) => l.code === prefs.language)?.dir ?? 'ltr'
  root.dataset['theme'] = prefs.theme === 'auto' ? (dark.matches ? 'dark' : 'light') : prefs.theme
  root.dataset['size'] = prefs.size
  root.dataset['contrast'] = prefs.contrast
  root.dataset['motion'] = prefs.motion
}

export function followSystem(current: () => Prefs): void { dark.addEventListener('change', () => applyPrefs(current())) }
