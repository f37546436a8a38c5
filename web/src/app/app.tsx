// The frame around all screens: language, signing in and out, the ways around, and which screen an address is.

import type { ComponentType, JSX } from 'preact'
import { useEffect, useLayoutEffect, useMemo, useState } from 'preact/hooks'
import type { Engine, Me } from '../engine/types.ts'
import { ErrorPanel, Icon, LiveRegion, Mark, Menu, Progress, type IconName } from '../parts/index.tsx'
import type { Call } from '../visit/call.ts'
import { KeysAlarms } from '../screens/keys.tsx'
import { LedgerAlarms } from '../screens/proof.tsx'
import { setCurrentCall, useCurrentCall } from '../visit/current.ts'
import { en, type Words } from '../words/en.ts'
import { EngineContext, WordsContext, useChange, useEngine, useWords, wordsFor, type Language } from './context.tsx'
import { Idle } from './idle.tsx'
import { applyPrefs, keepPrefs, readPrefs, type Prefs } from './prefs.ts'
import { Link, Router, navigate, placeFocus, usePath, useTitle } from './router.tsx'
import { Starting, Unreachable, Unsupported, Wordless } from './start.tsx'
import { lacking, type Lack } from './support.ts'
import { Touch } from './touch.tsx'

const words: Record<Language, () => Promise<Words>> = {
  en: async () => en,
  es: async () => (await import('../words/es.ts')).es,
  ar: async () => (await import('../words/ar.ts')).ar,
}

