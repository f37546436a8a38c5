// The way to the server: JSON, with a DPoP proof by this browser's key on every request that needs one (RFC 9449).

import { b64, hash, json64, type Bytes, type SigningKey } from '../seal/bytes.ts'
import { dpop } from '../seal/keys.ts'
import { EngineProblem } from './problem.ts'
import type { ProblemCode } from './types.ts'
import type { WireNotice } from './wire.ts'

export type Proof = 'none' | 'browser' | 'session'

const codes: readonly string[] = ['invalid', 'unauthenticated', 'refused', 'missing', 'conflict', 'gone', 'too_large', 'too_many', 'internal', 'unavailable']

/** How long the stream of notices may be silent, in milliseconds: the server says every 20 s that it is still there. */
const maxSilence = 50_000

/** How often a request of someone who is signed in waits, as the server asks, because there is too much at once; and how long at most, in milliseconds. */
const maxWaits = 3
const maxWait = 10_000

export class Net {
  /** Whether notices come: what they tell need not be looked up. */
  hearing = false
  token: string | undefined
  /** Has the person show by their passkey that it is they. What asked for it (RFC 9470) is sent again after. */
  confirm: (() => Promise<void>) | undefined
  private nonce = ''
  private readonly key: SigningKey
  private readonly ended: () => void
  private readonly onlineChanged: (online: boolean) => void
  online = typeof navigator === 'undefined' || navigator.onLine !== false

  constructor(key: SigningKey, ended: () => void, onlineChanged: (online: boolean) => void) {
    this.key = key
    this.ended = ended
    this.onlineChanged = onlineChanged
  }

  setOnline(online: boolean): void {
    if (online === this.online) return
    this.online = online
    this.onlineChanged(online)
  }

  get<T>(path: string, signal?: AbortSignal): Promise<T> { return this.json<T>('GET', path, undefined, 'session', signal) }
  post<T>(path: string, body: unknown, proof: Proof = 'session'): Promise<T> { return this.json<T>('POST', path, body, proof) }
  put<T>(path: string, body: unknown): Promise<T> { return this.json<T>('PUT', path, body) }
  del(path: string, body?: unknown): Promise<void> { return this.json<void>('DELETE', path, body) }

  async json<T>(method: string, path: string, body?: unknown, proof: Proof = 'session', signal?: AbortSignal): Promise<T> {
    const response = await this.send(method, path, {
      proof, ...(signal && { signal }), ...(body !== undefined && { body: JSON.stringify(body, bytesToJSON), type: 'application/json' }),
    })
    return (response.status === 204 ? undefined : await response.json().catch((error: unknown) => { throw error instanceof SyntaxError || signal?.aborted ? error : this.lost(error) })) as T
  }

  /**
   * Sends a request, once more if the server wants its current nonce in the proof, and once more if it wants the person's
   * passkey first, and after a while if there is too much at once; throws a problem unless it is a success.
   */
  async send(method: string, path: string, options: { proof?: Proof; body?: BodyInit; type?: string; signal?: AbortSignal; headers?: Record<string, string> } = {}): Promise<Response> {
    for (let stale = 0, waits = 0, confirmed = false; ;) {
      const response = await this.once(method, path, options)
      this.nonce = response.headers.get('DPoP-Nonce') ?? this.nonce
      if (response.ok) return response
      const wanted = response.status === 401 ? response.headers.get('WWW-Authenticate') ?? '' : ''
      if (wanted.includes('use_dpop_nonce') && stale++ < 2) continue
      if (wanted.includes('insufficient_user_authentication')) {
        if (confirmed || !this.confirm) throw await this.problem(response, 'none') // which ends no session
        confirmed = true
        await this.confirm()
        continue
      }
      const seconds = response.status === 429 && (options.proof ?? 'session') === 'session' ? Number(response.headers.get('Retry-After') ?? 0) : 0
      if (seconds > 0 && waits++ < maxWaits) {
        await patience(Math.min(seconds * 1000, maxWait), options.signal)
        continue
      }
      throw await this.problem(response, options.proof ?? 'session')
    }
  }

