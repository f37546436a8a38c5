import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { ScreenProps } from '../app/app.tsx'
import { useAct, useEngine, useLoad, useWords } from '../app/context.tsx'
import type { Person, Team } from '../engine/types.ts'
import { Button, Card, Empty, ErrorPanel, Face, Field, Progress, Select } from '../parts/index.tsx'

export default function Teams(_: ScreenProps): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const { busy, error, act } = useAct()
  const [name, setName] = useState('')
  const teams = useLoad(() => engine.teams(), ['people'])
  const people = useLoad(() => engine.people(), ['people'])
  return (
    <>
      <div class="page-head"><h1 tabIndex={-1}>{w.teams.title}</h1><p class="soft">{w.teams.lead}</p></div>
      <ErrorPanel error={teams.error} onRetry={teams.again} />
      {teams.value === undefined ? <Progress label={w.loading} done={0} total={0} /> : teams.value.length === 0 ? <Empty title={w.teams.none} /> : teams.value.map((t) => <One key={t.lock} team={t} people={people.value ?? []} again={teams.again} />)}
      <Card title={w.teams.create}>
        <form class="stack" onSubmit={(event) => { event.preventDefault(); void act(() => engine.createTeam(name.trim(), [])).then((ok) => { if (ok) { setName(''); teams.again() } }) }}>
          <Field label={w.teams.name} value={name} onInput={setName} />
          <div><Button type="submit" busy={busy} disabled={name.trim() === ''}>{w.teams.create}</Button></div>
          <ErrorPanel error={error} />
        </form>
      </Card>
    </>
  )
}

function One({ team, people, again }: { team: Team; people: readonly Person[]; again: () => void }): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const { busy, error, act } = useAct()
  const [adding, setAdding] = useState('')
  const nameOf = (id: string): string => people.find((p) => p.person === id)?.name || w.unnamed
  const others = people.filter((p) => p.roles.includes('clinician') && p.state === 'active' && !team.members.includes(p.person))
  return (
    <Card title={team.name || w.teams.clinicians}>
      {!team.mine ? <p class="soft">{w.teams.notMine}</p> : (
        <>
          <p class="soft">{w.teams.members(team.members.length)}</p>
          <ul class="list">{team.members.map((m) => (
            <li key={m} class="item"><Face name={nameOf(m)} /><span class="main"><span class="title">{nameOf(m)}</span></span>
              {m !== engine.me?.person && <Button kind="quiet" busy={busy} onClick={() => { void act(() => engine.removeFromTeam(team.lock, m)).then(again) }}>{w.teams.leave}</Button>}</li>
          ))}</ul>
          {others.length > 0 && (
            <form class="row" onSubmit={(event) => { event.preventDefault(); void act(() => engine.addToTeam(team.lock, adding || (others[0]?.person ?? ''))).then(again) }}>
              <div class="grow"><Select label={w.teams.addMember} value={adding || (others[0]?.person ?? '')} onInput={setAdding} options={others.map((p) => ({ value: p.person, label: p.name || w.unnamed }))} /></div>
              <Button type="submit" kind="plain" busy={busy}>{w.add}</Button>
            </form>
          )}
          <ErrorPanel error={error} />
        </>
      )}
    </Card>
  )
}
