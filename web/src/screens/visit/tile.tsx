// One person, or one screen that is shown, in a visit.

import { Track } from 'livekit-client'
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { useWords } from '../../app/context.tsx'
import { Face, Icon, Tag } from '../../parts/index.tsx'
import type { Present } from '../../visit/call.ts'
import { apart } from '../chart/bidi.ts'

type Called = Pick<Present, 'name' | 'guest'> & { readonly isMe?: boolean }

/** What someone is called, in a sentence too. A guest's name is their own word: it is quoted, after
 * the word that they are a guest: what is cut for want of room is the name. */
export function useNameOf(): (p: Called) => string {
  const { w, lang } = useWords()
  return (p) => p.name === '' ? (p.isMe ? w.visit.call.you : w.visit.call.unknown) : p.guest && !p.isMe ? w.visit.guests.called(apart(p.name, lang)) : apart(p.name, lang)
}

/** That a guest's name would be taken for somebody else's, or has letters that names do not have. */
export function Doubtful({ of }: { of: Pick<Present, 'guest'> }): JSX.Element | null {
  const { w, lang } = useWords()
  const g = w.visit.guests
  if (of.guest?.like !== undefined) return <Tag kind="danger">{g.like(apart(of.guest.like, lang))}</Tag>
  return of.guest?.odd ? <Tag kind="warn">{w.names.odd}</Tag> : null
}

export function Tile({ of, large, screen }: { of: Present; large?: boolean; screen?: boolean }): JSX.Element {
  const { w } = useWords()
  const c = w.visit.call
  const name = useNameOf()(of)
  const track = screen ? of.screen : of.camera
  const kind = `tile${large ? ' tile-large' : ''}${screen ? ' tile-screen' : ''}${of.speaking ? ' tile-speaking' : ''}${of.isMe && !screen ? ' tile-me' : ''}`
  const label = screen ? (of.isMe ? c.mySharing : c.sharing(name)) : name
  const [seen, setSeen] = useState<Track | undefined>(undefined) // the track of which there is a picture
  const paused = of.paused && !screen
  return (
    <figure class={kind}>
      {track && <Picture track={track} label={label} onSeen={() => setSeen(track)} />}
      {(!track || !of.opened || paused || seen !== track) && <div class={track && !paused && !screen ? 'tile-face tile-under' : 'tile-face'}><Face name={of.name} />{track && <span class="small">{of.opened && paused ? c.paused : c.opening}</span>}</div>}
      {screen && of.paused && <p class="tile-stands small" role="status">{c.paused}</p>}
      {!of.isMe && !screen && of.guest && <div class="tile-doubt"><Doubtful of={of} /></div>}
      <figcaption>
        {!of.microphone && !screen && <><Icon name="micOff" /><span class="sr">{c.muted}</span></>}
        <bdi>{of.isMe && !screen ? c.you : label}</bdi>
        {(of.quality === 'weak' || of.quality === 'lost') && <span class={`bars bars-${of.quality}`} role="img" aria-label={c.quality[of.quality]}><i /><i /><i /></span>}
        {of.trouble && <><Icon name="warn" /><span class="sr">{c.opening}</span></>}
      </figcaption>
    </figure>
  )
}

/** It stays while it is covered: the media server sends nothing of what has no place on the page, and would not say that it
 * could again. */
function Picture({ track, label, onSeen }: { track: Track; label: string; onSeen: () => void }): JSX.Element {
  const video = useRef<HTMLVideoElement>(null)
  useEffect(() => {
    const element = video.current
    if (!element) return
    track.attach(element)
    return () => { track.detach(element) }
  }, [track])
  return <video ref={video} autoplay playsInline muted aria-label={label} onLoadedData={onSeen} />
}
