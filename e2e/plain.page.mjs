// A small app for video calls as anybody builds one with livekit-client, without Ward and without encryption, with the
// settings of a visit (web/src/visit/media.ts): what benchmarks measure visits against. Its server is plain.mjs.

import { AudioPresets, Room, RoomEvent, Track, VideoPresets } from 'livekit-client'

let room
const name = new URLSearchParams(location.search).get('name')

/** Goes into the call with camera and microphone: asks the app's own server for a token, and connects with it. */
async function goIn(size) {
  const { url, token } = await (await fetch(`/token?name=${name}`)).json()
  room = new Room({
    adaptiveStream: true, dynacast: true, singlePeerConnection: true,
    publishDefaults: { videoCodec: 'vp8', backupCodec: false, simulcast: true, red: true, dtx: true, audioPreset: AudioPresets.speech, videoSimulcastLayers: [VideoPresets.h180, VideoPresets.h360] },
    videoCaptureDefaults: { resolution: size }, audioCaptureDefaults: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
  })
  room.on(RoomEvent.TrackSubscribed, (track) => {
    const element = track.attach()
    if (track.kind !== Track.Kind.Video) return
    element.className = 'remote'
    document.querySelector('main').append(element)
  })
  room.on(RoomEvent.LocalTrackPublished, ({ track }) => { // one sees oneself, as everywhere
    if (track.kind === Track.Kind.Video) document.querySelector('aside').append(track.attach())
  })
  room.on(RoomEvent.TrackUnsubscribed, (track) => { for (const element of track.detach()) element.remove() })
  await room.connect(url, token, { rtcConfig: { iceServers: [] }, maxRetries: 0 })
  await Promise.all([room.localParticipant.setMicrophoneEnabled(true), room.localParticipant.setCameraEnabled(true)])
}

async function leave() {
  await room.disconnect()
  for (const part of document.querySelectorAll('main, aside')) part.replaceChildren()
}

/** Draws the app: size is of the camera's pictures. */
export function start(size) {
  const button = (words, on) => {
    const made = Object.assign(document.createElement('button'), { textContent: words })
    made.addEventListener('click', on)
    document.querySelector('nav').append(made)
  }
  button('Go in', () => goIn(size))
  button('Leave', leave)
  button('Let in', () => fetch('/admit', { method: 'POST' }))
}

/** Waits until someone in the call lets one in, and goes in then. */
export function wait(size) {
  const told = new EventSource('/events')
  told.addEventListener('message', () => {
    told.close()
    goIn(size)
  })
  return new Promise((resolve) => { told.addEventListener('open', resolve) })
}

/** How many packets came in. */
export async function packets() {
  let all = 0
  for (const p of room.remoteParticipants.values()) {
    for (const publication of p.trackPublications.values()) {
      for (const s of (await publication.track?.receiver?.getStats())?.values() ?? []) if (s.type === 'inbound-rtp') all += s.packetsReceived
    }
  }
  return all
}
