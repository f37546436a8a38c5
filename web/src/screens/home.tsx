// Home: for a patient what is next and new, for a clinician today's people, for the front desk inviting and finding.

import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { ScreenProps } from '../app/app.tsx'
import { useEngine, useLoad, useWords } from '../app/context.tsx'
import { Link } from '../app/router.tsx'
import type { Appointment, Me } from '../engine/types.ts'
import { Button, Card, Empty, ErrorPanel, Face, Field, Notice, Progress, Tag } from '../parts/index.tsx'
import { RecordState } from './record.tsx'

export default function Home(_: ScreenProps): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const me = engine.me as Me
  const has = (...roles: readonly string[]): boolean => me.roles.some((r) => roles.includes(r))
  return (
    <>
      <div class="page-head"><h1 tabIndex={-1}>{w.home.hello(me.name)}</h1><p class="soft">{me.roles.map((r) => w.roles[r]).join(' · ')}</p></div>
      {me.pending && <Notice kind="warn" title={w.join.pendingTitle}><p>{w.join.pendingText}</p></Notice>}
      <Unsent />
      {has('patient', 'proxy') && <PatientHome me={me} />}
      {has('clinician') && <ClinicianHome />}
      {has('frontdesk') && <DeskHome />}
      {has('security', 'privacy') && <Card title={w.record.title} actions={<Button kind="plain" href="/record">{w.nav.record}</Button>}><RecordState /></Card>}
      {has('admin') && !has('clinician') && <div class="cards"><Action href="/people" title={w.people.title} hint={w.home.inviteHint} /></div>}
    </>
  )
}

function Action({ href, title, hint }: { href: string; title: string; hint: string }): JSX.Element {
  return <Link href={href} class="big-action"><span class="title">{title}</span><span class="soft">{hint}</span></Link>
}

function Unsent(): JSX.Element | null {
  const engine = useEngine()
  const { w } = useWords()
  const { value } = useLoad(async () => {
    const charts = engine.me?.charts ?? []
    return charts.flatMap((c) => engine.opened(c)?.items.filter((i) => i.state !== 'stored') ?? []).length
  }, ['unsent'])
  return value ? <Notice kind="warn" title={w.unsent(value)} /> : null
}

function PatientHome({ me }: { me: Me }): JSX.Element {
  const engine = useEngine()
  const { w, date } = useWords()
  const now = new Date().toISOString()
  const own = me.charts[0]
  const charts = useLoad(() => engine.charts(), ['charts', 'chart'])
  const coming = useLoad(() => engine.appointments(now, '9999'), ['appointments', 'chart'])
  const next = coming.value?.find((a) => a.status === 'booked' || a.status === 'arrived')
  const mine = charts.value?.find((c) => c.chart === own)
  const others = charts.value?.filter((c) => c.chart !== own) ?? []
  return (
    <>
      {own && (
        <div class="columns">
          <section class="card next"><h2>{w.home.nextTitle}</h2>
            {next ? <div><p class="when">{date(next.start, 'weekday')}, {date(next.start, 'time')}</p><p class="soft">{w.calendar.withName(next.withName)}</p></div> : <p class="soft">{coming.loading ? w.loading : w.home.nextNone}</p>}
          </section>
          <Card title={w.home.newTitle}>{mine && mine.news > 0 ? <Link href={`/chart/${own}`} class="item"><span class="main"><span class="title">{w.home.newIn(mine.news)}</span></span></Link> : <p class="soft">{charts.loading ? w.loading : w.home.newNone}</p>}</Card>
        </div>
      )}
      {own && (
        <div class="cards">
          <Action href={`/chart/${own}`} title={w.home.openChart} hint={w.home.openChartHint} />
          <Action href={`/chart/${own}/messages`} title={w.home.write} hint={w.home.writeHint} />
          <Action href={`/chart/${own}/files`} title={w.home.addFile} hint={w.home.addFileHint} />
          <Action href={`/chart/${own}/looks`} title={w.home.looked} hint={w.home.lookedHint} />
        </div>
      )}
      {(others.length > 0 || !own) && (
        <Card title={w.home.caring}>
          {others.length === 0 ? <Empty title={charts.loading ? w.loading : w.home.caringNone} /> : <ul class="list">{others.map((c) => <li key={c.chart}><ChartLink chart={c} /></li>)}</ul>}
        </Card>
      )}
      <ErrorPanel error={charts.error} onRetry={charts.again} />
    </>
  )
}

