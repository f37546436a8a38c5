// Who can read the chart, in sentences; sharing it, and taking that back.

import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { useAct, useEngine, useLoad, useWords } from '../../app/context.tsx'
import { navigate } from '../../app/router.tsx'
import { Button, Card, Check, Choices, Dialog, ErrorPanel, Face, Field, Notice, Progress, Select, Tag, announce } from '../../parts/index.tsx'
import { readIntroduction, type Introduction } from '../../engine/introduction.ts'
import type { Compartment, Member, OpenChart, Purpose } from '../../engine/types.ts'
import { humanName } from '../../fhir/values.ts'
import { apart } from './bidi.ts'
import { Erase } from './erase.tsx'
import type { PageProps } from './index.tsx'

/** One who can read, with all grants of theirs: one for each part. */
interface Reader { readonly key: string; readonly name: string; readonly grants: readonly Member[]; readonly first: Member }

function readers(members: readonly Member[]): Reader[] {
  const groups = new Map<string, Member[]>()
  for (const m of members) {
    const key = `${m.person ?? m.team ?? ''} ${m.purpose} ${m.until ?? ''}`
    groups.set(key, [...(groups.get(key) ?? []), m])
  }
  return [...groups].flatMap(([key, grants]) => (grants[0] ? [{ key, grants, first: grants[0], name: grants[0].name }] : []))
}

export function Share({ chart }: PageProps): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const c = w.chart
  const { value: members, error, again } = useLoad(() => engine.members(chart.chart), ['chart', 'people'], [chart.chart])
  const live = readers((members ?? []).filter((m) => m.state === 'live'))
  const ended = (members ?? []).filter((m) => m.state !== 'live')
  return (
    <div class="chart-two">
      <section class="chart-stack">
        <Card title={c.shareTitle}>
          <ErrorPanel error={error} onRetry={again} />
          {!members && !error && <Progress label={w.loading} done={0} total={0} />}
          <ul class="list">{live.map((r) => <li key={r.key}><OneReader chart={chart} reader={r} onChange={again} /></li>)}</ul>
          {members && live.length < 2 && chart.mine && <p class="chart-soft">{c.nobodyElse}</p>}
          {ended.length > 0 && <details class="chart-fold"><summary class="chart-target">{c.before(readers(ended).length)}</summary><ul class="chart-things">{readers(ended).map((r) => <li key={r.key}><Before reader={r} /></li>)}</ul></details>}
        </Card>
      </section>
      <div class="chart-stack">
        <ShareForm chart={chart} onDone={again} />
        {chart.mine && <Erase chart={chart.chart} />}
      </div>
    </div>
  )
}

/** Names that the engine knows only by what they are. */
function useName(): (name: string) => string {
  const { w } = useWords()
  const c = w.chart
  return (name) => (name === '' ? c.someone : c.teamNames[name as keyof typeof c.teamNames] ?? name)
}

function Before({ reader }: { reader: Reader }): JSX.Element {
  const { w, date } = useWords()
  const c = w.chart
  const nameOf = useName()
  const end = reader.first.ended ?? reader.first.until
  return <><span class="chart-thing" dir="auto">{nameOf(reader.name)}</span><span class="chart-soft">{c.purpose[reader.first.purpose]}{end && ` · ${c.endedOn(date(end, 'date'))}`}</span></>
}

