// The media of one person's visit: LiveKit's room, which carries frames that only the group's members open, and the
// person's own camera, microphone and screen. The call says when there may be media at all; this keeps it going.

import {
  AudioPresets, ConnectionQuality, ConnectionState, DefaultReconnectPolicy, DisconnectReason, LogLevel, Room, RoomEvent, setLogLevel, Track, VideoPresets, VideoQuality,
  type LocalParticipant, type LocalVideoTrack, type Participant, type RemoteParticipant, type RemoteTrackPublication,
} from 'livekit-client'
import { problemOf } from '../engine/problem.ts'
import type { ID } from '../engine/types.ts'
import { scriptURL } from '../trusted.ts'
import { backgroundProcessor, keepBackground, keptBackground, setBackground, type Background, type Failure } from './background.ts'
import type { RoomPass } from './door.ts'
import { Encryption } from './encryption.ts'
import { relaysOf } from './relays.ts'
import { heardIn, SoundFirst, type Pictures } from './sound.ts'

/** Why a camera or microphone is not there. */
export type DeviceTrouble = 'denied' | 'missing' | 'busy' | 'failed'

export type Quality = 'good' | 'weak' | 'lost' | 'unknown'

/** Which devices, and whether to begin with them. */
export interface Devices { readonly camera: string | undefined; readonly microphone: string | undefined; readonly speaker: string | undefined; readonly cameraOn: boolean; readonly microphoneOn: boolean }

/** What is known of the media of a member, me or another. */
export interface Shown {
  readonly connected: boolean
  readonly opened: boolean         // something that they sent was opened
  readonly trouble: boolean        // what they send is not let through now
  readonly speaking: boolean
  readonly quality: Quality
  readonly microphone: boolean
  readonly paused: boolean         // their picture, so that their sound comes through
  readonly camera: Track | undefined
  readonly screen: Track | undefined
  readonly sound: MediaStreamTrack | undefined // another's, for captions
}

export interface OwnMedia {
  readonly media: 'off' | 'connecting' | 'on' | 'reconnecting'
  readonly quality: Quality        // of my own connection
  readonly camera: boolean
  readonly microphone: boolean
  readonly sharing: boolean
  readonly cameraTrouble: DeviceTrouble | undefined
  readonly microphoneTrouble: DeviceTrouble | undefined
  readonly background: Background
  readonly backgroundTrouble: Failure | undefined // the camera is off for it
  readonly soundBlocked: boolean   // the browser wants a touch before it plays sound
  readonly since: number           // when media first connected, in ms
}

/** Whom to tell: that something looks otherwise; that somebody may have come or gone; that I am in another window. */
export interface Told { changed(): void; moved(): void; elsewhere(): void }

/** Pauses between attempts to connect again, in milliseconds. */
const pauses = [300, 700, 1500, 3000, 5000]
/** And before them to take up the one that broke; LiveKit's own grow to seven seconds. */
const resumePauses = [0, 300, 700, 1500, 1500, 2000, 2000, 3000, 3000]
/** What a person may choose among, as browsers call it and as it is kept. */
const deviceOf = { videoinput: 'camera', audioinput: 'microphone', audiooutput: 'speaker' } as const
/** How long what was opened or refused counts as now, in milliseconds: counts come twice a second. */
const lately = 2500
/** How often it is looked how people's sound comes, in milliseconds. */
const listenEvery = 1000

setLogLevel(LogLevel.error) // its lines hold who is where

let warm: Promise<void> | undefined

/** Has the browser load what connections are made with: the first one is the slow one. Nothing goes out. */
export function warmUp(): Promise<void> {
  return (warm ??= (async () => {
    const first = new RTCPeerConnection()
    first.addTransceiver('video')
    await first.createOffer().catch(() => undefined)
    first.close()
  })())
}

export class Media {
  readonly encryption: Encryption
  private readonly told: Told
  private room: Room | undefined
  private devices: Devices
  private backgroundTrouble: Failure | undefined
  private readonly opened = new Map<ID, number>()  // member: when something of theirs was last opened
  private readonly refused = new Map<ID, number>() // member: when something was last not let through
  private readonly sounds = new Map<ID, SoundFirst>()
  private readonly asked = new WeakMap<RemoteTrackPublication, Pictures>()
  private state: OwnMedia['media'] = 'off'
  private since = 0
  private cameraTrouble: DeviceTrouble | undefined
  private microphoneTrouble: DeviceTrouble | undefined
  private soundBlocked = false

