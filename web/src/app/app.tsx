// The frame around all screens: language, signing in and out, the bar at the top, and which screen an address is.

import type { ComponentType, JSX } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { Engine, Me } from '../engine/types.ts'
import { Button, ErrorPanel, LiveRegion, Mark, Progress, announce } from '../parts/index.tsx'
import { en, type Words } from '../words/en.ts'
import { EngineContext, WordsContext, useChange, useEngine, useWords, wordsFor, type Language } from './context.tsx'
import { applyPrefs, followSystem, keepPrefs, readPrefs, type Prefs } from './prefs.ts'
import { Link, Router, navigate, usePath } from './router.tsx'

const words: Record<Language, () => Promise<Words>> = {
  en: async () => en,
  es: async () => (await import('../words/es.ts')).es,
  ar: async () => (await import('../words/ar.ts')).ar,
}

export function App({ engine }: { engine: Engine }): JSX.Element {
  const [prefs, setPrefs] = useState(readPrefs)
  const [w, setW] = useState<Words | undefined>(undefined)
  const latest = useRef(prefs)
  latest.current = prefs
  useEffect(() => followSystem(() => latest.current), [])
  useEffect(() => {
    applyPrefs(prefs)
    words[prefs.language]().then(setW, () => setW(en))
  }, [prefs])
  const inUse = useMemo(() => w && wordsFor(w, prefs.language), [w])
  if (!inUse) return <></>
  const change = (next: Partial<Prefs>): void => {
    const all = { ...prefs, ...next }
    keepPrefs(all)
    setPrefs(all)
  }
  return (
    <EngineContext.Provider value={engine}><WordsContext.Provider value={inUse}>
      <Router><Frame prefs={prefs} setPrefs={change} /></Router><LiveRegion />
    </WordsContext.Provider></EngineContext.Provider>
  )
}

export interface ScreenProps { readonly prefs: Prefs; setPrefs(next: Partial<Prefs>): void; readonly id: string; readonly page: string }

type Lazy = () => Promise<{ default: ComponentType<ScreenProps> }>

const doors: Readonly<Record<string, Lazy>> = {
  join: () => import('../screens/join.tsx'), recover: () => import('../screens/recovery.tsx'),
}
const rooms: Readonly<Record<string, Lazy>> = {
  '': () => import('../screens/home.tsx'), chart: () => import('../screens/chart/index.tsx') as ReturnType<Lazy>, people: () => import('../screens/people.tsx'),
  teams: () => import('../screens/teams.tsx'), calendar: () => import('../screens/calendar.tsx'), record: () => import('../screens/record.tsx'), settings: () => import('../screens/settings.tsx'),
}
const welcome: Lazy = () => import('../screens/welcome.tsx')
const notFound: Lazy = () => import('../screens/notfound.tsx')

function Frame({ prefs, setPrefs }: { prefs: Prefs; setPrefs: (next: Partial<Prefs>) => void }): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const path = usePath()
  const [me, setMe] = useState<Me | undefined>(engine.me)
  const [state, setState] = useState<'starting' | 'ready' | 'offline'>('starting')
  const [online, setOnline] = useState(engine.online)
  const [joining, setJoining] = useState(false)
  const start = (): void => {
    setState('starting')
    engine.resume().then(() => { setMe(engine.me); setState('ready') }, () => setState('offline'))
  }
  useEffect(start, [])
  useChange((change) => {
    if (change.what === 'me') setMe(engine.me)
    if (change.what === 'online') setOnline(change.online)
    if (change.what === 'ended') {
      setMe(undefined)
      announce(change.why === 'expired' ? w.welcome.expired : change.why === 'elsewhere' ? w.welcome.elsewhere : w.welcome.signedOut)
      navigate('/', true)
    }
  })
  const [first = '', id = '', page = ''] = path.slice(1).split('/')
  // Someone who is joining stays on that screen until they have seen their code, although they are signed in by then.
  useEffect(() => setJoining(first in doors), [first])
  if (state !== 'ready' && !(first in doors)) {
    return (
      <main id="main"><div class="narrow door">
        <Mark />
        {state === 'offline' ? <><h1 tabIndex={-1}>{w.problems.unavailable[0]}</h1><p>{w.problems.offline[1]}</p><div><Button onClick={start}>{w.tryAgain}</Button></div></> : <Progress label={w.loading} done={0} total={0} />}
      </div></main>
    )
  }
  const load = joining || (first in doors) ? (doors[first] ?? welcome) : !me ? welcome : (rooms[first] ?? notFound)
  return (
    <>
      <a class="skip" href="#main">{w.skip}</a>
      {me && !(first in doors) && <Top me={me} first={first} />}
      {!online && <div class="offline no-print" role="status">{w.offline}</div>}
      <main id="main" tabIndex={-1}><Screen key={load.toString()} load={load} prefs={prefs} setPrefs={setPrefs} id={id} page={page} /></main>
    </>
  )
}

/** A screen, fetched when it is first needed. */
function Screen({ load, ...props }: { load: Lazy } & ScreenProps): JSX.Element {
  const { w } = useWords()
  const [Loaded, setLoaded] = useState<ComponentType<ScreenProps> | undefined>(undefined)
  const [failed, setFailed] = useState(false)
  useEffect(() => {
    load().then((m) => setLoaded(() => m.default), () => setFailed(true))
  }, [])
  useEffect(() => {
    if (!Loaded) return
    const heading = document.querySelector<HTMLElement>('main h1')
    document.title = heading?.textContent ? `${heading.textContent} · ${w.appName}` : w.appName
  })
  if (failed) return <ErrorPanel error={Object.assign(new Error('the screen could not be loaded'), { code: 'offline' as const })} onRetry={() => location.reload()} />
  return Loaded ? <Loaded {...props} /> : <Progress label={w.loading} done={0} total={0} />
}

function Top({ me, first }: { me: Me; first: string }): JSX.Element {
  const { w } = useWords()
  const engine = useEngine()
  const has = (...roles: readonly string[]): boolean => me.roles.some((r) => roles.includes(r))
  const staff = has('clinician', 'frontdesk', 'security', 'privacy', 'admin')
  const chart = me.charts[0]
  const items: readonly (readonly [string, string, boolean])[] = [
    ['/', w.nav.home, true], [`/chart/${chart ?? ''}`, w.nav.chart, chart !== undefined && !staff], ['/people', w.nav.people, staff],
    ['/calendar', w.nav.calendar, has('clinician', 'frontdesk')], ['/teams', w.nav.teams, has('clinician')], ['/record', w.nav.record, has('security', 'privacy')], ['/settings', w.nav.settings, true],
  ]
  return (
    <header class="top no-print"><div class="top-inner">
      <Link href="/" class="brand"><Mark /><span>{me.clinic.name || w.appName}</span></Link>
      <nav class="nav" aria-label={w.nav.main}>
        {items.filter(([, , shown]) => shown).map(([href, label]) => <Link key={href} href={href} {...(href.split('/')[1] === first && { 'aria-current': 'page' as const })}>{label}</Link>)}
        <button type="button" onClick={() => { void engine.signOut(false) }}>{w.nav.signOut}</button>
      </nav>
    </div></header>
  )
}
