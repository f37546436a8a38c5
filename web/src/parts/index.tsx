// The parts that screens are made of: buttons, fields, dialogs, notices. web/DESIGN.md says why they look so.

import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { useWords } from '../app/context.tsx'
import { Link } from '../app/router.tsx'
import type { Problem } from '../engine/types.ts'

type Kind = 'primary' | 'plain' | 'danger' | 'quiet'

export function Button({ kind = 'primary', type = 'button', onClick, disabled, busy, children, href, wide, large, label }: {
  kind?: Kind; type?: 'button' | 'submit'; onClick?: () => void; disabled?: boolean; busy?: boolean; children: ComponentChildren; href?: string; wide?: boolean; large?: boolean; label?: string
}): JSX.Element {
  const style = `button button-${kind}${wide ? ' button-wide' : ''}${large ? ' button-large' : ''}`
  if (href !== undefined) return <Link href={href} class={style}>{children}</Link>
  return (
    <button type={type} class={style} onClick={onClick} disabled={disabled === true || busy === true} aria-busy={busy === true} {...(label && { 'aria-label': label })}>
      {busy && <span class="busy" aria-hidden="true" />}{children}
    </button>
  )
}

type Input = {
  label: string; hint?: string; error?: string; value: string; onInput: (value: string) => void; type?: 'text' | 'date' | 'time' | 'tel' | 'email' | 'search' | 'datetime-local'; multiline?: boolean; rows?: number; required?: boolean
  autocomplete?: string; inputMode?: 'text' | 'tel' | 'email' | 'numeric' | 'search'; placeholder?: string; min?: string; max?: string; autofocus?: boolean; spellcheck?: boolean; dir?: 'ltr' | 'auto'
}

export function Field({ label, hint, error, value, onInput, type = 'text', multiline, rows = 5, required, autocomplete, inputMode, placeholder, min, max, autofocus, spellcheck, dir }: Input): JSX.Element {
  const id = useId()
  const about = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ')
  const common = {
    id, value, required, placeholder, 'aria-invalid': error !== undefined, ...(about && { 'aria-describedby': about }), ...(dir && { dir }),
    ...(autocomplete && { autocomplete }), ...(spellcheck !== undefined && { spellcheck }),
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

export function Select({ label, hint, value, onInput, options }: { label: string; hint?: string; value: string; onInput: (value: string) => void; options: readonly { value: string; label: string }[] }): JSX.Element {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {hint && <span class="hint" id={`${id}-hint`}>{hint}</span>}
      <select id={id} value={value} {...(hint && { 'aria-describedby': `${id}-hint` })} onInput={(event) => onInput(event.currentTarget.value)}>
        {options.map((o) => <option key={o.value} value={o.value}>{o.label}</option>)}
      </select>
    </div>
  )
}

export function Check({ checked, onInput, children }: { checked: boolean; onInput: (checked: boolean) => void; children: ComponentChildren }): JSX.Element {
  return <label class="check"><input type="checkbox" checked={checked} onInput={(event) => onInput(event.currentTarget.checked)} /><span>{children}</span></label>
}

export function Choices({ label, name, value, onInput, options }: { label: string; name: string; value: string; onInput: (value: string) => void; options: readonly { value: string; label: string }[] }): JSX.Element {
  return (
    <fieldset class="choices"><legend>{label}</legend>
      {options.map((o) => (
        <label class="choice" key={o.value}><input type="radio" name={name} value={o.value} checked={o.value === value} onInput={() => onInput(o.value)} />{o.label}</label>
      ))}
    </fieldset>
  )
}

export function Dialog({ open, onClose, title, children }: { open: boolean; onClose: () => void; title: string; children: ComponentChildren }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  const { w } = useWords()
  useEffect(() => {
    const d = dialog.current
    if (open && !d?.open) d?.showModal()
    if (!open && d?.open) d.close()
  }, [open])
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={onClose}>
      {open && <div class="dialog"><header><h2 id={id}>{title}</h2><button type="button" class="close" aria-label={w.close} onClick={onClose}>×</button></header>{children}</div>}
    </dialog>
  )
}