function OneReader({ chart, reader, onChange }: { chart: OpenChart; reader: Reader; onChange: () => void }): JSX.Element {
  const engine = useEngine()
  const { w, date, list, lang } = useWords()
  const c = w.chart
  const nameOf = useName()
  const [asking, setAsking] = useState(false)
  const { act, busy, error } = useAct()
  const { first: m } = reader
  const me = engine.me
  const self = m.person !== undefined && m.person === me?.person
  const owner = m.person === chart.owner
  const name = nameOf(owner ? humanName(chart.patient?.['name']) || reader.name : reader.name)
  const said = apart(name, lang) // in a sentence
  const parts = list(chart.compartments.filter((p) => reader.grants.some((g) => g.compartment === p)).map((p) => c.partName[p]))
  // As the clinic's rules say: patients take anyone off, everyone gives up their own, clinicians hand over care.
  const mayRemove = !owner && (self || chart.mine || (me?.roles.includes('clinician') === true && (m.purpose === 'care' || m.purpose === 'second-opinion')))
  const remove = async (): Promise<void> => {
    if (!(await act(() => engine.unshare(chart.chart, reader.grants.map((g) => g.grant))))) return
    setAsking(false)
    announce(self ? c.gaveUp : c.removed(said))
    if (self) navigate('/')
    else onChange()
  }
  return (
    <div class="chart-reader">
      <Face name={name} />
      <div class="chart-grow">
        <p>{owner ? (self ? c.ownChart : c.ownerCanRead(said)) : self ? c.youCanRead(parts, c.purpose[m.purpose]) : c.canRead(said, parts, c.purpose[m.purpose])}</p>
        {!owner && <p class="chart-small">{m.by === me?.person ? c.sharedByYou(date(m.since, 'date')) : c.sharedBy(m.byName === '' ? c.someone : apart(m.byName, lang), date(m.since, 'date'))}, {m.until ? c.untilDate(date(m.until, 'date')) : c.noEnd}</p>}
        {m.purpose === 'emergency' && <p class="chart-small">{c.emergencyNote}</p>}
        {reader.grants.some((g) => g.compartment === 'restricted') && !owner && m.purpose !== 'emergency' && <Tag kind="warn">{c.compartment.restricted}</Tag>}
      </div>
      {mayRemove && <Button kind="quiet" label={self ? c.giveUp : c.removeTitle(said)} onClick={() => setAsking(true)}>{self ? c.giveUp : c.remove}</Button>}
      <Dialog open={asking} onClose={() => setAsking(false)} title={self ? c.giveUpTitle : c.removeTitle(said)}>
        <p>{self ? c.giveUpText : c.removeText}</p>
        <ErrorPanel error={error} />
        <div class="chart-actions"><Button kind="danger" busy={busy} onClick={() => { void remove() }}>{self ? c.giveUp : c.remove}</Button><Button kind="plain" onClick={() => setAsking(false)}>{c.cancel}</Button></div>
      </Dialog>
    </div>
  )
}

/** Purposes are words inside sentences; as choices they begin one. */
const capital = (s: string, lang: string): string => s.charAt(0).toLocaleUpperCase(lang) + s.slice(1)

