// The other side of the benchmarks of visits: LiveKit standing alone (visits/alone, whose program WARD_ALONE names), and a
// small app's server that gives out its tokens and tells who waits that they are let in.

import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { freePort, freeUDPPort } from './clinic.mjs'
import { Distance, Impairment, outside } from './impair.mjs'
import { bundled, mint } from './stranger.mjs'

const page = '<!doctype html><title>plain</title><style>.remote { width: 100vw; height: 80vh } aside video { width: 15vw }</style><nav></nav><main></main><aside></aside><script src="/app.js"></script>'

/** How long a browser's connection is kept for its next request, in ms: as long as Ward keeps it, and most servers do. */
const kept = 120_000

export class Plain {
  constructor(livekit, server, origin, size, between) { Object.assign(this, { livekit, server, origin, size, between }) }

  /** size: of its cameras' pictures. away: how far browsers are from it, in ms each way. */
  static async start(size, away = 0) {
    const [port, udp, secret] = [await freePort(), await freeUDPPort(), randomBytes(32).toString('hex')]
    const between = []
    const from = async (port) => {
      if (away === 0) return port
      const way = await Distance.on(port, away)
      between.push(way)
      return way.port
    }
    const signals = await from(port)
    if (away > 0) between.push(await Impairment.on(udp, { delay: away }))
    const livekit = spawn(process.env.WARD_ALONE, [String(port), String(udp), 'ward', secret, away > 0 ? outside : '127.0.0.1'], { stdio: ['ignore', 'inherit', 'inherit'] })
    const script = bundled('plain.page.mjs', 'plain')
    const waiting = new Set()
    const server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url, 'http://localhost')
      const answer = (type, body) => response.writeHead(200, { 'Content-Type': type }).end(body)
      if (pathname === '/') answer('text/html', page)
      else if (pathname === '/app.js') answer('text/javascript', script)
      else if (pathname === '/token') answer('application/json', JSON.stringify({ url: `ws://localhost:${signals}`, token: mint(secret, 'alone', searchParams.get('name')) }))
      else if (pathname === '/events') {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write(':\n\n')
        waiting.add(response)
        request.on('close', () => waiting.delete(response))
      } else if (pathname === '/admit') {
        for (const of of waiting) of.write('data: come in\n\n')
        response.writeHead(204).end()
      } else response.writeHead(404).end()
    })
    server.keepAliveTimeout = kept
    await new Promise((done) => server.listen(0, '127.0.0.1', done))
    return new Plain(livekit, server, `http://localhost:${await from(server.address().port)}`, size, between)
  }

  /** Someone's page, before they go in. */
  async person(browser, name) {
    const context = await browser.newContext({ permissions: ['camera', 'microphone'], viewport: { width: 1280, height: 860 } })
    const person = await context.newPage()
    await this.open(person, name)
    return person
  }

  async open(person, name) {
    await person.goto(`${this.origin}/?name=${name}`)
    await person.evaluate((size) => globalThis.plain.start(size), this.size)
  }

  end() {
    this.livekit.kill()
    this.server.closeAllConnections()
    this.server.close()
    for (const way of this.between) way.end()
  }
}
