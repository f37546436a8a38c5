// The parts that screens are made of: buttons, fields, choices, dialogs, menus, progress, notices, what is said aloud.
// web/DESIGN.md says why they look so. Each brings its own label, hint, error and role, so that a screen made of parts
// can be used by keyboard and screen reader without more. Forms check themselves: noValidate, an error per field, and
// toFirstError. Long work: useSteps gives the engine its Progress, and Steps shows it in words and numbers.

import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { useEngine, useWords } from '../app/context.tsx'
import { Link } from '../app/router.tsx'
import type { Problem } from '../engine/types.ts'
import { Icon, Mark, type IconName } from './icons.tsx'

export { Icon, Mark, type IconName }

type Kind = 'primary' | 'plain' | 'danger' | 'quiet'

export function Button({ kind = 'primary', type = 'button', onClick, disabled, busy, children, href, wide, large, label, icon }: {
  kind?: Kind; type?: 'button' | 'submit'; onClick?: () => void; disabled?: boolean; busy?: boolean; children: ComponentChildren; href?: string; wide?: boolean; large?: boolean; label?: string; icon?: IconName
}): JSX.Element {
  const style = `button button-${kind}${wide ? ' button-wide' : ''}${large ? ' button-large' : ''}`
  if (href !== undefined) return <Link href={href} class={style} {...(label && { 'aria-label': label })}>{icon && <Icon name={icon} />}{children}</Link>
  return (
    <button type={type} class={style} onClick={onClick} disabled={disabled === true || busy === true} aria-busy={busy === true} {...(label && { 'aria-label': label })}>
      {busy ? <span class="busy" aria-hidden="true" /> : icon && <Icon name={icon} />}{children}
    </button>
  )
}

type Input = {
  label: string; hint?: string; error?: string; value: string; onInput: (value: string) => void; type?: 'text' | 'date' | 'time' | 'tel' | 'email' | 'search' | 'datetime-local'; multiline?: boolean; rows?: number; required?: boolean
  autocomplete?: string; inputMode?: 'text' | 'tel' | 'email' | 'numeric' | 'search'; placeholder?: string; min?: string; max?: string; autofocus?: boolean; spellcheck?: boolean; dir?: 'ltr' | 'auto'; autocapitalize?: 'characters'; code?: boolean
}

export function Field({ label, hint, error, value, onInput, type = 'text', multiline, rows = 5, required, autocomplete, inputMode, placeholder, min, max, autofocus, spellcheck, dir, autocapitalize, code }: Input): JSX.Element {
  const id = useId()
  const about = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ')
  const common = {
    id, value, required, placeholder, autofocus, 'aria-invalid': error !== undefined, ...(about && { 'aria-describedby': about }), ...(dir && { dir }),
    ...(autocomplete && { autocomplete }), ...(spellcheck !== undefined && { spellcheck }), ...(autocapitalize && { autocapitalize }), ...(code && { class: 'typed-code' }),
  }
  const box = useRef<HTMLInputElement & HTMLTextAreaElement>(null)
  useEffect(() => { if (autofocus) box.current?.focus() }, [])
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {hint && <span class="hint" id={`${id}-hint`}>{hint}</span>}
      {multiline
        ? <textarea ref={box} {...common} rows={rows} dir={dir ?? 'auto'} onInput={(event) => onInput(event.currentTarget.value)} />
        : <input ref={box} {...common} type={type as 'text'} {...(inputMode && { inputMode })} {...(min && { min })} {...(max && { max })} onInput={(event) => onInput(event.currentTarget.value)} />}
      {error && <span class="error" id={`${id}-error`}>{error}</span>}
    </div>
  )
}

export function Select({ label, hint, error, value, onInput, options }: { label: string; hint?: string; error?: string; value: string; onInput: (value: string) => void; options: readonly { value: string; label: string }[] }): JSX.Element {
  const id = useId()
  const about = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ')
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {hint && <span class="hint" id={`${id}-hint`}>{hint}</span>}
      <select id={id} value={value} aria-invalid={error !== undefined} {...(about && { 'aria-describedby': about })} onInput={(event) => onInput(event.currentTarget.value)}>
        {options.map((o) => <option key={o.value} value={o.value}>{o.label}</option>)}
      </select>
      {error && <span class="error" id={`${id}-error`}>{error}</span>}
    </div>
  )
}

