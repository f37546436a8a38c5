// What every screen has at hand: the engine, the words of the chosen language with its numbers and dates, and the
// changes that happen by themselves.

import { createContext } from 'preact'
import { useContext, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { Change, Engine, Problem } from '../engine/types.ts'
import type { Words } from '../words/en.ts'
import { dateFormat, listFormat, numberFormat } from '../words/kept.ts'

export type Language = 'en' | 'es' | 'ar'
export const languages: readonly { readonly code: Language; readonly name: string; readonly dir: 'ltr' | 'rtl' }[] = [
  { code: 'en', name: 'English', dir: 'ltr' }, { code: 'es', name: 'Español', dir: 'ltr' }, { code: 'ar', name: 'العربية', dir: 'rtl' },
]

type DateStyle = 'date' | 'time' | 'datetime' | 'month' | 'weekday'
const dateStyles: Readonly<Record<DateStyle, Intl.DateTimeFormatOptions>> = {
  date: { year: 'numeric', month: 'short', day: 'numeric' },
  time: { hour: 'numeric', minute: '2-digit' },
  datetime: { year: 'numeric', month: 'short', day: 'numeric', hour: 'numeric', minute: '2-digit' },
  month: { year: 'numeric', month: 'long' },
  weekday: { weekday: 'long', month: 'long', day: 'numeric' },
}

export interface WordsInUse {
  readonly w: Words
  readonly lang: Language
  n(value: number): string
  /** A date as people write it; a FHIR date of a year or month stays one. */
  date(iso: string, style: DateStyle): string
  list(items: readonly string[]): string
}

export function wordsFor(w: Words, lang: Language): WordsInUse {
  return {
    w, lang,
    n: (value) => numberFormat(lang, { maximumFractionDigits: 2 }).format(value),
    list: (items) => listFormat(lang, {}).format(items),
    date: (iso, style) => {
      if (/^\d{4}$/.test(iso)) return numberFormat(lang, { useGrouping: false }).format(Number(iso))
      const day = /^\d{4}-\d\d(-\d\d)?$/.test(iso)
      const at = new Date(day && iso.length === 7 ? `${iso}-01` : iso)
      if (Number.isNaN(at.getTime())) return iso
      const options = dateStyles[day && iso.length === 7 ? 'month' : day && style === 'datetime' ? 'date' : style]
      const elsewhen = style === 'weekday' && at.getFullYear() !== new Date().getFullYear() // a day of this year needs no year
      return dateFormat(lang, { ...options, ...(elsewhen && { year: 'numeric' }), ...(day && { timeZone: 'UTC' }) }).format(at)
    },
  }
}

export const EngineContext = createContext<Engine | undefined>(undefined)
export const WordsContext = createContext<WordsInUse | undefined>(undefined)

export function useEngine(): Engine {
  const engine = useContext(EngineContext)
  if (!engine) throw new Error('no engine')
  return engine
}

export function useWords(): WordsInUse {
  const words = useContext(WordsContext)
  if (!words) throw new Error('no words')
  return words
}

/** Calls fn on each change while the screen is shown. */
export function useChange(fn: (change: Change) => void): void {
  const engine = useEngine()
  const latest = useRef(fn)
  latest.current = fn
  useLayoutEffect(() => engine.watch((change) => latest.current(change)), [engine]) // before the next task: a change between drawing and listening would be lost
}

export interface Loaded<T> { readonly value?: T; readonly error?: Problem; readonly loading: boolean; again(): void }

/** Loads something, again when one of the named changes happens. What was there stays until the new is. */
export function useLoad<T>(load: () => Promise<T>, on: readonly Change['what'][], deps: readonly unknown[] = []): Loaded<T> {
  const [state, set] = useState<{ value?: T; error?: Problem; loading: boolean }>({ loading: true })
  const turn = useRef(0)
  const again = (): void => {
    const mine = ++turn.current
    set((s) => ({ ...s, loading: true }))
    load().then(
      (value) => { if (mine === turn.current) set({ value, loading: false }) },
      (error: Problem) => { if (mine === turn.current) set((s) => ({ ...s, error, loading: false })) },
    )
  }
  useEffect(again, deps)
  useChange((change) => { if (on.includes(change.what)) again() })
  return { ...state, again }
}

/** Runs something a person asked for: busy while it runs, and what went wrong after. */
export function useAct(): { readonly busy: boolean; readonly error: Problem | undefined; act(work: () => Promise<unknown>): Promise<boolean>; clear(): void } {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<Problem | undefined>(undefined)
  return {
    busy, error, clear: () => setError(undefined),
    async act(work) {
      setBusy(true)
      setError(undefined)
      try {
        await work()
        return true
      } catch (problem) {
        setError(problem as Problem)
        return false
      } finally {
        setBusy(false)
      }
    },
  }
}
