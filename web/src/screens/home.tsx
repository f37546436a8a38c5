// Home: for a patient what is next and new, for a clinician today's people, for the front desk inviting and finding,
// for officers what was refused, for an administrator who is still missing.

import type { ComponentChildren, JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { ScreenProps } from '../app/app.tsx'
import { useAct, useEngine, useLoad, useWords } from '../app/context.tsx'
import { Link } from '../app/router.tsx'
import { matches } from '../app/text.ts'
import type { Me, Role } from '../engine/types.ts'
import { Button, Card, Dialog, Empty, ErrorPanel, Face, Field, Icon, Notice, Progress, Tag, type IconName } from '../parts/index.tsx'
import { DoorTo, Row, isComing, sayDay, sayWhen, useMinute } from './booking/row.tsx'
import { FromVisits } from './chart/fromvisits.tsx'
import { AllEmergencies, EmergencyNews } from './chart/emergency.tsx'
import { Introduce } from './introduce.tsx'
import { Event, RecordState } from './record.tsx'

export default function Home(_: ScreenProps): JSX.Element {
  const engine = useEngine()
  const { w, list } = useWords()
  const me = engine.me as Me
  const has = (...roles: readonly Role[]): boolean => me.roles.some((r) => roles.includes(r))
  return (
    <>
      <div class="page-head"><h1 tabIndex={-1}>{w.home.hello(me.name)}</h1><p class="soft">{list(me.roles.map((r) => w.roles[r]))}</p></div>
      {me.pending && <Notice kind="warn" title={w.join.pendingTitle}><p>{w.join.pendingText}</p></Notice>}
      <Unsent />
      {has('admin') && <Begin />}
      {has('patient', 'proxy') && <PatientHome me={me} />}
      {has('clinician') && <ClinicianHome />}
      {has('frontdesk') && <DeskHome today={!has('clinician')} />}
      {has('security', 'privacy') && <OfficerHome />}
      {has('admin') && !has('clinician', 'frontdesk') && <div class="cards"><Action href="/people/invite" icon="invite" title={w.home.invite} hint={w.home.inviteHint} /><Action href="/people" icon="people" title={w.people.title} hint={w.people.editRoles} /></div>}
    </>
  )
}

function Action({ href, icon, title, hint }: { href: string; icon: IconName; title: string; hint: string }): JSX.Element {
  return <Link href={href} class="big-action"><Icon name={icon} /><span class="title">{title}</span><span class="soft small">{hint}</span></Link>
}

/** What was written and is not at the clinic yet, each with what can be done about it. */
function Unsent(): JSX.Element | null {
  const engine = useEngine()
  const { w, date } = useWords()
  const { busy, error, act } = useAct()
  const [discarding, setDiscarding] = useState<string | undefined>(undefined)
  const waiting = useLoad(() => engine.unsent(), ['unsent', 'online'])
  if (!waiting.value?.length) return null
  return (
    <Card title={w.unsent(waiting.value.length)}>
      <p class="soft">{w.unsentLead}</p>
      <ul class="list">{waiting.value.map((u) => (
        <li key={u.entry} class="item">
          <Link href={`/chart/${u.chart}`} class="main plain"><span class="title">{u.filename ?? w.unsentKinds[u.kind]}</span><span class="soft small">{date(u.time, 'datetime')}</span></Link>
          {u.state === 'refused' && <><Tag kind="danger">{w.unsentRefused}</Tag><Button kind="quiet" onClick={() => setDiscarding(u.entry)}>{w.unsentDiscard}</Button></>}
          <Button kind="plain" busy={busy || u.state === 'sending'} onClick={() => { void act(() => engine.tryAgain(u.entry)) }}>{w.tryAgain}</Button>
          {u.problem && <p class="small soft wide">{w.problems[u.problem][0]} {w.problems[u.problem][1]}</p>}
        </li>
      ))}</ul>
      <ErrorPanel error={error} />
      <Dialog open={discarding !== undefined} onClose={() => setDiscarding(undefined)} title={w.unsentDiscardTitle}>
        <p>{w.unsentDiscardText}</p>
        <div class="row"><Button kind="danger" busy={busy} onClick={() => { void act(() => engine.discard(discarding ?? '')).then((ok) => ok && setDiscarding(undefined)) }}>{w.unsentDiscard}</Button><Button kind="plain" onClick={() => setDiscarding(undefined)}>{w.cancel}</Button></div>
      </Dialog>
    </Card>
  )
}

/** A new clinic's first steps; gone when everyone is here. */
function Begin(): JSX.Element | null {
  const engine = useEngine()
  const { w } = useWords()
  const people = useLoad(() => engine.people(), ['people'])
  const needed: readonly Role[] = ['clinician', 'frontdesk', 'security', 'privacy']
  const all = people.value
  if (!all) return null
  const state = (role: Role): 'here' | 'invited' | 'missing' => {
    const some = all.filter((p) => p.roles.includes(role))
    return some.some((p) => p.state === 'active') ? 'here' : some.some((p) => p.state === 'invited') ? 'invited' : 'missing'
  }
  if (needed.every((role) => state(role) === 'here')) return null
  return (
    <Card title={w.home.begin}>
      <p class="soft">{w.home.beginLead}</p>
      <ul class="list">{needed.map((role) => (
        <li key={role} class="item">
          <span class="main"><span class="title">{w.roles[role]}</span><span class="soft small">{w.home.beginWhy[role]}</span></span>
          {state(role) === 'here' ? <Tag kind="good">{w.home.beginDone}</Tag> : state(role) === 'invited' ? <Tag kind="warn">{w.home.beginWaiting}</Tag> : <Button kind="plain" icon="invite" href={`/people/invite?role=${role}`} label={`${w.home.beginInvite}: ${w.roles[role]}`}>{w.home.beginInvite}</Button>}
        </li>
      ))}</ul>
    </Card>
  )
}

function PatientHome({ me }: { me: Me }): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const own = me.charts[0]
  const charts = useLoad(() => engine.charts(), ['charts', 'chart'])
  const mine = charts.value?.find((c) => c.chart === own)
  const others = charts.value?.filter((c) => c.chart !== own) ?? []
  return (
    <>
      <ErrorPanel error={charts.error} onRetry={charts.again} />
      <EmergencyNews charts={charts.value ?? []} />
      {own && (
        <>
          <div class="columns">
            <div class="stack-wide"><Next /><FromVisits chart={own} /></div>
            <Card title={w.home.newTitle}>{charts.error ? <p class="soft">{w.home.unknown}</p> : mine && mine.news > 0 ? <GoTo href={`/chart/${own}`}><span class="title">{w.home.newIn(mine.news)}</span></GoTo> : <p class="soft">{charts.loading ? w.loading : w.home.newNone}</p>}</Card>
          </div>
          <div class="cards cards-small">
            <Action href={`/chart/${own}`} icon="chart" title={w.home.openChart} hint={w.home.openChartHint} />
            <Action href={`/chart/${own}/messages`} icon="message" title={w.home.write} hint={w.home.writeHint} />
            <Action href={`/chart/${own}/files`} icon="file" title={w.home.addFile} hint={w.home.addFileHint} />
            <Action href={`/chart/${own}/looks`} icon="eye" title={w.home.looked} hint={w.home.lookedHint} />
          </div>
        </>
      )}
      {(others.length > 0 || !own || me.roles.includes('proxy')) && (
        <Card title={w.home.caring}>
          {others.length === 0 ? (charts.error ? <p class="soft">{w.home.unknown}</p> : charts.loading ? <Progress label={w.loading} done={0} total={0} /> : <Empty icon="people" title={w.home.caringNone}><p>{w.home.caringHint}</p></Empty>) : (
            <ul class="list">{others.map((c) => (
              <li key={c.chart}><ChartLink chart={c} /><div class="row under"><Button kind="plain" icon="message" href={`/chart/${c.chart}/messages`} label={`${w.home.writeOf}: ${c.name || w.unnamed}`}>{w.home.writeOf}</Button></div></li>
            ))}</ul>
          )}
          <Introduce />
        </Card>
      )}
    </>
  )
}