  /** What the server tells, until the stream ends or fails. Calls back when it begins. */
  async *notices(signal: AbortSignal, begun: () => void): AsyncGenerator<WireNotice> {
    const response = await this.send('GET', '/api/events', { signal })
    const reader = (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader()
    let silent = setTimeout(() => undefined)
    try {
      this.hearing = true
      begun()
      for (let waiting = ''; ;) {
        silent = setTimeout(() => { void reader.cancel() }, maxSilence) // a network that went away says nothing
        const { done, value } = await reader.read()
        clearTimeout(silent)
        if (done) return
        waiting += value
        const lines = waiting.split('\n')
        waiting = lines.pop() ?? ''
        for (const line of lines) if (line.startsWith('data: ')) yield JSON.parse(line.slice(6)) as WireNotice
      }
    } finally {
      this.hearing = false
      clearTimeout(silent)
      await reader.cancel().catch(() => undefined)
    }
  }

  private async once(method: string, path: string, options: { proof?: Proof; body?: BodyInit; type?: string; signal?: AbortSignal; headers?: Record<string, string> }): Promise<Response> {
    const headers: Record<string, string> = { ...options.headers }
    const proof = options.proof ?? 'session'
    if (options.type) headers['Content-Type'] = options.type
    if (proof !== 'none') {
      const token = proof === 'session' ? this.token : undefined
      if (proof === 'session' && token === undefined) throw new EngineProblem('unauthenticated', 'not signed in')
      headers['DPoP'] = await dpop(this.key, { method, url: location.origin + (path.split('?')[0] ?? ''), nonce: this.nonce, token })
      if (token !== undefined) headers['Authorization'] = `DPoP ${token}`
    }
    try {
      const response = await fetch(path, {
        method, headers, cache: 'no-store', credentials: 'omit', redirect: 'error',
        ...(options.body !== undefined && { body: options.body }), ...(options.signal && { signal: options.signal }),
      })
      this.setOnline(true)
      return response
    } catch (error) {
      if (options.signal?.aborted) throw new EngineProblem('cancelled', 'cancelled')
      throw this.lost(error)
    }
  }

  /** The network went away, before an answer or within it. */
  private lost(error: unknown): EngineProblem {
    this.setOnline(false)
    return new EngineProblem('offline', error instanceof Error ? error.message : 'offline')
  }

  private async problem(response: Response, proof: Proof): Promise<EngineProblem> {
    let kind: ProblemCode = response.status >= 500 ? 'unavailable' : 'internal'
    let message = `the server answered ${response.status}`
    let hint: string | undefined
    let policies: string[] | undefined
    try {
      const { error } = (await response.json()) as { error: { kind: string; message: string; hint?: string; policies?: string[] } }
      if (codes.includes(error.kind)) kind = error.kind as ProblemCode
      message = error.message
      hint = error.hint
      policies = error.policies
    } catch {
      // not from Ward: a proxy in between
    }
    if (kind === 'unauthenticated' && proof === 'session') this.ended()
    return new EngineProblem(kind, message, hint, policies)
  }
}

/** Waits, unless what waits is called off. */
function patience(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      resolve() // what was called off says so itself
    }
    const timer = setTimeout(end, ms)
    signal?.addEventListener('abort', end)
  })
}

/** Bytes in JSON bodies are standard base64. */
function bytesToJSON(_key: string, value: unknown): unknown {
  return value instanceof Uint8Array ? json64(value) : value
}

/** This browser's key: Ed25519, not extractable. */
export async function browserKey(pair: CryptoKeyPair): Promise<SigningKey> {
  const raw = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))
  return {
    public: b64(raw),
    sign: async (message: Bytes) => new Uint8Array(await crypto.subtle.sign('Ed25519', pair.privateKey, message)),
  }
}

export { hash }
