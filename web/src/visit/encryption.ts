// End-to-end encryption on LiveKit's hook for it, in place of its own: every frame of every track goes through
// media.worker.ts, in both directions, or nowhere. LiveKit's own would render what a participant without keys sends in
// the clear, and leaves out the redundancy of sound (docs/decisions/0008).

import { ParticipantEvent, RoomEvent, type RemoteParticipant, type RemoteTrack, type RemoteTrackPublication, type Room, type Track } from 'livekit-client'
import type { MediaEpoch } from './group.ts'
import type { FromWorker, StreamOf, ToWorker } from './media.worker.ts'
import type { Fault } from './sframe.ts'

export { canEncrypt } from './able.ts'

/** What is wrong with what a participant sends. */
export interface Trouble { readonly participant: string; readonly fault: Fault | 'clear'; readonly frames: number }

/** How long others have to learn of an epoch before I seal with it, in milliseconds; unless someone was put out. */
const settleTime = 400

interface Coded { createEncodedStreams?(): { readable: ReadableStream; writable: WritableStream }; transform?: unknown }
type ScriptTransform = new (worker: Worker, options: StreamOf) => unknown

/** WebRTC's extensions: a sender makes key frames when told so. */
interface KeyFrameSender { setParameters(p: RTCRtpSendParameters, options: { encodingOptions: { keyFrame: boolean }[] }): Promise<void> }

/** Whom to tell of what comes in. */
export interface Told { trouble(t: Trouble): void; opened(participant: string, frames: number): void }

type Listener = (...args: never[]) => void

export class Encryption {
  readonly isEnabled = true
  isDataChannelEncryptionEnabled = false // LiveKit sets it; data is refused below
  private readonly worker: Worker
  private readonly listeners = new Map<string, Listener[]>()
  private readonly attached = new WeakMap<object, string>()
  private next = 0
  private sealing: bigint | undefined
  private readonly senders = new Set<RTCRtpSender>()

  private readonly told: Told
  private room: Room | undefined

  constructor(worker: Worker, told: Told) {
    this.worker = worker
    this.told = told
    worker.addEventListener('message', (event: MessageEvent<FromWorker>) => {
      const m = event.data
      if (m.kind === 'sending') this.sendFrom(m.epoch)
      if (m.kind !== 'counts') return
      if (m.opened > 0) this.told.opened(m.participant, m.opened)
      for (const [fault, frames] of Object.entries(m.refused)) this.told.trouble({ participant: m.participant, fault: fault as Fault, frames })
    })
  }

  /** The epoch that what I send is sealed with. */
  get epoch(): bigint | undefined { return this.sealing }

  /** New keys: the others' count at once, mine when they had time to learn of it, or at once. */
  setEpoch(m: MediaEpoch, atOnce: boolean): void {
    this.tell({ kind: 'keys', epoch: m.epoch, own: m.own, others: m.others, switchAfter: atOnce ? 0 : settleTime })
  }

  /** Forgets all keys: nothing goes out or comes in until there are others. */
  forget(): void {
    this.sealing = undefined
    this.tell({ kind: 'forget' })
  }

  /** Ends it: keys are forgotten. */
  dispose(): void {
    this.forget()
    this.worker.terminate()
    this.senders.clear()
    this.listeners.clear()
  }

  /** What I send is sealed with an epoch now. Whoever came with it sees me from the next key frame on: that is made at once,
   * since otherwise the media server asks for one after a while. A browser that makes none when told so makes it then. */
  private sendFrom(epoch: bigint): void {
    this.sealing = epoch
    for (const sender of this.senders) {
      if (sender.track?.kind !== 'video') continue
      const now = sender.getParameters()
      const options = { encodingOptions: now.encodings.map(() => ({ keyFrame: true })) }
      void (sender as KeyFrameSender).setParameters(now, options).catch(() => undefined)
    }
  }

  private tell(message: ToWorker, transfer: Transferable[] = []): void { this.worker.postMessage(message, transfer) }

