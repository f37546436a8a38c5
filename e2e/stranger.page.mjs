// Someone with a token for the media room and no place in the group, as a page of their own: a plain livekit-client that
// takes what it gets, keeps the frames as they come off the network, and can send in the clear. Bundled by stranger.mjs.

import { Room, RoomEvent } from 'livekit-client'
import { decodeHeader, kidOf, open, deriveKeys, aes256 } from '../web/src/visit/sframe.ts'

const maxKept = 400 // frames of each kind
const kept = { video: [], audio: [] }
let room

globalThis.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(config) { super({ ...config, encodedInsertableStreams: true }) }
  setConfiguration(config) { super.setConfiguration({ ...config, encodedInsertableStreams: true }) }
}

/** Comes into the room, and tells when it was put out. */
export async function come(url, token, { sends = false, claims = false } = {}) {
  room = new Room({ singlePeerConnection: true })
  for (const name of ['video', 'audio']) kept[name].length = 0
  globalThis.out = undefined
  room.on(RoomEvent.Disconnected, (reason) => { globalThis.out = reason ?? -1 })
  room.on(RoomEvent.TrackSubscribed, (track) => {
    const { readable, writable } = track.receiver.createEncodedStreams()
    const keep = new TransformStream({
      transform(frame, controller) {
        if (kept[track.kind].length < maxKept) kept[track.kind].push({ type: frame.type, data: new Uint8Array(frame.data).slice() })
        controller.enqueue(frame)
      },
    })
    readable.pipeThrough(keep).pipeTo(writable).catch(() => undefined)
    document.body.append(track.attach())
  })
  await room.connect(url, token, { rtcConfig: { iceServers: [] } })
  if (!sends) return
  if (claims) room.localParticipant.encryptionType = 1 // GCM, it says; and sends as it is
  const { localParticipant } = room
  localParticipant.on('localSenderCreated', (sender) => {
    const { readable, writable } = sender.createEncodedStreams()
    readable.pipeTo(writable).catch(() => undefined)
  })
  void Promise.allSettled([localParticipant.setCameraEnabled(true, { resolution: { width: 320, height: 240, frameRate: 10 } }, { videoCodec: 'vp8', simulcast: false }), localParticipant.setMicrophoneEnabled(true)])
}

export const go = () => room.disconnect()

/** What arrived and what came of it. */
export async function got() {
  const of = { video: { bytes: 0, decoded: 0 }, audio: { bytes: 0 } }
  for (const p of room.remoteParticipants.values()) {
    for (const publication of p.trackPublications.values()) {
      for (const s of (await publication.track?.receiver?.getStats())?.values() ?? []) {
        if (s.type !== 'inbound-rtp') continue
        of[s.kind].bytes += s.bytesReceived
        if (s.kind === 'video') of.video.decoded += s.framesDecoded
      }
    }
  }
  return { ...of, frames: { video: kept.video.length, audio: kept.audio.length } }
}

/** Of the frames that were kept: whether each is sealed, as its header says, by one of the leaves; how even its bytes are
 * spread (8 bits for each byte is what noise has); and how many open with keys. */
export async function examine(leaves, keys) {
  const allowed = new Set(leaves.map((l) => String(kidOf(BigInt(l.epoch), l.leaf))))
  const derived = new Map()
  for (const k of keys) {
    const kid = kidOf(BigInt(k.epoch), k.leaf)
    derived.set(String(kid), [...(derived.get(String(kid)) ?? []), await deriveKeys(aes256, Uint8Array.from(k.key.match(/../g), (h) => parseInt(h, 16)), kid)])
  }
  const result = {}
  for (const [kind, frames] of Object.entries(kept)) {
    const times = new Array(256).fill(0)
    const of = { frames: frames.length, sealed: 0, opened: 0, bits: 0 }
    for (const { type, data } of frames) {
      const clear = kind === 'audio' ? 0 : type === 'key' ? 10 : 3
      const sealed = data.subarray(clear)
      try {
        const header = decodeHeader(sealed)
        if (allowed.has(String(header.kid)) && sealed.length >= header.size + 16) of.sealed++
        for (const byte of sealed.subarray(header.size)) times[byte]++
        for (const one of derived.get(String(header.kid)) ?? []) await open(one, header, data.subarray(0, clear), sealed).then(() => of.opened++, () => undefined)
      } catch {
        for (const byte of sealed) times[byte]++
      }
    }
    const all = times.reduce((a, b) => a + b, 0)
    for (const n of times) if (n > 0) of.bits -= (n / all) * Math.log2(n / all)
    result[kind] = of
  }
  return result
}

export function forget() { for (const name of ['video', 'audio']) kept[name].length = 0 }
