// What a page that embeds the SDK does, and nothing that only we could do: it uses the documented
// surface, and looks at the media as a person would, through elements and ears.

import type { Call, CallClient, RemoteTrack } from '@parley/client-sdk'
import { decodeVideo, pictureOf } from './page-pictures.ts'
import { tricks } from './page-tricks.ts'

const SAMPLE_RATE_HZ = 48_000
const LISTEN_MS = 700
const WINDOW_SAMPLES = 12_000
const LOWEST_HZ = 200
const HIGHEST_HZ = 1_600
const STEP_HZ = 5
/** Power of a sine at -50 dB of full scale, as Goertzel's filter gives it. */
const QUIETEST_POWER = 2.5e-6
/** How finely gaps are measured. */
const GAP_STEP_MS = 50
/** In Chromium only, and not in the compiler's table. */
declare class MediaStreamTrackProcessor {
  constructor(init: { track: MediaStreamTrack })
  readonly readable: ReadableStream<VideoFrame>
}

const MOST_PICTURES = 40
const EVERYTHING = { audio: true, video: true }

/** What goes to `CallClient`. `labKeys`: the SDK whose keys the story gives out. `grants`: of the token. */
type LabOptions = object & { readonly labKeys?: boolean; readonly grants?: object }

interface Sdk {
  readonly CallClient: typeof CallClient
  /** In the SDK of the lab only. */
  readonly keys?: {
    begin(epoch: object): Promise<void>
    allReady(epoch: number): void
    readonly installedEpochs: readonly number[]
  }
}

let sdk: Sdk | undefined
let client: CallClient | undefined
let call: Call | undefined
let incoming: Call | undefined
/** Every call that the page has had. */
const calls: Call[] = []
const log: string[] = []
const rungs: string[] = []
const gaps = new Map<string, { frames: number; movedAt: number; longestMs: number }>()
let gapTimer: ReturnType<typeof setInterval> | undefined
let connectedAt = 0
const elements = new Map<RemoteTrack, HTMLMediaElement>()
/** Frames presented so far. */
const presented = new Map<RemoteTrack, number>()