export function Progress({ label, done, total }: { label: string; done: number; total: number }): JSX.Element {
  const { n } = useWords()
  const known = total > 0
  const percent = known ? Math.min(100, Math.round((100 * done) / total)) : 0
  return (
    <div class="progress">
      <progress aria-label={label} {...(known && { value: percent, max: 100 })} />
      <div class="words"><span>{label}</span>{known && <span>{n(percent)}%</span>}</div>
    </div>
  )
}

export function Notice({ kind = 'info', title, children }: { kind?: 'info' | 'warn' | 'danger' | 'good'; title?: string; children?: ComponentChildren }): JSX.Element {
  return <div class={`notice notice-${kind}`} role={kind === 'danger' ? 'alert' : 'note'}>{title && <p class="title">{title}</p>}{children}</div>
}

export function Tag({ kind, children }: { kind?: 'good' | 'warn' | 'danger' | 'plain'; children: ComponentChildren }): JSX.Element {
  return <span class={kind ? `tag tag-${kind}` : 'tag'}>{children}</span>
}

export function Card({ title, children, actions, level = 2 }: { title?: string; children?: ComponentChildren; actions?: ComponentChildren; level?: 2 | 3 }): JSX.Element {
  const H = level === 2 ? 'h2' : 'h3'
  return <section class="card">{(title || actions) && <header>{title && <H>{title}</H>}{actions}</header>}{children}</section>
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }): JSX.Element {
  return (
    <div class="empty">
      <svg viewBox="0 0 48 48" fill="none" stroke="currentColor" stroke-width="2" aria-hidden="true"><path d="M8 30c5-9 10-9 16 0s11 9 16 0" stroke-linecap="round" /><circle cx="24" cy="14" r="5" /></svg>
      <p class="title">{title}</p>{children}
    </div>
  )
}

/** What went wrong, as a sentence and a next step; the technical part for who wants it. */
export function ErrorPanel({ error, onRetry }: { error: Problem | undefined; onRetry?: () => void }): JSX.Element | null {
  const { w } = useWords()
  if (!error) return null
  const [title, next] = w.problems[error.code] ?? w.problems.internal
  return (
    <Notice kind={error.code === 'offline' || error.code === 'cancelled' ? 'warn' : 'danger'} title={title}>
      <p>{next}</p>
      {onRetry && <div><Button kind="plain" onClick={onRetry}>{w.tryAgain}</Button></div>}
      {error.code !== 'cancelled' && error.code !== 'offline' && <details><summary class="small">{w.details}</summary><p class="small" dir="ltr">{error.message}{error.hint ? ` — ${error.hint}` : ''}{error.policies?.length ? ` [${error.policies.join(', ')}]` : ''}</p></details>}
    </Notice>
  )
}

export function Tabs({ label, items }: { label: string; items: readonly { href: string; label: string; current: boolean }[] }): JSX.Element {
  return <nav class="tabs" aria-label={label}>{items.map((i) => <Link key={i.href} href={i.href} {...(i.current && { 'aria-current': 'page' as const })}>{i.label}</Link>)}</nav>
}

export function Face({ name }: { name: string }): JSX.Element {
  const letters = name.replace(/^Dr\.?\s+/i, '').split(/\s+/).filter(Boolean).map((part) => Array.from(part)[0] ?? '').slice(0, 2).join('')
  return <span class="face" aria-hidden="true">{letters || '·'}</span>
}

export function Mark(): JSX.Element {
  return (
    <svg class="mark" viewBox="0 0 64 64" aria-hidden="true"><rect width="64" height="64" rx="15" fill="#0a5c63" /><path d="M32 12a11 11 0 0 0-5 20.8V52h10v-5h6v-6h-6v-4h4v-5.5A11 11 0 0 0 32 12Zm0 6.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9Z" fill="#fff" /></svg>
  )
}

/** Copies text, and says that it did. */
export function CopyButton({ text, children }: { text: string; children: ComponentChildren }): JSX.Element {
  const { w } = useWords()
  const [copied, setCopied] = useState(false)
  return <Button kind="plain" onClick={() => { navigator.clipboard.writeText(text).then(() => { setCopied(true); announce(w.copied) }, () => undefined) }}>{copied ? w.copied : children}</Button>
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
