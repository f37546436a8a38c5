// One of many, found by typing.

import type { ComponentChildren, JSX } from 'preact'
import { useId, useState } from 'preact/hooks'
import { useWords } from '../../app/context.tsx'
import { matches } from '../../app/text.ts'
import type { Person } from '../../engine/types.ts'
import { Button, Face, Field } from '../../parts/index.tsx'

const picks = 5 // matches in sight; with more, typing on is quicker than reading

interface Row { readonly id: string; readonly name: string; readonly search: string; readonly more?: string; readonly face?: boolean }

export function Pick({ label, hint, rows, value, onInput, none, error }: { label: string; hint: string; rows: readonly Row[]; value: string; onInput: (id: string) => void; none: string; error?: string }): JSX.Element {
  const { w } = useWords()
  const [search, setSearch] = useState('')
  const id = useId()
  const chosen = rows.find((r) => r.id === value)
  if (chosen) {
    return (
      <div class="field" role="group" aria-labelledby={id}><span class="label" id={id}>{label}</span>
        <div class="picked"><Shown row={chosen} /><Button kind="quiet" onClick={() => { setSearch(''); onInput('') }} label={`${w.calendar.change}: ${label}`}>{w.calendar.change}</Button></div>
      </div>
    )
  }
  const found = rows.filter((r) => matches(r.search, search)).slice(0, picks)
  return (
    <div class="stack-tight">
      <Field label={label} hint={hint} type="search" value={search} onInput={setSearch} autocomplete="off" {...(error && { error })} />
      <ul class="picks">{found.map((r) => <li key={r.id}><button type="button" onClick={() => { setSearch(''); onInput(r.id) }}><Shown row={r} /></button></li>)}</ul>
      {found.length === 0 && <p class="small soft">{none}</p>}
    </div>
  )
}

function Shown({ row }: { row: Row }): ComponentChildren {
  return <>{row.face && <Face name={row.name} />}<span class="main"><bdi class="title">{row.name}</bdi>{row.more && <span class="soft small">{row.more}</span>}</span></>
}

/** Finds a patient by name; the birth date tells namesakes apart. */
export function PickPatient({ label, people, value, onInput, error }: { label: string; people: readonly Person[]; value: string; onInput: (person: string) => void; error?: string }): JSX.Element {
  const { w, date } = useWords()
  const rows = people.map((p) => ({ id: p.person, name: p.name || w.unnamed, search: p.name, face: true, ...(p.birthDate !== undefined && { more: w.home.born(date(p.birthDate, 'date')) }) }))
  return <Pick label={label} hint={w.home.find} rows={rows} value={value} onInput={onInput} none={w.home.findNone} {...(error && { error })} />
}
