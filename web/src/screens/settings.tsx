// One's account and screen: passkeys, sessions, language and display, taking everything, leaving.

import type { ComponentChildren, JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { ScreenProps } from '../app/app.tsx'
import { languages, useAct, useEngine, useLoad, useWords, type Language } from '../app/context.tsx'
import type { Prefs } from '../app/prefs.ts'
import type { Me, Passkey } from '../engine/types.ts'
import { Button, Card, Check, Choices, Dialog, ErrorPanel, Field, Progress, Select, Tag } from '../parts/index.tsx'
import { Code } from './join.tsx'

export default function Settings({ prefs, setPrefs }: ScreenProps): JSX.Element {
  const engine = useEngine()
  const { w, date } = useWords()
  const me = engine.me as Me
  const patient = me.roles.some((r) => r === 'patient' || r === 'proxy')
  return (
    <>
      <div class="page-head"><h1 tabIndex={-1}>{w.settings.title}</h1><p class="soft">{w.settings.signedIn} <strong>{me.name}</strong>. {w.settings.sessionEnds(date(me.sessionUntil, 'datetime'))}</p></div>
      <div class="columns">
        <div class="stack-wide"><Passkeys /><Sessions /></div>
        <div class="stack-wide"><Look prefs={prefs} setPrefs={setPrefs} /><Take />{patient && <Erase />}</div>
      </div>
    </>
  )
}

function Passkeys(): JSX.Element {
  const engine = useEngine()
  const { w, date } = useWords()
  const { busy, error, act } = useAct()
  const list = useLoad(() => engine.myPasskeys(), [])
  const [asking, setAsking] = useState<'add' | 'code' | Passkey | undefined>(undefined)
  const [name, setName] = useState('')
  const [code, setCode] = useState<string | undefined>(undefined)
  const close = (): void => { setAsking(undefined); setName(''); setCode(undefined) }
  const renaming = typeof asking === 'object' ? asking : undefined
  return (
    <Card title={w.settings.passkeys}>
      <p class="soft">{w.settings.passkeysLead}</p>
      <ErrorPanel error={list.error} onRetry={list.again} />
      <ul class="list">{(list.value ?? []).map((p) => (
        <li key={p.id} class="item"><span class="main"><span class="title">{p.name || w.join.deviceDefault}</span><span class="soft small">{p.used ? w.settings.lastUsed(date(p.used, 'date')) : w.settings.made(date(p.created, 'date'))}</span></span>
          {p.synced && <Tag>{w.settings.synced}</Tag>}
          <Button kind="quiet" onClick={() => { setName(p.name); setAsking(p) }}>{w.settings.rename}</Button>
          {(list.value?.length ?? 0) > 1 && <Button kind="quiet" busy={busy} onClick={() => { void act(() => engine.removePasskey(p.id)).then(list.again) }}>{w.remove}</Button>}
        </li>
      ))}</ul>
      <ErrorPanel error={asking ? undefined : error} />
      <div class="row"><Button kind="plain" onClick={() => setAsking('add')}>{w.settings.addPasskey}</Button><Button kind="plain" onClick={() => setAsking('code')}>{w.settings.newCode}</Button></div>
      <Dialog open={asking === 'add'} onClose={close} title={w.settings.addPasskey}>
        <form class="stack" onSubmit={(event) => { event.preventDefault(); void act(() => engine.addPasskey(name.trim())).then((ok) => { if (ok) { close(); list.again() } }) }}>
          <Field label={w.settings.passkeyName} hint={w.join.deviceHint} value={name} onInput={setName} required autofocus />
          <Button type="submit" busy={busy} disabled={name.trim() === ''}>{w.settings.addPasskey}</Button><ErrorPanel error={error} />
        </form>
      </Dialog>
      <Dialog open={renaming !== undefined} onClose={close} title={w.settings.rename}>
        <form class="stack" onSubmit={(event) => { event.preventDefault(); void act(() => engine.renamePasskey(renaming?.id ?? '', name.trim())).then((ok) => { if (ok) { close(); list.again() } }) }}>
          <Field label={w.settings.passkeyName} value={name} onInput={setName} required autofocus /><Button type="submit" busy={busy} disabled={name.trim() === ''}>{w.save}</Button><ErrorPanel error={error} />
        </form>
      </Dialog>
      <Dialog open={asking === 'code'} onClose={close} title={w.settings.newCode}>
        {code ? <Code code={code} onDone={close} /> : <div class="stack"><p>{w.settings.newCodeText}</p><Button busy={busy} onClick={() => { void act(async () => setCode((await engine.newCode()).code)) }}>{w.settings.newCode}</Button><ErrorPanel error={error} /></div>}
      </Dialog>
    </Card>
  )
}

function Sessions(): JSX.Element {
  const engine = useEngine()
  const { w, date } = useWords()
  const { busy, error, act } = useAct()
  const list = useLoad(() => engine.sessions(), ['sessions'])
  return (
    <Card title={w.settings.sessions}>
      <ErrorPanel error={list.error ?? error} onRetry={list.again} />
      <ul class="list">{(list.value ?? []).map((s) => (
        <li key={s.id} class="item"><span class="main"><span class="title">{s.agent || w.settings.unknownAgent}</span><span class="soft small">{w.settings.since(date(s.started, 'datetime'))}</span></span>
          {s.current ? <Tag kind="good">{w.settings.thisDevice}</Tag> : <Button kind="quiet" busy={busy} onClick={() => { void act(() => engine.endSession(s.id)) }}>{w.settings.end}</Button>}</li>
      ))}</ul>
      <div><Button kind="plain" busy={busy} onClick={() => { void act(() => engine.signOut(true)) }}>{w.settings.everywhere}</Button></div>
    </Card>
  )
}

function Look({ prefs, setPrefs }: Pick<ScreenProps, 'prefs' | 'setPrefs'>): JSX.Element {
  const { w } = useWords()
  const s = w.settings
  const choice = <K extends keyof Prefs>(name: K, label: string, options: Readonly<Record<string, string>>): ComponentChildren => (
    <Choices label={label} name={name} value={prefs[name]} onInput={(value) => setPrefs({ [name]: value } as Partial<Prefs>)} options={Object.entries(options).map(([value, text]) => ({ value, label: text }))} />
  )
  return (
    <Card title={s.look}>
      <Select label={s.language} value={prefs.language} onInput={(language) => setPrefs({ language: language as Language })} options={languages.map((l) => ({ value: l.code, label: l.name }))} />
      {choice('theme', s.theme, s.themes)}{choice('size', s.size, s.sizes)}{choice('contrast', s.contrast, s.contrasts)}{choice('motion', s.motion, s.motions)}
    </Card>
  )
}

function Take(): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const { busy, error, act } = useAct()
  const [step, setStep] = useState<readonly [string, number, number] | undefined>(undefined)
  const [file, setFile] = useState<string | undefined>(undefined)
  const pack = (): void => { void act(async () => setFile(URL.createObjectURL(await engine.takeEverything((...at) => setStep(at))))).finally(() => setStep(undefined)) }
  return (
    <Card title={w.settings.take}>
      <p class="soft">{w.settings.takeText}</p>
      {step && <Progress label={w.steps[step[0]] ?? step[0]} done={step[1]} total={step[2]} />}
      {file ? <div class="row"><p class="strong">{w.settings.takeReady}</p><a class="button button-primary" href={file} download="ward-export.zip">{w.settings.takeSave}</a></div> : <div><Button kind="plain" busy={busy} onClick={pack}>{w.settings.takeStart}</Button></div>}
      <ErrorPanel error={error} onRetry={pack} />
    </Card>
  )
}

function Erase(): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const { busy, error, act } = useAct()
  const [open, setOpen] = useState(false)
  const [sure, setSure] = useState(false)
  const [typed, setTyped] = useState('')
  return (
    <Card title={w.settings.erase}>
      <p class="soft">{w.settings.eraseText}</p>
      <div><Button kind="plain" onClick={() => setOpen(true)}>{w.settings.erase}</Button></div>
      <Dialog open={open} onClose={() => setOpen(false)} title={w.settings.erase}>
        <p>{w.settings.eraseText}</p>
        <Check checked={sure} onInput={setSure}>{w.settings.eraseCheck}</Check>
        <Field label={w.settings.eraseType} value={typed} onInput={setTyped} autocomplete="off" spellcheck={false} />
        <div class="row"><Button kind="danger" busy={busy} disabled={!sure || typed.trim() !== w.settings.eraseWord} onClick={() => { void act(() => engine.eraseMe()) }}>{w.settings.eraseButton}</Button><Button kind="plain" onClick={() => setOpen(false)}>{w.cancel}</Button></div>
        <ErrorPanel error={error} />
      </Dialog>
    </Card>
  )
}