/** What the tests steer the page by. */
const lab = {
  async connect({ url, user, options }: { url: string; user: string; options: LabOptions }) {
    // The file that the server hands to everybody, not this checkout's sources.
    sdk = (await import(options.labKeys === true ? '/lab-sdk.js' : `${url}/sdk.js`)) as Sdk
    const token = async () => {
      const response = await fetch(`${url}/dev/token`, {
        method: 'POST',
        body: JSON.stringify({ user, grants: options.grants }),
      })
      const { token: issued } = (await response.json()) as { token: string }
      return issued
    }
    client = new sdk.CallClient({ url, token, ...options })
    client.on('connection', (state) => {
      if (state === 'connected') connectedAt = Date.now()
    })
    client.on('resumed', watch)
    const { identity } = client
    // People here have all their devices at hand, and take each new one for theirs.
    identity.on('changed', (devices) => {
      if (identity.self?.state !== 'approved') return
      for (const device of devices) if (device.state === 'waiting') void identity.approve(device)
    })
    client.on('missed', ({ from, payload }) => note(`missed ${from}: ${payload ?? 'nothing'}`))
    client.on('incoming', (ringing) => {
      incoming = ringing
      void ringing.payload().then((words) => words !== undefined && note(`rung with: ${words}`))
      // A call that waits is not yet the one that the page is about.
      if (!ringing.waiting) watch(ringing)
    })
    await client.connect()
  },

  async call(users: string | string[], payload?: string) {
    watch(
      await present(client).call(users, {
        ...EVERYTHING,
        ...(payload !== undefined && { payload }),
      }),
    )
  },

  /** Calls somebody a moment from now. Where he calls too, one of the two is the one to look at. */
  async callAfter(user: string, ms: number) {
    await new Promise((resolve) => setTimeout(resolve, ms))
    watch(await present(client).call(user, { audio: true }))
  },

  async join(room: string, media = EVERYTHING) {
    watch(await present(client).join(room, media))
  },

  isRinging: () => incoming?.state === 'ringing',
  isWaiting: () => incoming?.waiting === true,
  async accept(others?: 'hold' | 'end') {
    const ringing = present(incoming)
    await ringing.accept({ ...EVERYTHING, ...(others && { others }) })
    if (call !== ringing) watch(ringing)
  },
  /** Looks at another one of the page's calls: the newest with this person. */
  turnTo(user: string) {
    const isWith = (one: Call) => [...one.participants.values()].some((p) => p.user === user)
    call = present(calls.findLast(isWith))
  },
  hold: () => present(call).hold(),
  resume: () => present(call).resume(),
  transfer: (user: string) => present(call).transfer(user),
  /** Brings the people of the present call into the one with this person. */
  transferTo(user: string) {
    const from = present(call)
    lab.turnTo(user)
    return from.transferTo(present(call))
  },
  async takeOver() {
    watch(await present(present(client).otherCalls[0]).takeOver(EVERYTHING))
  },
  move: (device: string) => present(call).move(device),
  otherCalls: () => present(client).otherCalls.map(({ device, users }) => ({ device, users })),
  decline: () => present(incoming).decline(),
  hangup: () => present(call).hangup(),
  /** Says something to everybody in the call. */
  send: (text: string) => present(call).send(text),
  invite: (user: string) => present(call).invite(user),
  setLobby: (on: boolean) => present(call).setLobby(on),
  admit: (user: string) => present(call).admit(user),
  lock: () => present(call).lock(),
  silence: (user: string) => present(call).mute(seatOf(user), { force: true }),
  allow: (user: string) => present(call).unmute(seatOf(user)),
  remove: (user: string) => present(call).remove(seatOf(user)),
  setMicrophone: (on: boolean) => present(call).setMicrophone(on),
  setCamera: (on: boolean) => present(call).setCamera(on),
  /** Shows somebody's video this wide; 0 takes it off the page's face. */
  show(user: string, width: number) {
    for (const participant of present(call).participants.values()) {
      if (participant.user !== user) continue
      for (const track of participant.tracks) {
        const element = elements.get(track)
        if (element) setWidth(element, width)
      }
    }
  },

  ...tricks,

  /** Packets of media that have left. */
  async sent() {
    const { outbound } = await present(call).stats()
    return outbound.reduce((sum, { packets }) => sum + packets, 0)
  },
  /** How much of somebody's sound had to be made up so far, as it did not come in time. */
  async concealedMs(user: string) {
    const { tracks } = seatOf(user)
    const microphone = present([...tracks].find(({ source }) => source === 'microphone'))
    const { inbound } = await present(call).stats()
    const found = inbound.find(({ track }) => track === microphone.mediaStreamTrack.id)
    return present(found).concealedSamples / (SAMPLE_RATE_HZ / 1_000)
  },
  /** Gives out the keys of an epoch. */
  beginEpoch: (epoch: object) => present(present(sdk).keys).begin(epoch),
  allReady: (epoch: number) => present(present(sdk).keys).allReady(epoch),

  shareScreen: () => present(call).shareScreen(),

  /** What a decoder shows last of encoded frames; undefined where it shows nothing. */
  decode: (mimeType: string, frames: readonly string[]) => decodeVideo(mimeType, frames),
  /** What the camera shows for a moment: some dozens of pictures. */
  async ownPictures() {
    const camera = present(call).local.find(({ source }) => source === 'camera')
    const track = present(camera).mediaStreamTrack.clone()
    const reader = new MediaStreamTrackProcessor({ track }).readable.getReader()
    const pictures: number[][] = []
    while (pictures.length < MOST_PICTURES) {
      const { value } = await reader.read()
      if (!value) break
      pictures.push(pictureOf(value))
      value.close()
    }
    track.stop()
    return pictures
  },

  /** The loudest frequency of each person's microphone, as it arrives here. */
  async listen(): Promise<Record<string, number>> {
    const heard = [...present(call).participants.values()].flatMap(({ user, tracks }) =>
      [...tracks.values()]
        .filter(({ source }) => source === 'microphone')
        .map(async (track) => {
          return [user, await hertzOf(track.mediaStreamTrack)] as const
        }),
    )
    return Object.fromEntries(await Promise.all(heard))
  },

  /** Watches from now on how long no picture of somebody comes. */
  startGaps() {
    gaps.clear()
    clearInterval(gapTimer)
    gapTimer = setInterval(measureGaps, GAP_STEP_MS)
  },

  pulse() {
    const now = Date.now()
    return {
      state: call?.state ?? 'none',
      connection: client?.connection ?? 'none',
      connectedAt,
      gaps: [...gaps].map(([user, { movedAt, longestMs }]) => ({
        user,
        sinceMs: now - movedAt,
        longestMs: Math.max(longestMs, now - movedAt),
      })),
    }
  },

  /** What the page can see of its call. */
  look() {
    const openCalls = client?.calls.map(({ id }) => id) ?? []
    if (!call) return { state: 'none', openCalls, log, rungs, others: [] }
    return {
      state: call.state,
      path: call.path,
      endReason: call.endReason,
      reconnecting: call.reconnecting?.rung,
      rungs,
      encrypted: call.encrypted,
      verification: call.verification,
      self: call.self,
      epochs: sdk?.keys?.installedEpochs ?? [],
      speaker: speakerOf(call),
      demand: call.local.find(({ source }) => source === 'camera')?.demand,
      onHold: call.onHold,
      lobby: call.lobby.map(({ user }) => user),
      openCalls,
      log,
      others: [...call.participants.values()].map((participant) => ({
        user: participant.user,
        device: participant.device,
        onHold: participant.onHold,
        identity: participant.identity?.state,
        tracks: [...participant.tracks.values()].map((track) => ({
          kind: track.kind,
          source: track.source,
          frames: framesOf(track),
          layer: track.layer,
        })),
      })),
    }
  },
}