  constructor(devices: Devices, told: Told) {
    this.devices = devices
    this.told = told
    this.encryption = new Encryption(new Worker(scriptURL('frames'), { type: 'module' }), {
      opened: (participant) => {
        const first = !this.opened.has(participant)
        this.opened.set(participant, Date.now())
        if (first) this.told.changed()
      },
      trouble: ({ participant }) => this.refused.set(participant, Date.now()),
    })
  }

  /** Whether there is a room, or one on its way. */
  get wanted(): boolean { return this.room !== undefined || this.state === 'connecting' || this.connecting }
  get connected(): boolean { return this.room?.state === ConnectionState.Connected }
  /** Who the media server says is there, besides me. */
  get others(): readonly ID[] { return [...(this.room?.remoteParticipants.values() ?? [])].map((p) => p.identity) }

  connecting = false
  private begun = false // to send, in this room: until then a switch shows what it will do
  private allowed = false // by the group: until then nothing is sent, and what comes is not opened

  /** Whoever is in the group sends and receives: at once, or as soon as there is a room. */
  begin(): void {
    this.allowed = true
    if (this.room && !this.connecting) void this.open()
  }

  /** Until the group is there again. What is sent and received stays, but without keys nothing of it goes through. */
  hold(): void { this.allowed = false }

  private async open(): Promise<void> {
    const { room } = this
    this.since ||= Date.now()
    this.enter('on')
    await Promise.all([this.devices.microphoneOn && this.setMicrophone(true), this.devices.cameraOn && this.setCamera(true)])
    if (this.room === room) this.begun = true
    this.told.changed()
  }

  /** Connects, and tries until it succeeds or is not wanted any more; true if it came back after being lost. It may be
   * before begin(). */
  async connect(pass: () => Promise<RoomPass>, still: () => boolean): Promise<boolean> {
    const again = this.since > 0
    this.connecting = true
    this.enter(again ? 'reconnecting' : 'connecting')
    for (let tries = 0; still() && !this.room; tries++) {
      const [room, made] = [this.makeRoom(), this.devices]
      try {
        const { url, token, relays } = await pass()
        if (!relays) onlyRelays(room)
        await room.setE2EEEnabled(true)
        await room.connect(url, token, { ...(relays && { rtcConfig: { iceServers: [...relays] } }), maxRetries: 0, subscriberAllowPause: false }) // see sound.ts
        this.room = room
        for (const kind of Object.keys(deviceOf) as MediaDeviceKind[]) { // chosen meanwhile
          const chosen = this.devices[deviceOf[kind]]
          if (chosen !== made[deviceOf[kind]]) await room.switchActiveDevice(kind, chosen ?? 'default').catch(() => undefined)
        }
      } catch (error) {
        console.warn('media:', error instanceof Error ? error.message : error)
        await room.disconnect().catch(() => undefined)
        await new Promise((resolve) => setTimeout(resolve, pauses[Math.min(tries, pauses.length - 1)]))
      }
    }
    this.connecting = false
    if (!this.room) {
      this.enter('off') // so that it may begin again
      return false
    }
    if (!still()) {
      await this.disconnect()
      return false
    }
    if (this.allowed) await this.open()
    return again
  }

  async disconnect(): Promise<void> {
    const { room } = this
    this.room = undefined
    this.begun = false
    this.state = 'off'
    await room?.disconnect().catch(() => undefined)
  }

  /** Ends it for good. */
  dispose(): void {
    this.encryption.dispose()
    void this.disconnect()
  }

  private enter(state: OwnMedia['media']): void {
    this.state = state
    this.told.changed()
  }