export function App({ engine }: { engine: Engine }): JSX.Element {
  const [prefs, setPrefs] = useState(readPrefs)
  const [loaded, setLoaded] = useState<{ readonly w: Words; readonly lang: Language } | undefined>(undefined)
  useLayoutEffect(() => applyPrefs({ ...prefs, language: loaded?.lang ?? prefs.language }), [prefs, loaded])
  useEffect(() => {
    let wanted = true
    words[prefs.language]().then((w) => { if (wanted) setLoaded({ w, lang: prefs.language }) }, () => { if (wanted) setLoaded({ w: en, lang: 'en' }) })
    return () => { wanted = false }
  }, [prefs.language])
  const inUse = useMemo(() => loaded && wordsFor(loaded.w, loaded.lang), [loaded])
  if (!inUse) return <Wordless />
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

/** Why someone is outside who was inside. */
export type Farewell = 'signedOut' | 'expired' | 'ended' | 'elsewhere' | 'erased'

export interface ScreenProps {
  readonly prefs: Prefs; setPrefs(next: Partial<Prefs>): void
  readonly id: string; readonly page: string
  readonly farewell: Farewell | undefined; leave(why: Farewell): void
}

type Lazy = () => Promise<{ default: ComponentType<ScreenProps> }>

const screens = {
  welcome: () => import('../screens/welcome.tsx'), join: () => import('../screens/join.tsx'), recover: () => import('../screens/recovery.tsx'),
  home: () => import('../screens/home.tsx'), chart: () => import('../screens/chart/index.tsx') as ReturnType<Lazy>, people: () => import('../screens/people.tsx'), invite: () => import('../screens/invite.tsx'),
  teams: () => import('../screens/teams.tsx'), calendar: () => import('../screens/calendar.tsx'), record: () => import('../screens/record.tsx'), ledger: () => import('../screens/ledger.tsx'), settings: () => import('../screens/settings.tsx'),
  share: () => import('../screens/share.tsx'), visit: () => import('../screens/visit/index.tsx'), guest: () => import('../screens/visit/guest.tsx'), check: () => import('../screens/visit/check.tsx'), after: () => import('../screens/visit/after.tsx'),
  notFound: () => import('../screens/notfound.tsx'),
} satisfies Record<string, Lazy>
type Name = keyof typeof screens

/** Doors are for whoever has no session yet; someone who got one there may still have to see their code. */
const doors: Readonly<Record<string, Name>> = { join: 'join', recover: 'recover', guest: 'guest' }
const rooms: Readonly<Record<string, Name>> = { '': 'home', chart: 'chart', people: 'people', teams: 'teams', calendar: 'calendar', record: 'record', ledger: 'ledger', settings: 'settings', share: 'share', visit: 'visit' }

function screenOf(me: Me | undefined, first: string, id: string, page: string): Name {
  const door = doors[first]
  if (door) return door
  if (first === 'check') return 'check' // a device is tried by whoever has it, also by a guest
  if (!me) return 'welcome'
  if (first === 'visit' && page === 'check') return 'check'
  if (first === 'visit' && page === 'after') return 'after'
  return first === 'people' && id === 'invite' ? 'invite' : rooms[first] ?? 'notFound'
}

function Frame({ prefs, setPrefs }: { prefs: Prefs; setPrefs: (next: Partial<Prefs>) => void }): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const path = usePath()
  const [me, setMe] = useState<Me | undefined>(engine.me)
  const [state, setState] = useState<'starting' | 'ready' | 'unreachable'>('starting')
  const [lack, setLack] = useState<Lack | undefined>(undefined)
  const [online, setOnline] = useState(engine.online)
  const [farewell, setFarewell] = useState<Farewell | undefined>(undefined)
  const start = (): void => {
    setState('starting')
    engine.resume().then(() => { setMe(engine.me); setState('ready') }, () => setState('unreachable'))
  }
  useEffect(() => {
    // A guest signs in to nothing, so needs no passkeys.
    void lacking().then((missing) => missing === undefined || (missing === 'passkeys' && first === 'guest') ? start() : setLack(missing))
  }, [])
  useTitle(w.appName)
  useChange((change) => {
    if (change.what === 'me') {
      setMe(engine.me)
      if (engine.me) setFarewell(undefined)
    }
    if (change.what === 'online') setOnline(change.online)
    if (change.what === 'ended') {
      setMe(undefined)
      setFarewell((already) => already ?? (change.why === 'signed-out' ? 'signedOut' : change.why === 'expired' ? 'ended' : change.why))
      // Who leaves starts from the beginning; who was signed out comes back to where they were.
      if (change.why === 'signed-out') navigate('/', true)
    }
  })
  const expire = (): void => {
    const place = location.pathname + location.search
    setFarewell('expired')
    void engine.signOut(false).catch(() => undefined).then(() => navigate(place, true))
  }
  const [first = '', id = '', page = ''] = path.slice(1).split('/')
  const inside = me !== undefined && !(first in doors)
  if (lack) return <Unsupported lack={lack} />
  if (state === 'unreachable' && !(first in doors)) return <Unreachable onRetry={start} />
  if (state === 'starting' && !(first in doors)) return <Starting />
  const name = screenOf(me, first, id, page)
  return (
    <>
      <a class="skip" href="#main">{w.skip}</a>
      {inside && <Top me={me} path={path} />}
      {!online && <div class="offline no-print" role="status"><Icon name="warn" />{w.offline}</div>}
      {inside && <KeysAlarms />}
      {inside && <LedgerAlarms />}
      <main id="main" tabIndex={-1} data-ready><Screen key={name} load={screens[name]} prefs={prefs} setPrefs={setPrefs} id={id} page={page} farewell={farewell} leave={setFarewell} /></main>
      {inside && <GoingOn path={path} />}
      {inside && <Touch />}
      {inside && <Idle me={me} onExpire={expire} />}
    </>
  )
}

/** The visit that goes on in this window, while another screen is shown. Who signs out leaves it. */
function GoingOn({ path }: { path: string }): JSX.Element | null {
  const call = useCurrentCall()
  const [Mini, setMini] = useState<ComponentType<{ call: Call }> | undefined>(undefined)
  useEffect(() => { if (call) void import('../screens/visit/mini.tsx').then((m) => setMini(() => m.default)) }, [call])
  useChange((change) => {
    if (change.what !== 'ended' || !call) return
    void call.leave().catch(() => undefined)
    setCurrentCall(undefined)
  })
  return call && Mini && path !== `/visit/${call.door.visit}` ? <Mini call={call} /> : null
}