export function Check({ checked, onInput, required, error, children }: { checked: boolean; onInput: (checked: boolean) => void; required?: boolean; error?: string; children: ComponentChildren }): JSX.Element {
  const id = useId()
  return (
    <div class="check-field">
      <label class="check"><input type="checkbox" checked={checked} required={required} aria-invalid={error !== undefined} {...(error && { 'aria-describedby': `${id}-error` })} onInput={(event) => onInput(event.currentTarget.checked)} /><span>{children}</span></label>
      {error && <span class="error" id={`${id}-error`}>{error}</span>}
    </div>
  )
}

export interface Choice { readonly value: string; readonly label: string; readonly hint?: string }

/** One of a few, all in sight. Compact ones stand in a row, to filter what is below. */
export function Choices({ label, name, value, onInput, options, compact }: { label: string; name: string; value: string; onInput: (value: string) => void; options: readonly Choice[]; compact?: boolean }): JSX.Element {
  return (
    <fieldset class={compact ? 'choices choices-compact' : 'choices'}><legend class={compact ? 'sr' : undefined}>{label}</legend>
      {options.map((o) => (
        <label class="choice" key={o.value}><input type="radio" name={name} value={o.value} checked={o.value === value} onInput={() => onInput(o.value)} /><span>{o.label}{o.hint && <span class="hint">{o.hint}</span>}</span></label>
      ))}
    </fieldset>
  )
}

/** A date far from today, typed rather than looked for. '' when nothing is typed; undefined while it is not a date. */
export function DateField({ label, hint, error, value, onInput, required, birthday }: {
  label: string; hint?: string; error?: string; value: string | undefined; onInput: (iso: string | undefined) => void; required?: boolean; birthday?: boolean
}): JSX.Element {
  const { w, lang } = useWords()
  const id = useId()
  const [year0, month0, day0] = (value ?? '').split('-')
  const [parts, setParts] = useState({ day: day0 ? String(Number(day0)) : '', month: month0 ? String(Number(month0)) : '', year: year0 ?? '' })
  const change = (next: Partial<typeof parts>): void => {
    const all = { ...parts, ...next }
    setParts(all)
    onInput(isoDate(all.year, all.month, all.day))
  }
  const about = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ')
  const more = { required, 'aria-invalid': error !== undefined, ...(about && { 'aria-describedby': about }) }
  const complete = (part: string): Record<string, string> => (birthday ? { autocomplete: `bday-${part}` } : {})
  return (
    <fieldset class="field date">
      <legend class="label">{label}</legend>
      {hint && <span class="hint" id={`${id}-hint`}>{hint}</span>}
      <div class="date-parts">
        <label>{w.date.day}<input {...more} {...complete('day')} inputMode="numeric" size={2} value={parts.day} onInput={(event) => change({ day: digits(event.currentTarget.value, 2) })} /></label>
        <label>{w.date.month}<select {...more} {...complete('month')} value={parts.month} onInput={(event) => change({ month: event.currentTarget.value })}>
          <option value="">{w.date.choose}</option>
          {Array.from({ length: 12 }, (_, m) => <option key={m} value={String(m + 1)}>{new Intl.DateTimeFormat(lang, { month: 'long', timeZone: 'UTC' }).format(Date.UTC(2000, m, 1))}</option>)}
        </select></label>
        <label>{w.date.year}<input {...more} {...complete('year')} inputMode="numeric" size={4} value={parts.year} onInput={(event) => change({ year: digits(event.currentTarget.value, 4) })} /></label>
      </div>
      {error && <span class="error" id={`${id}-error`}>{error}</span>}
    </fieldset>
  )
}

/** The digits of what was typed, also those of Arabic and Persian keyboards. */
export function digits(typed: string, most: number): string {
  return typed.replace(/[\u0660-\u0669\u06f0-\u06f9]/g, (d) => String(d.charCodeAt(0) & 15)).replace(/\D/g, '').slice(0, most)
}

const firstYear = 1900

function isoDate(year: string, month: string, day: string): string | undefined {
  if (year === '' && month === '' && day === '') return ''
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)))
  const real = Number(year) >= firstYear && date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day)
  return real ? date.toISOString().slice(0, 10) : undefined
}

/** Moves to the first field that needs attention, once it says so. */
export function toFirstError(form: HTMLElement): void {
  requestAnimationFrame(() => form.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus())
}

