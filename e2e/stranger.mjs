// A server that turned hostile: its operator takes the media room's secret out of its memory, and lets in whom they
// like. The server is the one that ships; what it does here, whoever has root can make it do.

import { spawnSync } from 'node:child_process'
import { createHmac, hkdfSync } from 'node:crypto'
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './clinic.mjs'

/** Each writable part of a process's memory, as a buffer that is used again. */
function* memoryOf(pid) {
  const mem = openSync(`/proc/${pid}/mem`, 'r')
  const piece = Buffer.alloc(8 << 20)
  const overlap = 256 // so that what lies across the end of a piece is found
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? []
      if (!from) continue
      for (let at = parseInt(from, 16), end = parseInt(to, 16); at < end; at += piece.length - overlap) {
        let n = 0
        try { n = readSync(mem, piece, 0, Math.min(piece.length, end - at), at) } catch { /* never touched, so nothing is there */ }
        if (n > 0) yield piece.subarray(0, n)
      }
    }
  } finally {
    closeSync(mem)
  }
}

/** How often each of some bytes is in a process's memory, and how much of it was searched. */
export function inMemory(pid, wanted) {
  const hits = wanted.map(() => 0)
  let bytes = 0
  for (const part of memoryOf(pid)) {
    bytes += part.length
    wanted.forEach((w, i) => { for (let at = part.indexOf(w); at >= 0; at = part.indexOf(w, at + 1)) hits[i]++ })
  }
  return { hits, bytes }
}

/** A key as someone could have written it down: itself, in hex, in base64; and what SFrame makes of it. */
export function formsOf({ key, epoch, leaf }) {
  const base = Buffer.from(key, 'hex')
  const info = Buffer.alloc(10)
  info.writeBigUInt64BE((BigInt(epoch) << 8n) | BigInt(leaf))
  info.writeUInt16BE(5, 8)
  const derived = Buffer.from(hkdfSync('sha512', base, '', Buffer.concat([Buffer.from('SFrame 1.0 Secret key '), info]), 32))
  return [base, derived].flatMap((b) => [b, Buffer.from(b.toString('hex')), Buffer.from(b.toString('base64').slice(0, 42)), Buffer.from(b.toString('base64url').slice(0, 42))])
}

/** The secret that the server signs a token with, by trying all that look like one. */
export function secretOf(pid, token) {
  const [head, body, signature] = token.split('.')
  for (const part of memoryOf(pid)) {
    for (const [candidate] of part.toString('latin1').matchAll(/[A-Z2-7]{52}/g)) {
      if (createHmac('sha256', candidate).update(`${head}.${body}`).digest('base64url') === signature) return candidate
    }
  }
  return undefined
}

/** A token that the server did not give. */
export function mint(secret, room, identity) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const now = Math.floor(Date.now() / 1000)
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({
    iss: 'ward', sub: identity, nbf: now - 5, exp: now + 600, video: { roomJoin: true, room, canPublish: true, canSubscribe: true, canPublishData: false },
  })}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}

/** A page at the clinic's address that is none of Ward's, with a script of its own: what it exports is called by name. */
export async function pageWith(browser, origin, file, name) {
  const context = await browser.newContext({ permissions: ['camera', 'microphone'], bypassCSP: true })
  const page = await context.newPage()
  if (process.env.WARD_CONSOLE) page.on('console', (m) => console.log(`${name}: ${m.text()}`))
  await page.goto(`${origin}/api/ready`)
  await page.evaluate(`${bundled(file, name)}; globalThis.${name} = ${name}`)
  return page
}

/** A page's script with the app's own packages in it. */
export function bundled(file, name) {
  const folder = mkdtempSync(join(tmpdir(), 'ward-page-'))
  const out = join(folder, 'page.js')
  const made = spawnSync('go', ['run', 'github.com/evanw/esbuild/cmd/esbuild', join(root, 'e2e', file), '--bundle', '--format=iife', `--global-name=${name}`, `--outfile=${out}`, '--log-level=warning'], {
    cwd: root, env: { ...process.env, NODE_PATH: join(root, 'web', 'node_modules') }, stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (made.status !== 0) throw new Error(`${file} could not be bundled`)
  const text = readFileSync(out, 'utf8')
  rmSync(folder, { recursive: true, force: true })
  return text
}
