// What others say, in writing, below their faces; made on this device (visit/captions.ts).

import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { useLoad, useWords } from '../../app/context.tsx'
import { Button } from '../../parts/index.tsx'
import type { Present } from '../../visit/call.ts'
import { caption, captionsOf, fetchCaptions } from '../../visit/captions.ts'
import { useNameOf } from './tile.tsx'

/** How long a caption stays after the last word, in ms: long enough to read two lines. */
const stays = 6000

/** Whether to show captions; nothing where the device cannot make them. */
export function CaptionsSwitch({ on, onInput }: { on: boolean; onInput: (on: boolean) => void }): JSX.Element | null {
  const { w, lang } = useWords()
  const c = w.visit.call
  const able = useLoad(() => captionsOf(lang), [], [lang])
  const [fetching, setFetching] = useState(false)
  if (able.value === undefined || able.value === 'no') return null
  const fetch = (): void => {
    setFetching(true)
    void fetchCaptions(lang).then((ok) => {
      setFetching(false)
      able.again()
      if (ok) onInput(true)
    })
  }
  return (
    <>
      <Button kind="plain" icon="message" busy={fetching} onClick={() => (able.value === 'ready' ? onInput(!on) : fetch())}>{fetching ? c.captionsFetching : on ? c.captionsOff : c.captionsOn}</Button>
      <p class="small soft">{c.captionsText}</p>
    </>
  )
}

export function Captions({ of }: { of: readonly Present[] }): JSX.Element {
  return <div class="captions" aria-live="off">{of.map((p) => p.sound && <Caption key={`${p.member} ${p.sound.id}`} of={p} sound={p.sound} />)}</div>
}

function Caption({ of, sound }: { of: Present; sound: MediaStreamTrack }): JSX.Element | null {
  const { lang } = useWords()
  const nameOf = useNameOf()
  const [text, setText] = useState('')
  useEffect(() => caption(sound, lang, setText), [sound, lang])
  useEffect(() => {
    if (text === '') return
    const timer = setTimeout(() => setText(''), stays)
    return () => clearTimeout(timer)
  }, [text])
  return text === '' ? null : <p dir="auto"><bdi class="strong">{nameOf(of)}</bdi> {text}</p>
}
