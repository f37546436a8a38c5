// A clinic to try things on: the real binary, on an empty folder, with SQLite or with the PostgreSQL named by
// WARD_TEST_POSTGRES. What it prints is kept, since logs are among the things that must hold nothing private.

import { spawn, spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import { cpSync, lstatSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Distance, Impairment, outside } from './impair.mjs'

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
export const ward = process.env.WARD_BINARY ?? join(root, 'bin', 'ward')

/** A port that was free a moment ago, below those that outgoing connections take, perhaps while a clinic is down. */
export async function freePort() {
  for (;;) {
    const port = 12000 + Math.floor(18000 * Math.random())
    const server = createServer()
    const isFree = await new Promise((resolve) => server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true)))
    if (!isFree) continue
    await new Promise((done) => server.close(done))
    return port
  }
}

export function freeUDPPort() {
  return new Promise((resolve) => {
    const one = createSocket('udp4')
    one.bind(0, '127.0.0.1', () => {
      const { port } = one.address()
      one.close(() => resolve(port))
    })
  })
}

export class Clinic {
  constructor(dir, port, database) {
    Object.assign(this, { dir, port, database, origin: `http://localhost:${port}`, log: '', between: [] })
  }

  /** env: more settings, by the names of the environment. away: how far browsers are from it, in ms each way. */
  static async start({ database = '', env = {}, away = 0 } = {}) {
    const dir = mkdtempSync(join(tmpdir(), 'ward-e2e-'))
    const clinic = new Clinic(dir, await freePort(), database)
    clinic.env = env
    if (away > 0) {
      const [way, udp] = [await Distance.on(clinic.port, away), await freeUDPPort()]
      clinic.origin = `http://localhost:${way.port}`
      clinic.env = { WARD_MEDIA_ADDRESS: outside, WARD_MEDIA_UDP: String(udp), WARD_MEDIA_TURN: '-1', ...env }
      clinic.between = [way, await Impairment.on(udp, { delay: away })]
    }
    await clinic.up()
    return clinic
  }

  /** Starts the server and waits until it says that it is ready; the first time it prints the founding link. */
  async up() {
    const env = {
      ...process.env, WARD_DIR: join(this.dir, 'data'), WARD_LISTEN: `localhost:${this.port}`, WARD_ORIGIN: this.origin,
      WARD_NAME: 'Hillside Clinic', ...(this.database && { WARD_DATABASE: this.database }), ...this.env,
    }
    this.process = spawn(ward, ['serve'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    const take = (data) => { this.log += data }
    this.process.stdout.on('data', take)
    this.process.stderr.on('data', take)
    for (let tries = 0; tries < 300; tries++) {
      if (this.process.exitCode !== null) throw new Error(`ward serve ended:\n${this.log}`)
      const ready = await fetch(`${this.origin}/api/ready`).then((r) => r.ok, () => false)
      if (ready) return
      await new Promise((done) => setTimeout(done, 100))
    }
    throw new Error(`ward serve was not ready in 30 s:\n${this.log}`)
  }

  get foundingLink() {
    const found = this.log.match(/https?:\/\/\S+\/join#\S+/)
    if (!found) throw new Error(`no founding link in:\n${this.log}`)
    return found[0]
  }

  /** Ends the server as an operator (SIGTERM) or as a power cut (SIGKILL) would. */
  async down(signal = 'SIGTERM') {
    if (this.process.exitCode !== null) return
    const ended = new Promise((done) => this.process.once('exit', done))
    this.process.kill(signal)
    await ended
  }

  /** Everything the server keeps: the folder, its log and, with PostgreSQL, a dump. */
  keepings() {
    writeFileSync(join(this.dir, 'server.log'), this.log)
    if (this.database) {
      const dump = spawnSync('pg_dump', ['--dbname', this.database, '--inserts'], { maxBuffer: 1 << 30 })
      if (dump.status !== 0) throw new Error(`pg_dump: ${dump.stderr}`)
      writeFileSync(join(this.dir, 'dump.sql'), dump.stdout)
    }
    return this.dir
  }

  /** Keeps what is on the disk now, with SQLite, as whoever runs the server can. */
  async copy() {
    await this.down('SIGKILL')
    cpSync(join(this.dir, 'data'), join(this.dir, 'copy'), { recursive: true, filter: (path) => !lstatSync(path).isSocket() })
    await this.up()
  }

  /** Puts back what was kept: the server forgets all that came since. */
  async putBack() {
    await this.down('SIGKILL')
    rmSync(join(this.dir, 'data'), { recursive: true })
    cpSync(join(this.dir, 'copy'), join(this.dir, 'data'), { recursive: true })
    await this.up()
  }

  async remove() {
    await this.down()
    for (const way of this.between) way.end()
    rmSync(this.dir, { recursive: true, force: true })
  }
}