  private makeRoom(): Room {
    const { camera, microphone, speaker } = this.devices
    const room = new Room({
      adaptiveStream: true, dynacast: true, singlePeerConnection: true, disconnectOnPageLeave: true, reconnectPolicy: new DefaultReconnectPolicy(resumePauses),
      encryption: { e2eeManager: this.encryption as never },
      publishDefaults: { videoCodec: 'vp8', backupCodec: false, simulcast: true, red: true, dtx: true, audioPreset: AudioPresets.speech, videoSimulcastLayers: [VideoPresets.h180, VideoPresets.h360] },
      videoCaptureDefaults: { resolution: VideoPresets.h720.resolution, ...(camera && { deviceId: camera }) },
      audioCaptureDefaults: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, ...(microphone && { deviceId: microphone }) },
      ...(speaker && { audioOutput: { deviceId: speaker } }),
    })
    for (const event of [
      RoomEvent.TrackSubscribed, RoomEvent.TrackUnsubscribed, RoomEvent.TrackMuted, RoomEvent.TrackUnmuted, RoomEvent.LocalTrackPublished, RoomEvent.LocalTrackUnpublished,
      RoomEvent.ActiveSpeakersChanged, RoomEvent.ConnectionQualityChanged,
    ]) room.on(event, () => this.told.changed())
    for (const event of [RoomEvent.ParticipantConnected, RoomEvent.ParticipantDisconnected]) room.on(event, () => this.told.moved())
    room.on(RoomEvent.TrackSubscribed, (track) => { if (track.kind === Track.Kind.Audio) track.attach() }) // its element plays without being shown
    room.on(RoomEvent.TrackUnsubscribed, (track) => { for (const element of track.detach()) element.remove() })
    room.on(RoomEvent.AudioPlaybackStatusChanged, () => {
      this.soundBlocked = !room.canPlaybackAudio
      this.told.changed()
    })
    let listening: ReturnType<typeof setInterval> | undefined
    room.on(RoomEvent.Connected, () => { listening = setInterval(() => { for (const p of room.remoteParticipants.values()) void this.listen(p) }, listenEvery) })
    room.on(RoomEvent.Disconnected, () => clearInterval(listening)) // which a room that never came to be does not say
    for (const event of [RoomEvent.Reconnecting, RoomEvent.SignalReconnecting]) room.on(event, () => this.enter('reconnecting'))
    room.on(RoomEvent.Reconnected, () => {
      this.enter('on')
      this.told.moved()
    })
    room.on(RoomEvent.Disconnected, (reason) => {
      if (this.room !== room) return
      this.room = undefined
      this.begun = false
      this.enter('reconnecting')
      if (reason === DisconnectReason.DUPLICATE_IDENTITY) this.told.elsewhere()
      else this.told.moved() // the call connects again, unless I was taken out
    })
    return room
  }

  /** Asks for someone's pictures as their sound allows. */
  private async listen(p: RemoteParticipant): Promise<void> {
    const report = await p.getTrackPublication(Track.Source.Microphone)?.track?.getRTCStatsReport().catch(() => undefined)
    const now = Date.now()
    let sound = this.sounds.get(p.identity)
    if (!sound) this.sounds.set(p.identity, (sound = new SoundFirst()))
    const pictures = sound.hear(now, report && heardIn(report, now))
    for (const publication of p.videoTrackPublications.values()) {
      if ((this.asked.get(publication) ?? 'all') === pictures || !publication.isSubscribed) continue
      this.asked.set(publication, pictures)
      publication.setEnabled(pictures !== 'none')
      publication.setVideoQuality(pictures === 'small' ? VideoQuality.LOW : VideoQuality.HIGH)
      if (pictures !== 'none') (publication as unknown as { requestedDisabled: boolean | undefined }).requestedDisabled = undefined // what has no place on the page is not sent
      this.told.changed()
    }
  }

  // What I send.

  private get me(): LocalParticipant | undefined { return this.room?.localParticipant }

  /** Whoever is not in the group begins to send when they are. */
  private sends(on: boolean): LocalParticipant | undefined { return on && !this.allowed ? undefined : this.me }

  /** What to begin with, once connected. */
  prefer(change: Partial<Devices>): void { this.devices = { ...this.devices, ...change } }

  async setMicrophone(on: boolean): Promise<void> {
    this.prefer({ microphoneOn: on })
    const me = this.sends(on)
    this.microphoneTrouble = await me?.setMicrophoneEnabled(on).then(() => undefined, troubleOf)
    if (on && !this.devices.microphoneOn) await me?.setMicrophoneEnabled(false).catch(() => undefined) // muted while the browser asked
    this.told.changed()
  }

  async setCamera(on: boolean): Promise<void> {
    this.prefer({ cameraOn: on })
    if (on) this.backgroundTrouble = undefined
    const background = keptBackground() // it may have been chosen in the waiting room, a moment ago
    const processor = background === 'none' ? undefined : backgroundProcessor(background, (why) => this.hide(why))
    const me = this.sends(on)
    this.cameraTrouble = await me?.setCameraEnabled(on, processor && { processor }).then(() => undefined, troubleOf)
    if (on && !this.devices.cameraOn) await me?.setCameraEnabled(false).catch(() => undefined)
    if (on && this.backgroundTrouble) this.hide(this.backgroundTrouble) // told before there was a camera to turn off
    this.told.changed()
  }

  /** What is behind me, now and the next time. */
  async setBackground(background: Background): Promise<void> {
    keepBackground(background)
    const track = this.me?.getTrackPublication(Track.Source.Camera)?.videoTrack
    if (track) await setBackground(track as LocalVideoTrack, background, (why) => this.hide(why))
    this.told.changed()
  }

  /** What is behind me cannot be changed, so nothing of it is shown. */
  private hide(why: Failure): void {
    this.backgroundTrouble = why
    this.prefer({ cameraOn: false })
    const track = this.me?.getTrackPublication(Track.Source.Camera)?.track
    if (track) void this.me?.unpublishTrack(track, true).then(() => this.told.changed()) // the next begins with a background of its own
  }

  async setSharing(on: boolean): Promise<void> {
    await this.me?.setScreenShareEnabled(on, { audio: false }).catch((error: unknown) => {
      if (!(error instanceof Error && error.name === 'NotAllowedError')) throw problemOf(error) // who closed the choice chose
    })
    this.told.changed()
  }

  async useDevice(kind: MediaDeviceKind, id: string): Promise<void> {
    this.prefer({ [deviceOf[kind]]: id })
    await this.room?.switchActiveDevice(kind, id)
    this.told.changed()
  }

  /** After the browser kept sound back: in answer to a touch. */
  async playSound(): Promise<void> {
    await this.room?.startAudio()
    this.soundBlocked = this.room?.canPlaybackAudio === false
    this.told.changed()
  }

  // What is shown.

  get own(): OwnMedia {
    const { me, devices } = this
    const to = (wish: boolean): boolean => wish && !this.begun // what will be on when sending begins
    return {
      media: this.state, quality: qualityOf(me?.connectionQuality), camera: me?.isCameraEnabled || to(devices.cameraOn), microphone: me?.isMicrophoneEnabled || to(devices.microphoneOn), sharing: me?.isScreenShareEnabled ?? false,
      cameraTrouble: this.cameraTrouble, microphoneTrouble: this.microphoneTrouble, background: keptBackground(), backgroundTrouble: this.backgroundTrouble, soundBlocked: this.soundBlocked, since: this.since,
    }
  }

  of(member: ID, isMe: boolean): Shown {
    const p: Participant | undefined = isMe ? this.me : this.room?.getParticipantByIdentity(member)
    const now = Date.now()
    const recently = (at: number | undefined): boolean => at !== undefined && now - at < lately
    return {
      connected: isMe ? this.connected : p !== undefined, opened: isMe || this.opened.has(member),
      trouble: recently(this.refused.get(member)) && !recently(this.opened.get(member)), speaking: p?.isSpeaking ?? false, quality: qualityOf(p?.connectionQuality),
      microphone: p?.isMicrophoneEnabled ?? false, paused: this.sounds.get(member)?.pictures === 'none',
      camera: shown(p, Track.Source.Camera), screen: shown(p, Track.Source.ScreenShare), sound: isMe ? undefined : shown(p, Track.Source.Microphone)?.mediaStreamTrack,
    }
  }
}

