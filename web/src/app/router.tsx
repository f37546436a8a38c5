// Addresses and the History API. Moving to another screen moves the focus to its heading, so that a screen reader
// starts where a person's eyes would.

import { createContext, type ComponentChildren, type JSX } from 'preact'
import { useContext, useEffect, useState } from 'preact/hooks'

const listeners = new Set<() => void>()

export function navigate(path: string, replace = false): void {
  if (replace) history.replaceState(null, '', path)
  else history.pushState(null, '', path)
  for (const heard of listeners) heard()
}

const PathContext = createContext('/')
export const usePath = (): string => useContext(PathContext)

export function Router({ children }: { children: ComponentChildren }): JSX.Element {
  const [path, setPath] = useState(location.pathname)
  useEffect(() => {
    const heard = (): void => {
      setPath(location.pathname)
      window.scrollTo(0, 0)
      requestAnimationFrame(() => document.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true }))
    }
    listeners.add(heard)
    window.addEventListener('popstate', heard)
    return () => {
      listeners.delete(heard)
      window.removeEventListener('popstate', heard)
    }
  }, [])
  return <PathContext.Provider value={path}>{children}</PathContext.Provider>
}

export function Link({ href, children, ...more }: { href: string; children: ComponentChildren; class?: string; 'aria-current'?: 'page' }): JSX.Element {
  return (
    <a {...more} href={href} onClick={(event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return
      event.preventDefault()
      navigate(href)
    }}>{children}</a>
  )
}