function Next(): JSX.Element {
  const engine = useEngine()
  const { w, date } = useWords()
  const coming = useLoad(() => engine.appointments(new Date().toISOString(), new Date(Date.now() + 366 * 86_400_000).toISOString()), ['appointments', 'people'])
  useMinute()
  const next = coming.value?.find(isComing)
  const mine = next?.patient === engine.me?.person
  return (
    <section class={next ? 'card next' : 'card'}><h2>{w.home.nextTitle}</h2>
      {next ? (
        <>
          <p><span class="when large">{sayWhen(w, date, next.start)}</span><br />{!mine && <><bdi>{next.patientName || w.unnamed}</bdi>, </>}{w.calendar.withName(next.withName || w.unnamed)}{next.reason && <><br /><bdi>{next.reason}</bdi></>}</p>
          <DoorTo a={next} large />
          <div><Button kind="quiet" icon="calendar" href="/calendar">{w.visit.booking.manage}</Button></div>
        </>
      ) : coming.error ? <><p class="soft">{w.home.unknown}</p><div><Button kind="plain" onClick={coming.again}>{w.tryAgain}</Button></div></>
        : <><p class="soft">{coming.loading ? w.loading : w.home.nextNone}</p>{!coming.loading && <div><Button kind="plain" icon="calendar" href="/calendar">{w.visit.booking.book}</Button></div>}</>}
    </section>
  )
}