/** Of what an outside LiveKit sends browsers to, its relays: where it has nothing of its own for finding one's address it
 * names a public server, which would learn who meets when. A media server with a public address is found without. */
function onlyRelays(room: Room): void {
  const engine = room.engine as unknown as { makeRTCConfiguration(answer?: unknown): RTCConfiguration }
  const make = engine.makeRTCConfiguration.bind(engine)
  engine.makeRTCConfiguration = (answer) => {
    const made = make(answer)
    return { ...made, iceServers: relaysOf(made.iceServers ?? []) }
  }
}

function qualityOf(q: ConnectionQuality | undefined): Quality {
  if (q === ConnectionQuality.Excellent || q === ConnectionQuality.Good) return 'good'
  if (q === ConnectionQuality.Poor) return 'weak'
  return q === ConnectionQuality.Lost ? 'lost' : 'unknown'
}

/** The track of a participant that can be shown now. */
function shown(p: Participant | undefined, source: Track.Source): Track | undefined {
  const publication = p?.getTrackPublication(source)
  return publication && !publication.isMuted ? publication.track : undefined
}

export function troubleOf(error: unknown): DeviceTrouble {
  const name = error instanceof Error ? error.name : ''
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'denied'
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return 'missing'
  return name === 'NotReadableError' || name === 'AbortError' ? 'busy' : 'failed'
}
