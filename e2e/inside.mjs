// What a story sees of a visit that no screen shows: the media keys as they go to the worker, what the connection
// received, and what the person's own browser may ask of the server. The app knows nothing of it: all of it is put
// before the page's own scripts, as a person with developer tools could.

/** Begins to look; call it before the person's next page. Pictures are made small, so that two cores carry several people. */
export async function lookInside(someone) {
  await someone.context.addInitScript(() => {
    const seen = { peers: [], keys: [] }
    globalThis.seen = seen
    globalThis.RTCPeerConnection = class extends RTCPeerConnection {
      constructor(...of) {
        super(...of)
        seen.peers.push(this)
      }
    }
    const hex = (bytes) => [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('')
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
    MediaDevices.prototype.getUserMedia = function (of) {
      return ask.call(this, of?.video ? { ...of, video: { ...(typeof of.video === 'object' ? of.video : {}), width: 320, height: 240, frameRate: 10 } } : of)
    }
  })
  someone.page.on('request', (request) => { someone.token = request.headers().authorization ?? someone.token })
}

/** The keys of each epoch that a person's page had since it was loaded. */
export const keysOf = (someone) => someone.page.evaluate(() => globalThis.seen.keys)

/** The epoch that a person's page is in; -1 before there is one. */
export const epochOf = async (someone) => (await keysOf(someone)).at(-1)?.epoch ?? -1

/** What a page's connections have received, by track. */
export const received = (someone) => someone.page.evaluate(async () => {
  const all = []
  for (const peer of globalThis.seen.peers) {
    for (const s of (await peer.getStats()).values()) {
      if (s.type === 'inbound-rtp') all.push({ kind: s.kind, ssrc: s.ssrc, bytes: s.bytesReceived, frames: s.framesReceived ?? 0, decoded: s.framesDecoded ?? 0, samples: s.totalSamplesReceived ?? 0, concealed: s.concealedSamples ?? 0, silent: s.silentConcealedSamples ?? 0 })
    }
  }
  return all
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