function ChartLink({ chart }: { chart: { chart: string; name: string; due: boolean; news: number } }): JSX.Element {
  const { w } = useWords()
  const name = chart.name || w.unnamed
  return (
    <Link href={`/chart/${chart.chart}`} class="item">
      <Face name={name} /><span class="main"><span class="title">{name}</span></span>
      {chart.news > 0 && <Tag>{w.home.news(chart.news)}</Tag>}
      {chart.due && <Tag kind="warn">{w.home.due}</Tag>}
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
      <Card title={w.home.charts}>
        <Field label={w.home.find} type="search" value={search} onInput={setSearch} autocomplete="off" />
        <ErrorPanel error={charts.error} onRetry={charts.again} />
        {charts.value === undefined ? <Progress label={w.loading} done={0} total={0} /> : found.length === 0
          ? <Empty title={search ? w.home.findNone : w.home.chartsNone} />
          : <ul class="list">{found.map((c) => <li key={c.chart}><ChartLink chart={c} /></li>)}</ul>}
      </Card>
      <Today />
    </div>
  )
}

/** Whether every word of the search is in the name, whatever the accents and capitals. */
export function matches(name: string, search: string): boolean {
  const plain = (s: string): string => s.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
  return plain(search).split(/\s+/).every((word) => plain(name).includes(word))
}

function Today(): JSX.Element {
  const engine = useEngine()
  const { w, date } = useWords()
  const day = new Date()
  day.setHours(0, 0, 0, 0)
  const list = useLoad(() => engine.appointments(day.toISOString(), new Date(day.getTime() + 86_399_000).toISOString()), ['appointments'])
  const booked = list.value?.filter((a) => a.status !== 'cancelled') ?? []
  return (
    <Card title={w.home.today}>
      <ErrorPanel error={list.error} onRetry={list.again} />
      {booked.length === 0 ? <Empty title={list.loading ? w.loading : w.home.todayNone} /> : (
        <ul class="list">{booked.map((a) => (
          <li key={a.id}><Link href={`/chart/${a.chart}`} class="item"><span class="when">{date(a.start, 'time')}</span><span class="main"><span class="title">{a.patientName || w.unnamed}</span><span class="soft small">{w.calendar.withName(a.withName)}</span></span><Status status={a.status} /></Link></li>
        ))}</ul>
      )}
    </Card>
  )
}

export function Status({ status }: { status: Appointment['status'] }): JSX.Element {
  const { w } = useWords()
  const kind = status === 'arrived' ? 'good' as const : status === 'noshow' ? 'danger' as const : status === 'booked' ? undefined : 'plain' as const
  return <Tag {...(kind && { kind })}>{w.calendar.statuses[status]}</Tag>
}

function DeskHome(): JSX.Element {
  const engine = useEngine()
  const { w, date } = useWords()
  const [search, setSearch] = useState('')
  const people = useLoad(() => engine.people(), ['people'])
  const patients = (people.value ?? []).filter((p) => p.roles.some((r) => r === 'patient' || r === 'proxy'))
  const found = patients.filter((p) => matches(p.name, search))
  const nameless = people.value?.every((p) => p.name === '' || p.person === engine.me?.person) === true && patients.length > 0
  return (
    <div class="columns">
      <div class="stack-wide">
        <div class="cards"><Action href="/people/invite" title={w.home.invite} hint={w.home.inviteHint} /><Action href="/calendar" title={w.home.book} hint={w.calendar.title} /></div>
        <Card title={w.home.findPatient}>
          <Field label={w.home.find} type="search" value={search} onInput={setSearch} autocomplete="off" />
          {nameless && <Notice><p>{w.people.directoryWait}</p></Notice>}
          <ErrorPanel error={people.error} onRetry={people.again} />
          {people.value === undefined ? <Progress label={w.loading} done={0} total={0} /> : found.length === 0 ? <Empty title={w.home.findNone} /> : (
            <ul class="list">{found.slice(0, 50).map((p) => (
              <li key={p.person} class="item"><Face name={p.name} /><span class="main"><span class="title">{p.name || w.unnamed}</span>{p.birthDate && <span class="soft small">{w.home.born(date(p.birthDate, 'date'))}</span>}</span>
                {p.state !== 'active' && <Tag kind={p.state === 'ended' ? 'plain' : 'warn'}>{w.people.states[p.state]}</Tag>}
                {p.chart && p.state === 'active' && <Button kind="plain" href={`/calendar?patient=${p.person}`}>{w.calendar.book}</Button>}
              </li>
            ))}</ul>
          )}
        </Card>
      </div>
      <Today />
    </div>
  )
}
