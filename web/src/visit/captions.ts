// Captions of what others say, made on the listener's own device or not at all: what is spoken in a visit goes to no
// service. A browser that can do that says so (Web Speech API, on-device recognition); where it does not, there are none.

type Availability = 'available' | 'downloadable' | 'downloading' | 'unavailable'

interface Result { readonly isFinal: boolean; readonly 0: { readonly transcript: string } | undefined }
interface Heard extends Event { readonly resultIndex: number; readonly results: ArrayLike<Result> }

interface Recognition extends EventTarget {
  lang: string
  continuous: boolean
  interimResults: boolean
  processLocally: boolean
  start(track: MediaStreamTrack): void
  abort(): void
}

export interface Recogniser {
  new (): Recognition
  readonly prototype: object
  available?(options: { langs: readonly string[]; processLocally: boolean }): Promise<Availability>
  install?(options: { langs: readonly string[]; processLocally: boolean }): Promise<boolean>
}

const here = (): Recogniser | undefined => (globalThis as { SpeechRecognition?: Recogniser }).SpeechRecognition

/** Whether this device can caption a language by itself: at once, after it fetched what it needs, or not. */
export async function captionsOf(lang: string, recogniser = here()): Promise<'ready' | 'to-fetch' | 'no'> {
  // A browser that does not know processLocally would send the sound away, whatever we set.
  if (!recogniser?.available || !('processLocally' in recogniser.prototype)) return 'no'
  const state = await recogniser.available({ langs: [lang], processLocally: true }).catch(() => 'unavailable' as const)
  return state === 'available' ? 'ready' : state === 'downloadable' || state === 'downloading' ? 'to-fetch' : 'no'
}

/** Fetches what the device needs for a language, from the browser's maker, who learns the language and nothing else. */
export async function fetchCaptions(lang: string): Promise<boolean> {
  return (await here()?.install?.({ langs: [lang], processLocally: true }).catch(() => false)) === true
}

/** How long after an end that nobody asked for recognition begins again, in milliseconds: browsers end it in silence. */
const beginAgainAfter = 300

/** Captions a track until the returned function is called. said: what was heard so far, and whether it will change. */
export function caption(track: MediaStreamTrack, lang: string, said: (text: string, final: boolean) => void): () => void {
  const Made = here()
  if (!Made || !('processLocally' in Made.prototype)) return () => undefined
  const r = new Made()
  r.lang = lang
  r.continuous = true
  r.interimResults = true
  r.processLocally = true
  let over = false
  r.addEventListener('result', (event) => {
    const { results, resultIndex } = event as Heard
    for (let i = resultIndex; i < results.length; i++) {
      const result = results[i]
      if (result?.[0]) said(result[0].transcript.trim(), result.isFinal)
    }
  })
  r.addEventListener('end', () => { if (!over) setTimeout(begin, beginAgainAfter) })
  const begin = (): void => {
    if (over || track.readyState === 'ended') return
    try {
      r.start(track)
    } catch {
      // it has begun already
    }
  }
  begin()
  return () => {
    over = true
    r.abort()
  }
}
