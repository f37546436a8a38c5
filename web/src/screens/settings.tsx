// One's account and screen: passkeys, sessions, language and display, taking everything, leaving.

import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { ScreenProps } from '../app/app.tsx'
import { languages, useAct, useEngine, useLoad, useWords, type Language } from '../app/context.tsx'
import type { Prefs } from '../app/prefs.ts'
import { plain } from '../app/text.ts'
import type { Me, Passkey } from '../engine/types.ts'
import { Button, Card, Check, Choices, Dialog, ErrorPanel, Field, Icon, Notice, Progress, Select, Steps, Tag, announce, toFirstError, useSteps } from '../parts/index.tsx'
import { Feed, Remind } from './booking/remind.tsx'
import { ChangeKeys } from './changekeys.tsx'
import { Code } from './join.tsx'
import { LoadedProof, useLedger } from './proof.tsx'

export default function Settings({ prefs, setPrefs, leave }: ScreenProps): JSX.Element {
  const engine = useEngine()
  const { w, date } = useWords()
  const me = engine.me as Me
  const patient = me.roles.some((r) => r === 'patient' || r === 'proxy')
  return (
    <>
      <div class="page-head"><h1 tabIndex={-1}>{w.settings.title}</h1><p class="soft">{w.settings.signedIn} <strong>{me.name}</strong>. {w.settings.sessionEnds(date(me.sessionUntil, 'datetime'))}</p></div>
      <div class="columns">
        <div class="stack-wide"><Passkeys /><ChangeKeys /><OwnKeys /><Sessions /><Take /></div>
        <div class="stack-wide"><Look prefs={prefs} setPrefs={setPrefs} />{(patient || me.roles.includes('clinician')) && <><Remind /><Feed /></>}</div>
      </div>
      {patient && <Erase onErased={() => leave('erased')} />}
    </>
  )
}

type Asking = 'add' | 'code' | { readonly rename: Passkey } | { readonly remove: Passkey }

function Passkeys(): JSX.Element {
  const engine = useEngine()
  const { w, date } = useWords()
  const list = useLoad(() => engine.myPasskeys(), [])
  const [asking, setAsking] = useState<Asking | undefined>(undefined)
  const close = (): void => setAsking(undefined)
  const done = (): void => {
    close()
    list.again()
  }
  const all = list.value ?? []
  const nameOf = (p: Passkey): string => p.name || w.join.deviceDefault
  return (
    <Card title={w.settings.passkeys}>
      <p class="soft">{w.settings.passkeysLead}</p>
      <ErrorPanel error={list.error} onRetry={list.again} />
      {list.value === undefined && list.loading && <Progress label={w.loading} done={0} total={0} />}
      <ul class="list">{all.map((p) => (
        <li key={p.id} class="item"><Icon name="key" /><span class="main"><bdi class="title">{nameOf(p)}</bdi><span class="soft small">{p.used ? w.settings.lastUsed(date(p.used, 'date')) : w.settings.made(date(p.created, 'date'))}{p.synced ? ` · ${w.settings.synced}` : ''}</span></span>
          <span class="row tight"><Button kind="quiet" onClick={() => setAsking({ rename: p })} label={`${w.settings.rename}: ${nameOf(p)}`}>{w.settings.rename}</Button>{all.length > 1 && <Button kind="quiet" onClick={() => setAsking({ remove: p })} label={`${w.remove}: ${nameOf(p)}`}>{w.remove}</Button>}</span>
        </li>
      ))}</ul>
      {all.length === 1 && !all[0]?.synced && <Notice kind="warn"><p>{w.settings.onlyOne}</p></Notice>}
      <div class="row"><Button kind="plain" icon="key" onClick={() => setAsking('add')}>{w.settings.addPasskey}</Button><Button kind="plain" icon="print" onClick={() => setAsking('code')}>{w.settings.newCode}</Button></div>
      <Dialog open={asking === 'add'} onClose={close} title={w.settings.addPasskey}><Named hint={w.join.deviceHint} more={w.settings.addHint} label={w.settings.addPasskey} work={(name) => engine.addPasskey(name)} onDone={done} /></Dialog>
      <Dialog open={typeof asking === 'object' && 'rename' in asking} onClose={close} title={w.settings.rename}>{typeof asking === 'object' && 'rename' in asking && <Named start={asking.rename.name} label={w.save} work={(name) => engine.renamePasskey(asking.rename.id, name)} onDone={done} />}</Dialog>
      <Dialog open={typeof asking === 'object' && 'remove' in asking} onClose={close} title={typeof asking === 'object' && 'remove' in asking ? w.settings.removePasskeyTitle(nameOf(asking.remove)) : ''}>{typeof asking === 'object' && 'remove' in asking && <Sure text={`${w.settings.removePasskeyText} ${w.keys.passkeyNote}`} label={w.remove} work={() => engine.removePasskey(asking.remove.id)} onDone={done} onCancel={close} />}</Dialog>
      <Dialog open={asking === 'code'} onClose={close} title={w.settings.newCode}><NewCode onDone={close} /></Dialog>
    </Card>
  )
}

