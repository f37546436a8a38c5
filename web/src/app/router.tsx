// Addresses and the History API. Whoever moves to another screen finds the focus on its heading, so that a screen
// reader starts where a person's eyes would; and the window is named after it.

import { createContext, type ComponentChildren, type JSX } from 'preact'
import { useContext, useEffect, useState } from 'preact/hooks'

interface Place { readonly path: string; readonly search: string }
const here = (): Place => ({ path: location.pathname, search: location.search })

const listeners = new Set<() => void>()
let moved = false // since the focus was last placed

export function navigate(to: string, replace = false): void {
  if (replace) history.replaceState(null, '', to)
  else history.pushState(null, '', to)
  window.scrollTo(0, 0)
  for (const heard of listeners) heard()
}

const PlaceContext = createContext<Place>({ path: '/', search: '' })
export const usePath = (): string => useContext(PlaceContext).path
/** One value of the address's query. */
export const useQuery = (name: string): string => new URLSearchParams(useContext(PlaceContext).search).get(name) ?? ''

export function Router({ children }: { children: ComponentChildren }): JSX.Element {
  const [place, setPlace] = useState(here)
  useEffect(() => {
    const heard = (): void => {
      moved = true
      setPlace(here)
      requestAnimationFrame(placeFocus)
    }
    listeners.add(heard)
    window.addEventListener('popstate', heard)
    return () => {
      listeners.delete(heard)
      window.removeEventListener('popstate', heard)
    }
  }, [])
  return <PlaceContext.Provider value={place}>{children}</PlaceContext.Provider>
}

/** Puts the focus on the heading after a move, once: called again when a screen had to be fetched first. */
export function placeFocus(): void {
  const heading = document.querySelector<HTMLElement>('main[data-ready] h1[tabindex]')
  if (!moved || !heading) return
  moved = false
  heading.focus({ preventScroll: true })
}

/** Names the window after the heading of the screen, and the page of it that is shown, whenever they change. */
export function useTitle(appName: string): void {
  useEffect(() => {
    const name = (): void => {
      const parts = [document.querySelector('main nav [aria-current]'), document.querySelector('main h1')].map((e) => e?.textContent ?? '')
      document.title = [...parts.filter(Boolean), appName].join(' · ')
    }
    const watch = new MutationObserver(name)
    watch.observe(document.body, { subtree: true, childList: true, characterData: true })
    name()
    return () => watch.disconnect()
  }, [appName])
}

export function Link({ href, children, ...more }: { href: string; children: ComponentChildren; class?: string; 'aria-current'?: 'page'; 'aria-label'?: string }): JSX.Element {
  return (
    <a {...more} href={href} onClick={(event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return
      event.preventDefault()
      navigate(href)
    }}>{children}</a>
  )
}
