// A bad network for a visit: between the browsers and the media server's UDP port stands a proxy that is late, uneven,
// narrow and loses packets, in both directions, by chances from a seed. (Linux's netem does it too, but not in every
// kernel, and only for root.) The media server is told to call itself by the proxy's address, and does not look for others (ICE-lite).

import { createSocket } from 'node:dgram'
import { connect, createServer } from 'node:net'

/** Where the media server says that it is, and where it is. */
export const outside = '127.0.0.2'
const inside = '127.0.0.1'
/** How long a packet waits before a narrow way, in ms; more are lost, as a cheap router does it. */
const patience = 300

/** Even chances from a seed (mulberry32). */
function chances(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

export class Impairment {
  /** loss: of each packet on its way, in either direction; delay and jitter: of each way, in ms; rate: how much goes over
   * each person's way to and fro, in bits a second. */
  static async on(port, { loss = 0, delay = 0, jitter = 0, rate = Infinity, seed = 1 } = {}) {
    const one = new Impairment()
    Object.assign(one, { loss, delay, jitter, rate, carried: 0, lost: 0, flows: new Map(), chance: chances(seed) })
    one.front = createSocket('udp4')
    one.front.on('message', (data, from) => {
      const name = `${from.address}:${from.port}`
      let back = one.flows.get(name)
      if (!back) {
        back = Object.assign(createSocket('udp4'), { to: { free: 0 }, fro: { free: 0 } })
        one.flows.set(name, back)
        back.on('message', (answer) => one.carry(back.fro, answer.length, () => one.front.send(answer, from.port, from.address)))
        back.bind(0, inside)
      }
      one.carry(back.to, data.length, () => back.send(data, port, inside))
    })
    await new Promise((done) => one.front.bind(port, outside, done))
    return one
  }

  /** way: until when it is taken by what was sent before. */
  carry(way, bytes, send) {
    const now = performance.now()
    const waits = Math.max(0, way.free - now)
    if (this.chance() < this.loss || waits > patience) {
      this.lost++
      return
    }
    this.carried++
    way.free = now + waits + (8000 * bytes) / this.rate
    const late = way.free - now + this.delay + (this.chance() * 2 - 1) * this.jitter
    if (late <= 0) send()
    else setTimeout(() => { if (!this.over) send() }, late)
  }

  end() {
    this.over = true
    this.front.close()
    for (const back of this.flows.values()) back.close()
  }
}

/** A way from afar to a server's port: what is sent over TCP arrives so many ms later, and a connection takes as long as
 * its handshake would. */
export class Distance {
  static async on(port, delay) {
    const one = new Distance()
    one.sockets = new Set()
    one.server = createServer((near) => {
      const far = connect(port, inside).setNoDelay()
      one.pass(near.setNoDelay(), far, delay, performance.now() + 2 * delay)
      one.pass(far, near, delay, 0)
    })
    await new Promise((done) => one.server.listen(0, inside, done))
    one.port = one.server.address().port
    return one
  }

  /** ready: before when nothing can have been sent, since there was no connection. */
  pass(from, to, delay, ready) {
    this.sockets.add(from)
    const waiting = [] // in their order, whichever timer is first
    const later = (work) => {
      waiting.push(work)
      setTimeout(() => {
        const next = waiting.shift()
        if (!to.destroyed) next()
      }, Math.max(0, ready - performance.now()) + delay)
    }
    from.on('data', (data) => later(() => to.write(data)))
    from.on('end', () => later(() => to.end()))
    from.on('error', () => undefined)
    from.on('close', () => { this.sockets.delete(from); later(() => to.destroy()) })
  }

  end() {
    this.server.close()
    for (const socket of this.sockets) socket.destroy()
  }
}
