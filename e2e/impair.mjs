// A bad network for a visit: between the browsers and the media server's UDP port stands a proxy that is late, uneven and
// loses packets, in both directions, by chances from a seed. (Linux's netem does it too, but not in every kernel, and only
// for root.) The media server is told to call itself by the proxy's address, and does not look for others (ICE-lite).

import { createSocket } from 'node:dgram'

/** Where the media server says that it is, and where it is. */
export const outside = '127.0.0.2'
const inside = '127.0.0.1'

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
  /** loss: of each packet on its way, in either direction; delay and jitter: of each way, in ms. */
  static async on(port, { loss = 0, delay = 0, jitter = 0, seed = 1 } = {}) {
    const one = new Impairment()
    Object.assign(one, { loss, delay, jitter, carried: 0, lost: 0, flows: new Map(), chance: chances(seed) })
    one.front = createSocket('udp4')
    one.front.on('message', (data, from) => {
      const name = `${from.address}:${from.port}`
      let back = one.flows.get(name)
      if (!back) {
        back = createSocket('udp4')
        one.flows.set(name, back)
        back.on('message', (answer) => one.carry(() => one.front.send(answer, from.port, from.address)))
        back.bind(0, inside)
      }
      one.carry(() => back.send(data, port, inside))
    })
    await new Promise((done) => one.front.bind(port, outside, done))
    return one
  }

  carry(send) {
    if (this.chance() < this.loss) {
      this.lost++
      return
    }
    this.carried++
    const late = this.delay + (this.chance() * 2 - 1) * this.jitter
    if (late <= 0) send()
    else setTimeout(() => { if (!this.over) send() }, late)
  }

  end() {
    this.over = true
    this.front.close()
    for (const back of this.flows.values()) back.close()
  }
}
