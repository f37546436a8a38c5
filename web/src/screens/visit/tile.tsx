// One person, or one screen that is shown, in a visit.

import { Track } from 'livekit-client'
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { useWords } from '../../app/context.tsx'
import { Face, Icon } from '../../parts/index.tsx'
import type { Present } from '../../visit/call.ts'

export function useNameOf(): (p: Present) => string {
  const { w } = useWords()
  return (p) => p.name || (p.isMe ? w.visit.call.you : w.visit.call.unknown)
}

export function Tile({ of, large, screen }: { of: Present; large?: boolean; screen?: boolean }): JSX.Element {
  const { w } = useWords()
  const c = w.visit.call
  const name = useNameOf()(of)
  const track = screen ? of.screen : of.camera
  const kind = `tile${large ? ' tile-large' : ''}${screen ? ' tile-screen' : ''}${of.speaking ? ' tile-speaking' : ''}${of.isMe && !screen ? ' tile-me' : ''}`
  const label = screen ? (of.isMe ? c.mySharing : c.sharing(name)) : name
  return (
    <figure class={kind}>
      {track && of.opened && (screen || !of.paused) ? <Picture track={track} label={label} /> : <div class="tile-face"><Face name={of.name} />{track && <span class="small">{of.opened ? c.paused : c.opening}</span>}</div>}
      <figcaption>
        {!of.microphone && !screen && <><Icon name="micOff" /><span class="sr">{c.muted}</span></>}
        <bdi>{of.isMe && !screen ? c.you : label}</bdi>
        {(of.quality === 'weak' || of.quality === 'lost') && <span class={`bars bars-${of.quality}`} role="img" aria-label={c.quality[of.quality]}><i /><i /><i /></span>}
        {of.trouble && <><Icon name="warn" /><span class="sr">{c.opening}</span></>}
      </figcaption>
    </figure>
  )
}

function Picture({ track, label }: { track: Track; label: string }): JSX.Element {
  const video = useRef<HTMLVideoElement>(null)
  useEffect(() => {
    const element = video.current
    if (!element) return
    track.attach(element)
    return () => { track.detach(element) }
  }, [track])
  return <video ref={video} autoplay playsInline muted aria-label={label} />
}