  // What LiveKit calls.

  on(event: string, listener: Listener): this {
    this.listeners.set(event, [...(this.listeners.get(event) ?? []), listener])
    return this
  }

  setup(room: Room): void {
    this.room = room
    room.on(RoomEvent.TrackSubscribed, (track: RemoteTrack, _, participant) => this.attach(track.receiver, 'receive', participant.identity))
    // What says itself that it is not sealed is sent back; what says that it is, the worker finds out.
    const check = (publication: RemoteTrackPublication, participant: RemoteParticipant): void => {
      if (publication.isEncrypted) return
      publication.setSubscribed(false)
      this.told.trouble({ participant: participant.identity, fault: 'clear', frames: 0 })
    }
    room.on(RoomEvent.TrackPublished, check)
    room.on(RoomEvent.Connected, () => { for (const p of room.remoteParticipants.values()) for (const publication of p.trackPublications.values()) check(publication, p) })
    room.localParticipant.on(ParticipantEvent.LocalSenderCreated, (sender: RTCRtpSender, _track: Track) => {
      this.senders.add(sender)
      this.attach(sender, 'send', room.localParticipant.identity)
    })
    room.on(RoomEvent.Disconnected, () => this.senders.clear())
    room.on(RoomEvent.SignalConnected, () => this.keepRedundancy(room))
  }

  /** LiveKit tells whose a track is only once all is connected; its first frames, and the key frame among them, come
   * before and would be lost. So frames are taken as they come, and held until it is known whose they are. */
  setupEngine(engine: { on(event: 'mediaTrackAdded', listener: (track: MediaStreamTrack, stream: MediaStream, receiver: RTCRtpReceiver) => void): void }): void {
    engine.on('mediaTrackAdded', (_track, _stream, receiver) => { if (!this.attached.has(receiver)) this.attach(receiver, 'receive', '') })
  }

  /** LiveKit asks for it when a call begins. Sealing cannot be switched off, so it is on whatever is asked. */
  setParticipantCryptorEnabled(): void {
    for (const heard of this.listeners.get('participantEncryptionStatusChanged') ?? []) (heard as (on: boolean, who: unknown) => void)(true, this.room?.localParticipant)
  }

  setSifTrailer(): void { /* frames that the server itself makes up are not let through */ }

  encryptData(): Promise<never> { return Promise.reject(new Error('visits send no data packets: what is written goes with the group')) }

  handleEncryptedData(): Promise<never> { return Promise.reject(new Error('visits take no data packets')) }

  private attach(coded: RTCRtpSender | RTCRtpReceiver | undefined, side: StreamOf['side'], participant: string): void {
    if (!coded) return
    const before = this.attached.get(coded)
    if (before !== undefined) {
      this.tell({ kind: 'assign', id: before, participant })
      return
    }
    const id = String(this.next++)
    this.attached.set(coded, id)
    const of: StreamOf = { id, side, participant }
    const c = coded as Coded
    if (c.createEncodedStreams) {
      const { readable, writable } = c.createEncodedStreams()
      this.tell({ kind: 'stream', of, readable, writable }, [readable, writable])
    } else c.transform = new (globalThis as unknown as { RTCRtpScriptTransform: ScriptTransform }).RTCRtpScriptTransform(this.worker, of)
  }

  /** LiveKit asks the server to leave redundancy (RFC 2198) out of encrypted sound; sealed whole, it does no harm. */
  private keepRedundancy(room: Room): void {
    const { client } = room.engine as unknown as { client: { sendAddTrack(req: { type: number; disableRed: boolean }): Promise<void>; kept?: boolean } }
    if (client.kept) return
    const send = client.sendAddTrack.bind(client)
    const audio = 0 // TrackType.AUDIO
    client.sendAddTrack = (req) => {
      if (req.type === audio) req.disableRed = false
      return send(req)
    }
    client.kept = true
  }
}

