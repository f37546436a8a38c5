// A video call as livekit-client makes it, without Ward and without encryption, with the settings of a visit
// (web/src/visit/media.ts): what benchmarks measure visits against. Bundled by stranger.mjs.

import { Room, RoomEvent, Track, VideoPresets } from 'livekit-client'

let room

/** Comes into a room with camera and microphone; gives how long it took until the first frame of someone else was shown,
 * in ms, or comes back at once if nobody is there to be seen. */
export async function come(url, token, { size, alone }) {
  const start = performance.now()
  room = new Room({
    adaptiveStream: true, dynacast: true, singlePeerConnection: true,
    publishDefaults: { videoCodec: 'vp8', backupCodec: false, simulcast: true, red: true, dtx: true, videoSimulcastLayers: [VideoPresets.h180, VideoPresets.h360] },
    videoCaptureDefaults: { resolution: size }, audioCaptureDefaults: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
  })
  const shown = new Promise((resolve) => {
    room.on(RoomEvent.TrackSubscribed, (track) => {
      const element = track.attach()
      if (track.kind !== Track.Kind.Video) return
      Object.assign(element.style, { width: '100vw', height: '100vh' })
      element.requestVideoFrameCallback(() => resolve(performance.now() - start))
      document.body.append(element)
    })
  })
  await room.connect(url, token, { rtcConfig: { iceServers: [] }, maxRetries: 0 })
  const sending = Promise.all([room.localParticipant.setMicrophoneEnabled(true), room.localParticipant.setCameraEnabled(true)])
  if (alone) {
    await sending
    return 0
  }
  return shown
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

export async function go() {
  await room.disconnect()
  document.body.replaceChildren()
}
