// The recovery code read aloud, for whom listening is easier than looking. Some browsers send what they speak to a
// service that speaks for them: only a voice that is on the device itself may have the code.

export interface Voice { readonly lang: string; readonly localService: boolean; readonly default: boolean }

/** A voice of this device in a language, its usual one if there are several. */
export function voiceFor<V extends Voice>(voices: readonly V[], lang: string): V | undefined {
  const fitting = voices.filter((v) => v.localService && v.lang.toLowerCase().split(/[-_]/)[0] === lang)
  return fitting.find((v) => v.default) ?? fitting[0]
}

/** One thing that is said, the group of the code it belongs to, and the silence after it. */
export interface Said { readonly text: string; readonly group: number; readonly silence: number }

const betweenLetters = 450, betweenGroups = 1600 // ms; long enough to write the letter down, or the group

/** A code as it is spoken: which group comes, then each letter by its name in the language. */
export function spoken(code: string, groupName: (number: number) => string, letters: Readonly<Record<string, string>>): readonly Said[] {
  return code.split('-').flatMap((group, i) => {
    const said = [groupName(i + 1), ...Array.from(group, (letter) => letters[letter] ?? letter)]
    return said.map((text, at) => ({ text, group: i, silence: at === said.length - 1 ? betweenGroups : betweenLetters }))
  })
}

const unhurried = 0.8 // of the voice's usual speed

/** Says one thing after another. What it returns stops it; onEnd is told whether all was said. */
export function say(all: readonly Said[], voice: SpeechSynthesisVoice, onGroup: (group: number) => void, onEnd: (whole: boolean) => void): () => void {
  let pause = 0
  let stopped = false
  const stop = (): void => {
    stopped = true
    clearTimeout(pause)
    speechSynthesis.cancel()
  }
  const from = (at: number): void => {
    const next = all[at]
    if (!next) {
      onEnd(true)
      return
    }
    const words = new SpeechSynthesisUtterance(next.text)
    words.voice = voice
    words.lang = voice.lang
    words.rate = unhurried
    words.onend = () => { if (!stopped) pause = window.setTimeout(() => from(at + 1), next.silence) }
    words.onerror = () => {
      if (stopped) return
      stop()
      onEnd(false)
    }
    onGroup(next.group)
    speechSynthesis.speak(words)
  }
  speechSynthesis.cancel() // what another page left in the queue
  from(0)
  return stop
}