/** A day as people say it: today, tomorrow, or its name and date. */
export function useDay(iso: string): string {
  const { w, date } = useWords()
  return sayDay(w, date, iso)
}

function GoTo({ href, children }: { href: string; children: ComponentChildren }): JSX.Element {
  return <Link href={href} class="item go-to"><span class="main">{children}</span><Icon name="go" /></Link>
}

function ChartLink({ chart }: { chart: { chart: string; name: string; due: boolean; news: number } }): JSX.Element {
  const { w } = useWords()
  const name = chart.name || w.unnamed
  return (
    <Link href={`/chart/${chart.chart}`} class="item">
      <Face name={name} /><span class="main"><bdi class="title">{name}</bdi></span>
      {chart.news > 0 && <Tag>{w.home.news(chart.news)}</Tag>}
      {chart.due && <Tag kind="warn">{w.home.due}</Tag>}
      <Icon name="go" />
    </Link>
  )
}

function ClinicianHome(): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const [search, setSearch] = useState('')
  const charts = useLoad(() => engine.charts(), ['charts', 'people'])
  const found = (charts.value ?? []).filter((c) => matches(c.name, search))
  return (
    <div class="columns">
      <Today />
      <Card title={w.home.charts}>
        {charts.value && charts.value.length > 0 && <Field label={w.home.find} type="search" value={search} onInput={setSearch} autocomplete="off" />}
        <ErrorPanel error={charts.error} onRetry={charts.again} />
        {charts.value === undefined ? charts.loading && <Progress label={w.loading} done={0} total={0} /> : found.length > 0 ? <ul class="list">{found.map((c) => <li key={c.chart}><ChartLink chart={c} /></li>)}</ul>
          : search ? <Empty icon="person" title={w.home.findNone}><p>{w.home.noMatch}</p></Empty> : <Empty icon="chart" title={w.home.chartsNone}><Button kind="plain" icon="invite" href="/people/invite?role=patient">{w.home.invite}</Button></Empty>}
      </Card>
    </div>
  )
}