function Named({ start = '', hint, more, label, work, onDone }: { start?: string; hint?: string; more?: string; label: string; work: (name: string) => Promise<void>; onDone: () => void }): JSX.Element {
  const { w } = useWords()
  const { busy, error, act } = useAct()
  const [name, setName] = useState(start)
  const [asked, setAsked] = useState(false)
  const nameless = name.trim() === ''
  const submit = (form: HTMLFormElement): void => {
    setAsked(nameless)
    if (nameless) toFirstError(form)
    else void act(() => work(name.trim())).then((ok) => ok && onDone())
  }
  return (
    <form class="stack" noValidate onSubmit={(event) => { event.preventDefault(); submit(event.currentTarget) }}>
      <Field label={w.settings.passkeyName} {...(hint && { hint })} value={name} onInput={setName} required autofocus autocomplete="off" {...(asked && nameless && { error: w.needed.name })} />
      {more && <p class="small soft">{more}</p>}
      <div><Button type="submit" busy={busy}>{label}</Button></div><ErrorPanel error={error} />
    </form>
  )
}

function Sure({ text, label, work, onDone, onCancel }: { text: string; label: string; work: () => Promise<void>; onDone: () => void; onCancel: () => void }): JSX.Element {
  const { w } = useWords()
  const { busy, error, act } = useAct()
  return (
    <div class="stack"><p>{text}</p>
      <div class="row"><Button kind="danger" busy={busy} onClick={() => { void act(work).then((ok) => ok && onDone()) }}>{label}</Button><Button kind="plain" onClick={onCancel}>{w.cancel}</Button></div>
      <ErrorPanel error={error} />
    </div>
  )
}

function NewCode({ onDone }: { onDone: () => void }): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const { busy, error, act } = useAct()
  const [code, setCode] = useState<string | undefined>(undefined)
  if (code) return <Code code={code} onDone={onDone} />
  return <div class="stack"><p>{w.settings.newCodeText}</p><div><Button busy={busy} onClick={() => { void act(async () => setCode((await engine.newCode()).code)) }}>{w.settings.newCode}</Button></div><ErrorPanel error={error} /></div>
}

/** That nobody put other keys in one's name. Nothing of it where the clinic has no ledger. */
function OwnKeys(): JSX.Element | null {
  const engine = useEngine()
  const { w } = useWords()
  const has = useLedger()
  if (!engine.me || !has) return null
  const { person } = engine.me
  return <Card title={w.ledger.proof.ownCard}><p class="soft">{w.ledger.proof.ownCardText}</p><LoadedProof card load={() => engine.cardProof(person)} /></Card>
}

function Sessions(): JSX.Element {
  const engine = useEngine()
  const { w, date } = useWords()
  const { busy, error, act } = useAct()
  const list = useLoad(() => engine.sessions(), ['sessions'])
  return (
    <Card title={w.settings.sessions}>
      <ErrorPanel error={list.error ?? error} onRetry={list.again} />
      {list.value === undefined && list.loading && <Progress label={w.loading} done={0} total={0} />}
      <ul class="list">{(list.value ?? []).map((s) => {
        const { name, phone } = agentOf(s.agent)
        const title = name ? w.settings.agent(...name) : w.settings.unknownAgent
        return (
          <li key={s.id} class="item"><Icon name={phone ? 'device' : 'computer'} /><span class="main"><span class="title">{title}</span><span class="soft small">{w.settings.since(date(s.started, 'date'))} · {w.settings.usedOn(date(s.used, 'date'))}</span></span>
            {s.current ? <Tag kind="good">{w.settings.thisDevice}</Tag> : <Button kind="quiet" busy={busy} onClick={() => { void act(() => engine.endSession(s.id)) }} label={`${w.settings.end}: ${title}`}>{w.settings.end}</Button>}</li>
        )
      })}</ul>
      <div><Button kind="plain" icon="leave" busy={busy} onClick={() => { void act(() => engine.signOut(true)) }}>{w.settings.everywhere}</Button></div>
    </Card>
  )
}

const browsers: readonly (readonly [RegExp, string])[] = [[/Edg/, 'Edge'], [/OPR/, 'Opera'], [/SamsungBrowser/, 'Samsung Internet'], [/Firefox|FxiOS/, 'Firefox'], [/Chrome|CriOS/, 'Chrome'], [/Safari/, 'Safari']]
const systems: readonly (readonly [RegExp, string])[] = [[/iPhone/, 'iPhone'], [/iPad/, 'iPad'], [/Android/, 'Android'], [/Windows/, 'Windows'], [/Mac OS X/, 'Mac'], [/CrOS/, 'ChromeOS'], [/Linux/, 'Linux']]