export function Dialog({ open, onClose, title, children }: { open: boolean; onClose: () => void; title: string; children: ComponentChildren }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  const { w } = useWords()
  useEffect(() => {
    const d = dialog.current
    if (open && d && !d.open) {
      d.showModal()
      d.querySelector<HTMLElement>('[autofocus], h2')?.focus()
    }
    if (!open && d?.open) d.close()
  }, [open])
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={onClose}>
      {open && <div class="dialog"><header><h2 id={id} tabIndex={-1}>{title}</h2><button type="button" class="close" aria-label={w.close} onClick={onClose}>×</button></header>{children}</div>}
    </dialog>
  )
}

export function Progress({ label, done, total }: { label: string; done: number; total: number }): JSX.Element {
  const { n } = useWords()
  const known = total > 0
  const percent = known ? Math.min(100, Math.round((100 * done) / total)) : 0
  return (
    <div class={known ? 'progress' : 'progress progress-unknown'}>
      <progress aria-label={label} {...(known && { value: percent, max: 100 })} />
      <div class="words"><span>{label}</span>{known && <span>{n(percent)}%</span>}</div>
    </div>
  )
}

type At = readonly [step: string, done: number, total: number]

/** Where long work is: give progress to the engine, and at to Steps. */
export function useSteps(): { readonly step: At | undefined; progress(step: string, done: number, total: number): void; stop(): void } {
  const [step, setStep] = useState<At | undefined>(undefined)
  return { step, progress: (...at) => setStep(at), stop: () => setStep(undefined) }
}

export function Steps({ at }: { at: At | undefined }): JSX.Element | null {
  const { w } = useWords()
  return at ? <Progress label={w.steps[at[0]] ?? w.loading} done={at[1]} total={at[2]} /> : null
}

const noticeIcons = { info: undefined, warn: 'warn', danger: 'warn', good: 'good' } as const

export function Notice({ kind = 'info', title, children }: { kind?: 'info' | 'warn' | 'danger' | 'good'; title?: string; children?: ComponentChildren }): JSX.Element {
  const icon = noticeIcons[kind]
  return <div class={`notice notice-${kind}`} role={kind === 'danger' ? 'alert' : 'note'}>{icon && <Icon name={icon} />}<div class="notice-words">{title && <p class="title">{title}</p>}{children}</div></div>
}

export function Tag({ kind, children }: { kind?: 'good' | 'warn' | 'danger' | 'plain'; children: ComponentChildren }): JSX.Element {
  return <span class={kind ? `tag tag-${kind}` : 'tag'}>{children}</span>
}

export function Card({ title, children, actions, level = 2 }: { title?: string; children?: ComponentChildren; actions?: ComponentChildren; level?: 2 | 3 }): JSX.Element {
  const H = level === 2 ? 'h2' : 'h3'
  return <section class="card">{(title || actions) && <header>{title && <H>{title}</H>}{actions}</header>}{children}</section>
}

export function Empty({ title, children, icon = 'look' }: { title: string; children?: ComponentChildren; icon?: IconName }): JSX.Element {
  return <div class="empty"><Icon name={icon} /><p class="title">{title}</p>{children}</div>
}

/** What went wrong, as a sentence and a next step; the technical part for who wants it. */
export function ErrorPanel({ error, onRetry }: { error: Problem | undefined; onRetry?: () => void }): JSX.Element | null {
  const { w } = useWords()
  if (!error) return null
  const [title, next] = w.problems[error.code] ?? w.problems.internal
  if (error.code === 'no-prf') return <CannotUnlock title={title} next={next} />
  return (
    <Notice kind={error.code === 'offline' || error.code === 'cancelled' ? 'warn' : 'danger'} title={title}>
      <p>{next}</p>
      {onRetry && <div><Button kind="plain" onClick={onRetry}>{w.tryAgain}</Button></div>}
      {error.code !== 'cancelled' && error.code !== 'offline' && <details><summary class="more-details">{w.details}</summary><p class="small" dir="ltr">{error.message}{error.hint ? ` — ${error.hint}` : ''}{error.policies?.length ? ` [${error.policies.join(', ')}]` : ''}</p></details>}
    </Notice>
  )
}