function Today(): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const day = new Date()
  day.setHours(0, 0, 0, 0)
  const tomorrow = new Date(day.getFullYear(), day.getMonth(), day.getDate() + 1).toISOString()
  const booked = useLoad(() => engine.appointments(day.toISOString(), tomorrow), ['appointments', 'people'])
  const own = engine.me?.roles.includes('clinician') && !engine.me.roles.includes('frontdesk')
  const shown = booked.value?.filter((a) => a.state !== 'cancelled' && a.start >= day.toISOString() && a.start < tomorrow && (!own || a.with === engine.me?.person)) ?? []
  return (
    <Card title={w.home.today} actions={<Link href="/calendar" class="button button-quiet">{w.home.seeAll}</Link>}>
      <ErrorPanel error={booked.error} onRetry={booked.again} />
      {shown.length === 0 ? !booked.error && (booked.loading ? <Progress label={w.loading} done={0} total={0} /> : <Empty icon="calendar" title={w.home.todayNone} />) : <ul class="list">{shown.map((a) => <li key={a.id}><Row a={a} /></li>)}</ul>}
    </Card>
  )
}

const mostFound = 50 // people shown at once; a longer list is searched, not read

function DeskHome({ today }: { today: boolean }): JSX.Element {
  const engine = useEngine()
  const { w, date } = useWords()
  const [search, setSearch] = useState('')
  const people = useLoad(() => engine.people(), ['people'])
  const patients = (people.value ?? []).filter((p) => p.roles.some((r) => r === 'patient' || r === 'proxy'))
  const found = patients.filter((p) => matches(p.name, search))
  const nameless = patients.length > 0 && people.value?.every((p) => p.name === '' || p.person === engine.me?.person) === true
  return (
    <div class="columns">
      <div class="stack-wide">
        <div class="cards cards-small"><Action href="/people/invite?role=patient" icon="invite" title={w.home.invite} hint={w.home.inviteHint} /><Action href="/calendar" icon="calendar" title={w.home.book} hint={w.calendar.private} /></div>
        <Card title={w.home.findPatient}>
          <Field label={w.home.find} type="search" value={search} onInput={setSearch} autocomplete="off" />
          {nameless && <Notice kind="warn"><p>{w.people.directoryWait}</p></Notice>}
          <ErrorPanel error={people.error} onRetry={people.again} />
          {people.value === undefined ? people.loading && <Progress label={w.loading} done={0} total={0} /> : found.length === 0 ? <Empty icon="person" title={search ? w.home.findNone : w.people.none}>{search && <p>{w.home.noMatch}</p>}</Empty> : (
            <ul class="list">{found.slice(0, mostFound).map((p) => (
              <li key={p.person} class="item"><Face name={p.name} /><span class="main"><bdi class="title">{p.name || w.unnamed}</bdi>{p.birthDate && <span class="soft small">{w.home.born(date(p.birthDate, 'date'))}</span>}</span>
                {p.state !== 'active' && <Tag kind={p.state === 'ended' ? 'plain' : 'warn'}>{w.people.states[p.state]}</Tag>}
                {p.chart && p.state === 'active' && <Button kind="plain" href={`/calendar?patient=${p.person}`} label={`${w.calendar.book}: ${p.name || w.unnamed}`}>{w.calendar.book}</Button>}
              </li>
            ))}</ul>
          )}
        </Card>
      </div>
      {today && <Today />}
    </div>
  )
}

const refusalsShown = 6

function OfficerHome(): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const lately = useLoad(() => engine.record(0), [])
  const refused = lately.value?.events.filter((e) => e.decision === 'deny').slice(0, refusalsShown) ?? []
  return (
    <>
      <RecordState />
      <AllEmergencies />
      <Card title={w.home.refusedTitle} actions={<Button kind="plain" icon="record" href="/record">{w.home.seeAll}</Button>}>
        <ErrorPanel error={lately.error} onRetry={lately.again} />
        {refused.length > 0 ? <ul class="list">{refused.map((e) => <li key={e.seq}><Event e={e} /></li>)}</ul> : lately.value ? <Empty icon="good" title={w.home.refusedNone} /> : lately.loading && <Progress label={w.loading} done={0} total={0} />}
      </Card>
    </>
  )
}