function ShareForm({ chart, onDone }: { chart: OpenChart; onDone: () => void }): JSX.Element | null {
  const engine = useEngine()
  const { w, lang } = useWords()
  const c = w.chart
  const nameOf = useName()
  const { value: people } = useLoad(() => engine.people(), ['people'])
  const { value: teams } = useLoad(() => engine.teams(), ['people'])
  const [kind, setKind] = useState<'person' | 'team'>('person')
  const [who, setWho] = useState('')
  const [parts, setParts] = useState<readonly Compartment[]>(['general'])
  const [purpose, setPurpose] = useState<Purpose>('care')
  const [until, setUntil] = useState('')
  const [wrong, setWrong] = useState('')
  const [introduced, setIntroduced] = useState<Introduction | undefined>(undefined)
  const [pasted, setPasted] = useState('')
  const { act, busy, error } = useAct()
  const me = engine.me
  const meet = (link: string): boolean => {
    try {
      const someone = readIntroduction(link)
      if (someone.person === me?.person) return false
      setIntroduced(someone)
      setKind('person')
      setWho(someone.person)
      setPurpose('proxy')
      return true
    } catch {
      return false
    }
  }
  // A carer's link leads here with who they are in it; it is taken out of the address, where it would stay in the history.
  useEffect(() => { if (chart.mine && location.hash !== '' && meet(location.hash)) history.replaceState(null, '', location.pathname) }, [])
  // What one may give, as the clinic's rules say: patients everything of theirs, clinicians the general part for care.
  const mayShare = chart.mine || (me?.roles.includes('clinician') === true && chart.compartments.includes('general'))
  if (!mayShare) return null
  const given = chart.mine ? chart.compartments : (['general'] as const)
  const choices = kind === 'team'
    ? (teams ?? []).map((t) => ({ value: t.lock, label: t.name === '' ? c.teamNames.clinicians : nameOf(t.name) }))
    : (people ?? []).filter((p) => p.state === 'active' && p.person !== me?.person && p.person !== chart.owner && p.name !== '' && p.roles.some((r) => r === 'clinician' || (chart.mine && (r === 'patient' || r === 'proxy'))))
      .map((p) => ({ value: p.person, label: `${p.name} (${p.roles.map((r) => w.roles[r]).join(', ')})` }))
  if (kind === 'person' && introduced && choices.every((x) => x.value !== introduced.person)) choices.push({ value: introduced.person, label: introduced.name })
  const purposes: readonly Purpose[] = chart.mine ? ['care', 'proxy', 'second-opinion', 'research'] : ['care', 'second-opinion']
  const share = async (): Promise<void> => {
    const end = until === '' ? undefined : new Date(`${until}T23:59:59`)
    const problem = who === '' ? c.chooseSomeone : parts.length === 0 ? c.chooseParts : end && !(end.getTime() > Date.now()) ? c.untilPast : ''
    setWrong(problem)
    if (problem !== '') return
    const name = choices.find((x) => x.value === who)?.label ?? ''
    if (!(await act(() => engine.share(chart.chart, kind === 'person' ? { person: who } : { team: who }, parts, purpose, end?.toISOString(), introduced?.person === who ? introduced : undefined)))) return
    announce(c.shared(name))
    setWho('')
    setUntil('')
    setPasted('')
    onDone()
  }
  return (
    <Card title={c.shareWith}>
      <form class="chart-form" onSubmit={(event) => { event.preventDefault(); void share() }}>
        <Choices label={c.whoType} name="share-kind" value={kind} onInput={(v) => { setKind(v === 'team' ? 'team' : 'person'); setWho('') }} options={[{ value: 'person', label: c.sharePerson }, { value: 'team', label: c.shareTeam }]} />
        <Select label={c.who} value={who} onInput={setWho} options={[{ value: '', label: c.choose }, ...choices]} />
        {introduced && introduced.person === who && <Notice><p>{c.carer.introduced(apart(introduced.name, lang))}</p></Notice>}
        {chart.mine && kind === 'person' && introduced?.person !== who && (
          <details class="chart-fold"><summary class="chart-target">{c.carer.offer}</summary>
            <Field label={c.carer.link} hint={c.carer.linkHint} value={pasted} onInput={(v) => { setPasted(v); meet(v) }} dir="ltr" autocomplete="off" spellcheck={false} {...(pasted.trim() !== '' && { error: c.carer.wrongLink })} />
          </details>
        )}
        {given.length > 1 && (
          <fieldset class="chart-set"><legend>{c.parts}</legend>
            {given.map((p) => <Check key={p} checked={parts.includes(p)} onInput={(on) => setParts(on ? [...parts, p] : parts.filter((x) => x !== p))}>{c.compartment[p]} <span class="chart-small">{c.compartmentHint[p]}</span></Check>)}
          </fieldset>
        )}
        {!chart.mine && <p class="chart-small">{c.shareRule}</p>}
        <Select label={c.purposeQuestion} value={purpose} onInput={(v) => setPurpose(v as Purpose)} options={purposes.map((p) => ({ value: p, label: capital(c.purpose[p], lang) }))} />
        <Field label={c.until} hint={c.untilHint} type="date" value={until} onInput={setUntil} min={new Date().toISOString().slice(0, 10)} />
        {wrong !== '' && <Notice kind="warn"><p>{wrong}</p></Notice>}
        <ErrorPanel error={error} />
        <div class="chart-actions"><Button type="submit" busy={busy}>{c.share}</Button></div>
      </form>
    </Card>
  )
}