Object.assign(globalThis, { lab })

function measureGaps(): void {
  const now = Date.now()
  for (const { user, tracks } of call?.participants.values() ?? []) {
    const camera = [...tracks].find(({ source }) => source === 'camera')
    const frames = camera ? framesOf(camera) : 0
    const known = gaps.get(user) ?? { frames: -1, movedAt: now, longestMs: 0 }
    // A new element counts from nothing.
    const moved = frames > 0 && frames !== known.frames
    const longestMs = moved ? Math.max(known.longestMs, now - known.movedAt) : known.longestMs
    gaps.set(user, { frames, movedAt: moved ? now : known.movedAt, longestMs })
  }
}

function watch(next: Call): void {
  call = next
  if (calls.includes(next)) return
  calls.push(next)
  log.length = rungs.length = 0
  note(`state ${next.state}`)
  next.on('state', () => note(`state ${next.state}`))
  next.on('reconnecting', (now) => now && rungs.push(now.rung))
  next.on('path', () => note(`path ${String(next.path)}`))
  next.on('encryption', (encrypted) => note(`encrypted ${encrypted}`))
  next.on('security', ({ kind, detail }) => note(`security ${kind}: ${detail}`))
  next.on('error', ({ code, message }) => note(`error ${code}: ${message}`))
  next.on('message', ({ data, from }) => note(`message ${String(data)} from ${from.user}`))
  next.on('policy', () => note(`silenced ${next.silenced.join()}`))
  next.on('track', show)
  for (const participant of next.participants.values()) {
    for (const track of participant.tracks.values()) show(track)
  }
}

function seatOf(user: string) {
  return present([...present(call).participants.values()].find((one) => one.user === user))
}

function speakerOf({ activeSpeaker, participants }: Call): string | undefined {
  return activeSpeaker === undefined ? undefined : (participants.get(activeSpeaker)?.user ?? 'me')
}

function note(text: string): void {
  log.push(text)
}

function show(track: RemoteTrack): void {
  if (elements.has(track)) return
  const element = document.createElement(track.kind)
  element.autoplay = true
  setWidth(element, 320)
  document.body.append(element)
  elements.set(track, element)
  if (element instanceof HTMLVideoElement) countFrames(track, element)
  track.attach(element)
}

/**
 * Frames decoded so far. Firefox counts a stream's frames only as they are presented, Chromium
 * presents none in a tab that is behind another but counts them.
 */
function framesOf(track: RemoteTrack): number {
  const element = elements.get(track)
  const isVideo = element instanceof HTMLVideoElement
  const counted = isVideo ? element.getVideoPlaybackQuality().totalVideoFrames : 0
  return Math.max(counted, presented.get(track) ?? 0)
}

function countFrames(track: RemoteTrack, video: HTMLVideoElement): void {
  const count = () => {
    presented.set(track, (presented.get(track) ?? 0) + 1)
    video.requestVideoFrameCallback(count)
  }
  video.requestVideoFrameCallback(count)
}

function setWidth(element: HTMLElement, width: number): void {
  element.style.width = `${width}px`
  element.style.height = `${(width * 9) / 16}px`
  element.style.display = width === 0 ? 'none' : 'inline-block'
}

/** Records a stream for a moment and finds its loudest frequency; 0 for silence. */
async function hertzOf(stream: MediaStreamTrack): Promise<number> {
  const recorder = new MediaRecorder(new MediaStream([stream]))
  const pieces: Blob[] = []
  recorder.ondataavailable = ({ data }) => pieces.push(data)
  const stopped = new Promise((resolve) => (recorder.onstop = resolve))
  recorder.start()
  setTimeout(() => recorder.stop(), LISTEN_MS)
  await stopped
  const bytes = await new Blob(pieces).arrayBuffer()
  // Headless Firefox has no audio output, so only an offline context runs there.
  const context = new OfflineAudioContext(1, 1, SAMPLE_RATE_HZ)
  // Of a track that ended meanwhile there may be nothing to decode.
  const sound = await context.decodeAudioData(bytes).catch(() => undefined)
  if (!sound) return 0
  return loudestHertz(sound.getChannelData(0).slice(-WINDOW_SAMPLES))
}

/** Goertzel's filter at every candidate: few enough here to need no FFT. */
function loudestHertz(samples: Float32Array): number {
  let loudest = 0
  let most = QUIETEST_POWER
  for (let hertz = LOWEST_HZ; hertz <= HIGHEST_HZ; hertz += STEP_HZ) {
    const coefficient = 2 * Math.cos((2 * Math.PI * hertz) / SAMPLE_RATE_HZ)
    let one = 0
    let two = 0
    for (const sample of samples) [one, two] = [sample + coefficient * one - two, one]
    const power = (one * one + two * two - coefficient * one * two) / samples.length ** 2
    if (power > most) [most, loudest] = [power, hertz]
  }
  return loudest
}

function present<T>(thing: T | undefined): T {
  if (thing === undefined) throw new Error('the page has not got that far')
  return thing
}