/** An authenticator without PRF: why it is not enough, and what is. */
function CannotUnlock({ title, next }: { title: string; next: string }): JSX.Element {
  const { w } = useWords()
  const ways: readonly (readonly [IconName, string])[] = [['scan', w.noPRF.phone], ['computer', w.noPRF.builtIn], ['key', w.noPRF.securityKey]]
  return (
    <Notice kind="danger" title={title}>
      <p>{w.noPRF.why}</p>
      <ul class="ways">{ways.map(([icon, text]) => <li key={icon}><Icon name={icon} />{text}</li>)}</ul>
      <p class="strong">{next}</p>
      <p class="small">{w.noPRF.never}</p>
    </Notice>
  )
}

/** Said beforehand by a browser that knows it lacks PRF; nothing where it has it, or does not know. */
export function MayNotUnlock(): JSX.Element | null {
  const engine = useEngine()
  const { w } = useWords()
  const [cannot, setCannot] = useState(false)
  useEffect(() => { engine.passkeys().then((p) => setCannot(p.prf === 'no'), () => undefined) }, [])
  return cannot ? <Notice kind="warn" title={w.start.noUnlock}><p>{w.start.noUnlockText}</p><p>{w.start.update}</p></Notice> : null
}

/** Places beside each other. Where they are wider than the screen they scroll, and the one with the focus is whole. */
export function Tabs({ label, items }: { label: string; items: readonly { href: string; label: string; current: boolean }[] }): JSX.Element {
  const show = (event: FocusEvent): void => (event.target as Element).scrollIntoView({ block: 'nearest', inline: 'nearest' })
  return <nav class="tabs" aria-label={label} onFocusIn={show}>{items.map((i) => <Link key={i.href} href={i.href} {...(i.current && { 'aria-current': 'page' as const })}>{i.label}</Link>)}</nav>
}

export function Face({ name }: { name: string }): JSX.Element {
  const letters = name.replace(/^Dr\.?\s+/i, '').split(/\s+/).filter(Boolean).map((part) => Array.from(part)[0] ?? '').slice(0, 2).join('')
  return <span class="face" aria-hidden="true">{letters || '·'}</span>
}

/** Things to do that need not always be in sight. Closes on Escape, on a choice, and when one goes elsewhere. */
export function Menu({ label, icon = 'more', children }: { label: string; icon?: IconName; children: ComponentChildren }): JSX.Element {
  const [open, setOpen] = useState(false)
  const box = useRef<HTMLDivElement>(null)
  const id = useId()
  useEffect(() => {
    if (!open) return
    const away = (event: Event): void => { if (!box.current?.contains(event.target as Node)) setOpen(false) }
    document.addEventListener('pointerdown', away)
    document.addEventListener('focusin', away)
    return () => {
      document.removeEventListener('pointerdown', away)
      document.removeEventListener('focusin', away)
    }
  }, [open])
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || !open) return
    setOpen(false)
    box.current?.querySelector('button')?.focus()
  }
  return (
    <div class="menu" ref={box} onKeyDown={onKeyDown}>
      <button type="button" aria-expanded={open} aria-controls={id} onClick={() => setOpen(!open)}><Icon name={icon} /><span>{label}</span></button>
      {open && <div class="menu-list" id={id} onClick={() => setOpen(false)}>{children}</div>}
    </div>
  )
}

/** Copies text, and says that it did. */
export function CopyButton({ text, children }: { text: string; children: ComponentChildren }): JSX.Element {
  const { w } = useWords()
  const [copied, setCopied] = useState(false)
  return <Button kind="plain" icon={copied ? 'tick' : 'copy'} onClick={() => { navigator.clipboard.writeText(text).then(() => { setCopied(true); announce(w.copied) }, () => undefined) }}>{copied ? w.copied : children}</Button>
}

// The live region: one for the page, polite.

let say: ((text: string) => void) | undefined

export function announce(text: string): void { say?.(text) }

export function LiveRegion(): JSX.Element {
  const [text, setText] = useState('')
  useEffect(() => {
    let timer = 0
    say = (next) => {
      setText(next)
      clearTimeout(timer)
      timer = window.setTimeout(() => setText(''), 6000)
    }
    return () => { say = undefined }
  }, [])
  return <><div class="sr" role="status" aria-live="polite">{text}</div>{text && <div class="toast no-print" aria-hidden="true">{text}</div>}</>
}