/** A screen, fetched when it is first needed. */
function Screen({ load, ...props }: { load: Lazy } & ScreenProps): JSX.Element {
  const { w } = useWords()
  const [Loaded, setLoaded] = useState<ComponentType<ScreenProps> | undefined>(undefined)
  const [failed, setFailed] = useState(false)
  useEffect(() => {
    load().then((m) => setLoaded(() => m.default), () => setFailed(true))
  }, [])
  useEffect(() => { if (Loaded) requestAnimationFrame(placeFocus) }, [Loaded])
  if (failed) return <><h1 tabIndex={-1}>{w.start.notLoaded}</h1><ErrorPanel error={Object.assign(new Error('the screen could not be loaded'), { code: 'offline' as const })} onRetry={() => location.reload()} /></>
  // The heading of a screen to come takes no focus: that waits for the screen's own.
  return Loaded ? <Loaded {...props} /> : <div class="late stack"><h1>{w.loading}</h1><Progress label={w.start.screen} done={0} total={0} /></div>
}

interface Way { readonly href: string; readonly label: string; readonly icon: IconName }

/** Where this person can go, most used first. */
function waysOf(me: Me, w: Words): readonly Way[] {
  const has = (...roles: readonly string[]): boolean => me.roles.some((r) => roles.includes(r))
  const staff = has('clinician', 'frontdesk', 'security', 'privacy', 'admin')
  const chart = me.charts[0]
  const ways: readonly (Way | false)[] = [
    { href: '/', label: w.nav.home, icon: 'home' },
    chart !== undefined && { href: `/chart/${chart}`, label: w.nav.chart, icon: 'chart' },
    chart !== undefined && !staff && { href: `/chart/${chart}/messages`, label: w.nav.messages, icon: 'message' },
    staff && { href: '/people', label: w.nav.people, icon: 'people' },
    has('clinician', 'frontdesk', 'patient', 'proxy') && { href: '/calendar', label: w.nav.calendar, icon: 'calendar' },
    has('clinician') && { href: '/teams', label: w.nav.teams, icon: 'teams' },
    has('security', 'privacy') && { href: '/record', label: w.nav.record, icon: 'record' },
    has('security', 'privacy') && { href: '/ledger', label: w.ledger.page.nav, icon: 'links' },
    { href: '/settings', label: w.nav.settings, icon: 'settings' },
  ]
  return ways.filter((way): way is Way => way !== false)
}

const inReach = 4 // places in the bar of a phone; with more ways, the last of them opens the rest

function Top({ me, path }: { me: Me; path: string }): JSX.Element {
  const { w } = useWords()
  const engine = useEngine()
  const ways = waysOf(me, w)
  const near = ways.length > inReach ? inReach - 1 : inReach
  const current = ways.filter((way) => path === way.href || (way.href !== '/' && path.startsWith(`${way.href}/`))).sort((a, b) => b.href.length - a.href.length)[0]
  const item = (way: Way, more = ''): JSX.Element => (
    <Link key={way.href} href={way.href} class={`way ${more}`} {...(way === current && { 'aria-current': 'page' as const })}><Icon name={way.icon} /><span>{way.label}</span></Link>
  )
  return (
    <header class="top no-print"><div class="top-inner">
      <Link href="/" class="brand"><Mark /><span>{me.clinic.name || w.appName}</span></Link>
      <nav class="nav" aria-label={w.nav.main}>
        {ways.map((way, i) => item(way, i < near ? '' : 'way-far'))}
        {ways.length > near && <div class="nav-more"><Menu label={w.nav.more}>{ways.slice(near).map((way) => item(way))}</Menu></div>}
      </nav>
      <button type="button" class="sign-out" onClick={() => { void engine.signOut(false) }}><Icon name="leave" /><span>{w.nav.signOut}</span></button>
    </div></header>
  )
}
