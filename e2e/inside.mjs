// What a story sees of a visit that no screen shows: the media keys as they go to the worker, what the connection
// received, and what the person's own browser may ask of the server. The app knows nothing of it: all of it is put
// before the page's own scripts, as a person with developer tools could.

import { cameras } from './people.mjs'

let looked = 0

/** Begins to look; call it before the person's next page. Everyone has a camera of their own. Pictures are made small, so
 * that two cores carry several people.
 * tone: the microphone hears one tone all the time, since silence is not sent and cannot be lost. */
export async function lookInside(someone, { tone = false, size = { width: 320, height: 240, frameRate: 10 } } = {}) {
  await someone.context.addInitScript(([tone, size, nth]) => {
    const seen = { peers: [], keys: [], counts: {} }
    globalThis.seen = seen
    globalThis.RTCPeerConnection = class extends RTCPeerConnection {
      constructor(...of) {
        super(...of)
        seen.peers.push(this)
      }
    }
    const hex = (bytes) => [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('')
    globalThis.Worker = class extends Worker {
      constructor(...of) {
        super(...of)
        this.addEventListener('message', ({ data }) => {
          if (data?.kind !== 'counts') return
          const c = (seen.counts[data.participant] ??= { opened: 0, refused: {} })
          c.opened += data.opened
          for (const [fault, n] of Object.entries(data.refused)) c.refused[fault] = (c.refused[fault] ?? 0) + n
        })
      }
    }
    const post = Worker.prototype.postMessage
    Worker.prototype.postMessage = function (message, ...rest) {
      if (message?.kind === 'keys') {
        seen.keys.push({
          epoch: Number(message.epoch), leaf: message.own.leaf, own: hex(message.own.key), others: message.others.map((o) => ({ participant: o.participant, leaf: o.leaf, key: hex(o.key) })),
        })
      }
      return post.call(this, message, ...rest)
    }
    const ask = MediaDevices.prototype.getUserMedia
    MediaDevices.prototype.getUserMedia = async function (of) {
      if (tone && of?.audio && !of.video) {
        const sound = new AudioContext()
        const [source, to] = [sound.createOscillator(), sound.createMediaStreamDestination()]
        source.connect(to)
        source.start()
        return to.stream
      }
      if (!of?.video) return ask.call(this, of)
      const asked = typeof of.video === 'object' ? of.video : {}
      const mine = (await this.enumerateDevices()).filter((d) => d.kind === 'videoinput').at(nth)
      const any = mine && (asked.deviceId === undefined || asked.deviceId.ideal === 'default') // nobody chose one
      return ask.call(this, { ...of, video: { ...asked, ...(any && { deviceId: { exact: mine.deviceId } }), ...size } })
    }
  }, [tone, size, cameras.from + (looked++ % cameras.count)])
  someone.page.on('request', (request) => { someone.token = request.headers().authorization ?? someone.token })
  someone.page.on('response', (response) => {
    if (/\/api\/visits\/\w+\/(enter|room)$/.test(response.url()) && response.ok()) response.json().then((answer) => { someone.pass = (answer.room ?? answer).token }, () => undefined)
  })
}

/** The keys of each epoch that a person's page had since it was loaded. */
export const keysOf = (someone) => someone.page.evaluate(() => globalThis.seen.keys)

/** The epoch that a person's page is in; -1 before there is one. */
export const epochOf = async (someone) => (await keysOf(someone)).at(-1)?.epoch ?? -1

/** How many frames of each participant a person's page opened and refused since it was loaded. */
export const countsOf = (someone) => someone.page.evaluate(() => globalThis.seen.counts)

/** What a video shows now: how bright it is, in 32 by 24 places. */
export const pictureOf = (page, which, index = 0) => page.evaluate(([which, index]) => {
  const canvas = document.createElement('canvas')
  canvas.width = 32
  canvas.height = 24
  const c = canvas.getContext('2d')
  c.drawImage(document.querySelectorAll(which)[index], 0, 0, 32, 24)
  const { data } = c.getImageData(0, 0, 32, 24)
  return Array.from({ length: 32 * 24 }, (_, i) => data[4 * i] + data[4 * i + 1] + data[4 * i + 2])
}, [which, index])

/** How alike two pictures are: 1 the same, 0 nothing in common, as of one that is all of one colour. */
export function likeness(a, b) {
  const mean = (of) => of.reduce((x, y) => x + y, 0) / of.length
  const [ma, mb] = [mean(a), mean(b)]
  const sum = (f) => a.reduce((x, _, i) => x + f(a[i] - ma, b[i] - mb), 0)
  const spread = Math.sqrt(sum((x) => x * x) * sum((_, y) => y * y))
  return spread === 0 ? 0 : sum((x, y) => x * y) / spread
}

/** What the connection of a person's page has received, all tracks of a kind together. */
export const received = (someone, kind) => someone.page.evaluate(async (kind) => {
  const all = { bytes: 0, packets: 0, twice: 0, frames: 0, samples: 0, concealed: 0 }
  for (const s of (await globalThis.seen.peers.at(-1).getStats()).values()) {
    if (s.type !== 'inbound-rtp' || s.kind !== kind) continue
    all.bytes += s.bytesReceived
    all.packets += s.packetsReceived
    all.twice += s.packetsDiscarded ?? 0 // the redundancy of sound, where it was not needed
    all.frames += s.framesDecoded ?? 0
    all.samples += s.totalSamplesReceived ?? 0
    all.concealed += s.concealedSamples ?? 0
  }
  return all
}, kind)

/** What became of each picture that a person's page sends and receives, for whoever looks why one stands still. */
export const picturesOf = (page) => page.evaluate(async () => {
  const told = []
  for (const peer of globalThis.seen?.peers.filter((p) => p.connectionState !== 'closed') ?? []) {
    for (const s of (await peer.getStats()).values()) {
      if (s.kind !== 'video') continue
      if (s.type === 'inbound-rtp') told.push(`in ${s.ssrc}: ${s.packetsReceived} packets, ${s.packetsLost} lost, frames ${s.framesReceived} received ${s.framesDecoded} decoded ${s.framesDropped} dropped, ${s.keyFramesDecoded} key, asked ${s.pliCount} keys ${s.nackCount} packets, ${s.frameWidth}x${s.frameHeight}`)
      if (s.type === 'outbound-rtp') told.push(`out ${s.rid ?? ''} ${s.active}: ${s.packetsSent} packets, frames ${s.framesEncoded} encoded ${s.framesSent} sent, ${s.keyFramesEncoded} key, was asked ${s.pliCount} keys ${s.nackCount} packets, ${s.targetBitrate} bit/s, ${s.qualityLimitationReason}`)
    }
  }
  const shown = [...document.querySelectorAll('.tile video')].map((v) => `video ${v.clientWidth}x${v.clientHeight} ready ${v.readyState} paused ${v.paused} ${v.getVideoPlaybackQuality().totalVideoFrames} frames ${v.srcObject?.getVideoTracks().map((t) => `${t.enabled} ${t.muted} ${t.readyState}`)}`)
  return told.length > 0 ? [document.visibilityState, ...told, ...shown] : []
})

/** Asks the server something as a person whose browser was taken over would: with its key and session, past the app. */
export async function ask(someone, method, path, body) {
  return someone.page.evaluate(async ({ method, path, body, token }) => {
    const b64 = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
    const utf8 = (words) => new TextEncoder().encode(words)
    const { privateKey, publicKey } = await new Promise((resolve, reject) => {
      const open = indexedDB.open('ward')
      open.onerror = () => reject(open.error)
      open.onsuccess = () => {
        const get = open.result.transaction('keys').objectStore('keys').get('browser')
        get.onsuccess = () => { open.result.close(); resolve(get.result) }
      }
    })
    const session = token.replace('DPoP ', '')
    const ath = b64(new Uint8Array(await crypto.subtle.digest('SHA-256', utf8(session))))
    const part = (value) => b64(utf8(JSON.stringify(value)))
    for (let nonce = '', tries = 0; ; tries++) {
      const signed = `${part({ typ: 'dpop+jwt', alg: 'EdDSA', jwk: { kty: 'OKP', crv: 'Ed25519', x: b64(new Uint8Array(await crypto.subtle.exportKey('raw', publicKey))) } })}.${
        part({ jti: b64(crypto.getRandomValues(new Uint8Array(16))), htm: method, htu: location.origin + path.split('?')[0], iat: Math.floor(Date.now() / 1000), nonce, ath })}`
      const proof = `${signed}.${b64(new Uint8Array(await crypto.subtle.sign('Ed25519', privateKey, utf8(signed))))}`
      const answer = await fetch(path, { method, headers: { DPoP: proof, Authorization: token, 'Content-Type': 'application/json' }, ...(body && { body: JSON.stringify(body) }) })
      nonce = answer.headers.get('DPoP-Nonce') ?? nonce
      if (answer.status === 401 && tries < 2) continue
      return { status: answer.status, body: answer.status === 204 ? undefined : await answer.json() }
    }
  }, { method, path, body, token: someone.token })
}