/** What people call the browser and the device that name themselves so; the first that fits. */
function agentOf(agent: string): { readonly name?: readonly [string, string]; readonly phone: boolean } {
  const find = (list: typeof browsers): string | undefined => list.find(([sign]) => sign.test(agent))?.[1]
  const browser = find(browsers), system = find(systems)
  return { phone: /iPhone|Android/.test(agent), ...(browser && system && { name: [browser, system] as const }) }
}

function Look({ prefs, setPrefs }: Pick<ScreenProps, 'prefs' | 'setPrefs'>): JSX.Element {
  const { w } = useWords()
  const s = w.settings
  const choice = <K extends keyof Prefs>(name: K, label: string, options: Readonly<Record<string, string>>): ComponentChildren => (
    <Choices label={label} name={name} value={prefs[name]} onInput={(value) => setPrefs({ [name]: value } as Partial<Prefs>)} options={Object.entries(options).map(([value, text]) => ({ value, label: text }))} />
  )
  return (
    <Card title={s.look}>
      <p class="soft">{s.lookLead}</p>
      <Select label={s.language} value={prefs.language} onInput={(language) => setPrefs({ language: language as Language })} options={languages.map((l) => ({ value: l.code, label: l.name }))} />
      {choice('theme', s.theme, s.themes)}{choice('size', s.size, s.sizes)}{choice('contrast', s.contrast, s.contrasts)}{choice('motion', s.motion, s.motions)}
    </Card>
  )
}

function Take(): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const { busy, error, act } = useAct()
  const { step, progress, stop } = useSteps()
  const [file, setFile] = useState<string | undefined>(undefined)
  useEffect(() => () => { if (file) URL.revokeObjectURL(file) }, [file])
  const pack = (): void => {
    void act(async () => {
      setFile(URL.createObjectURL(await engine.takeEverything(progress)))
      announce(w.settings.takeReady)
    }).finally(stop)
  }
  return (
    <Card title={w.settings.take}>
      <p class="soft">{w.settings.takeText}</p>
      {step && <><Steps at={step} /><p class="small soft">{w.settings.takeStay}</p></>}
      {file ? <Notice kind="good" title={w.settings.takeReady}><div><a class="button button-primary" href={file} download="ward-export.zip"><Icon name="take" />{w.settings.takeSave}</a></div></Notice> : <div><Button kind="plain" icon="take" busy={busy} onClick={pack}>{w.settings.takeStart}</Button></div>}
      <ErrorPanel error={error} onRetry={pack} />
    </Card>
  )
}

/** Two plain steps: what it means, with a chance to take a copy first; then a box and a word. */
function Erase({ onErased }: { onErased: () => void }): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const { busy, error, act } = useAct()
  const [open, setOpen] = useState(false)
  const [sure, setSure] = useState(false)
  const [typed, setTyped] = useState('')
  const [asked, setAsked] = useState(false)
  const spelt = plain(typed) === plain(w.settings.eraseWord)
  const close = (): void => {
    setOpen(false)
    setSure(false)
    setTyped('')
    setAsked(false)
  }
  const submit = (form: HTMLFormElement): void => {
    setAsked(true)
    if (sure && spelt) void act(() => engine.eraseMe()).then((ok) => ok && onErased())
    else toFirstError(form)
  }
  return (
    <Card title={w.settings.erase}>
      <p class="soft">{w.settings.eraseText}</p>
      <div><Button kind="plain" icon="trash" onClick={() => setOpen(true)}>{w.settings.erase}</Button></div>
      <Dialog open={open} onClose={close} title={w.settings.erase}>
        <p>{w.settings.eraseText}</p>
        <p class="soft">{w.settings.eraseFirst}</p>
        <form class="stack" noValidate onSubmit={(event) => { event.preventDefault(); submit(event.currentTarget) }}>
          <Check checked={sure} onInput={setSure} required {...(asked && !sure && { error: w.needed.sure })}>{w.settings.eraseCheck}</Check>
          <Field label={w.settings.eraseType} value={typed} onInput={setTyped} required autocomplete="off" spellcheck={false} {...(asked && !spelt && { error: w.needed.word(w.settings.eraseWord) })} />
          <div class="row"><Button type="submit" kind="danger" icon="trash" busy={busy}>{w.settings.eraseButton}</Button><Button kind="plain" onClick={close}>{w.cancel}</Button></div>
        </form>
        <ErrorPanel error={error} />
      </Dialog>
    </Card>
  )
}
