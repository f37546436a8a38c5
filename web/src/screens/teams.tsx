// Teams: a chart is shared with a team once, and its members come and go.

import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { ScreenProps } from '../app/app.tsx'
import { useAct, useEngine, useLoad, useWords } from '../app/context.tsx'
import type { Person, Team } from '../engine/types.ts'
import { Button, Card, Dialog, Empty, ErrorPanel, Face, Field, Progress, Select, toFirstError } from '../parts/index.tsx'

export default function Teams(_: ScreenProps): JSX.Element {
  const { w } = useWords()
  const engine = useEngine()
  const teams = useLoad(() => engine.teams(), ['people'])
  const people = useLoad(() => engine.people(), ['people'])
  return (
    <>
      <div class="page-head"><h1 tabIndex={-1}>{w.teams.title}</h1><p class="soft">{w.teams.lead}</p></div>
      <div class="columns">
        <div class="stack-wide">
          <ErrorPanel error={teams.error} onRetry={teams.again} />
          {teams.value === undefined || (people.value === undefined && people.loading) ? (teams.loading || people.loading) && <Progress label={w.loading} done={0} total={0} /> : teams.value.length === 0 ? <Empty icon="teams" title={w.teams.none}><p>{w.teams.noneText}</p></Empty> : teams.value.map((t) => <One key={t.lock} team={t} people={people.value ?? []} again={teams.again} />)}
        </div>
        <Create onMade={teams.again} />
      </div>
    </>
  )
}

function Create({ onMade }: { onMade: () => void }): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const { busy, error, act } = useAct()
  const [name, setName] = useState('')
  const [asked, setAsked] = useState(false)
  const nameless = name.trim() === ''
  const submit = (form: HTMLFormElement): void => {
    setAsked(nameless)
    if (nameless) {
      toFirstError(form)
      return
    }
    void act(() => engine.createTeam(name.trim(), [])).then((ok) => {
      if (!ok) return
      setName('')
      onMade()
    })
  }
  return (
    <Card title={w.teams.create}>
      <form class="stack" noValidate onSubmit={(event) => { event.preventDefault(); submit(event.currentTarget) }}>
        <Field label={w.teams.name} hint={w.teams.teamHint} value={name} onInput={setName} autocomplete="off" {...(asked && nameless && { error: w.needed.team })} />
        <div><Button type="submit" busy={busy}>{w.teams.create}</Button></div>
        <ErrorPanel error={error} />
      </form>
    </Card>
  )
}

function One({ team, people, again }: { team: Team; people: readonly Person[]; again: () => void }): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const { busy, error, act } = useAct()
  const [adding, setAdding] = useState('')
  const [leaving, setLeaving] = useState<string | undefined>(undefined)
  const nameOf = (id: string): string => people.find((p) => p.person === id)?.name || w.unnamed
  const others = people.filter((p) => p.roles.includes('clinician') && p.state === 'active' && !team.members.includes(p.person))
  const chosen = others.find((p) => p.person === adding)?.person ?? others[0]?.person
  const title = team.name || w.teams.clinicians
  if (!team.mine) return <Card title={title}><p class="soft">{w.teams.notMine}</p></Card>
  return (
    <Card title={title}>
      <p class="soft">{w.teams.members(team.members.length)}</p>
      <ul class="list">{team.members.map((m) => (
        <li key={m} class="item"><Face name={nameOf(m)} /><span class="main"><bdi class="title">{nameOf(m)}</bdi></span>
          {m !== engine.me?.person && <Button kind="quiet" onClick={() => setLeaving(m)} label={`${w.teams.leave}: ${nameOf(m)}`}>{w.teams.leave}</Button>}</li>
      ))}</ul>
      {chosen && (
        <form class="row end" onSubmit={(event) => { event.preventDefault(); void act(() => engine.addToTeam(team.lock, chosen)).then(again) }}>
          <div class="grow"><Select label={w.teams.addMember} value={chosen} onInput={setAdding} options={others.map((p) => ({ value: p.person, label: p.name || w.unnamed }))} /></div>
          <Button type="submit" kind="plain" icon="invite" busy={busy}>{w.add}</Button>
        </form>
      )}
      <ErrorPanel error={leaving ? undefined : error} />
      <Dialog open={leaving !== undefined} onClose={() => setLeaving(undefined)} title={w.teams.leaveTitle(nameOf(leaving ?? ''))}>
        <p>{w.teams.leaveText}</p>
        <div class="row"><Button kind="danger" busy={busy} onClick={() => { void act(() => engine.removeFromTeam(team.lock, leaving ?? '')).then((ok) => { if (ok) { setLeaving(undefined); again() } }) }}>{w.teams.leave}</Button><Button kind="plain" onClick={() => setLeaving(undefined)}>{w.cancel}</Button></div>
        <ErrorPanel error={error} />
      </Dialog>
    </Card>
  )
}
