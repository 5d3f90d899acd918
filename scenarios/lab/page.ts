// What a page that embeds the SDK does, and nothing that only we could do: it uses the documented
// surface, and looks at the media as a person would, through elements and ears.

import type { Call, CallClient, RemoteTrack } from '@parley/client-sdk'

const FFT_SIZE = 16_384
const SILENCE_DB = -60
const EVERYTHING = { audio: true, video: true }

interface Ear {
  readonly analyser: AnalyserNode
  readonly bins: Float32Array<ArrayBuffer>
}

let client: CallClient | undefined
let call: Call | undefined
let incoming: Call | undefined
let context: AudioContext | undefined
const log: string[] = []
const elements = new Map<RemoteTrack, HTMLMediaElement>()
const ears = new Map<MediaStreamTrack, Ear>()

/** What the tests steer the page by. */
const lab = {
  async connect({ url, user, options }: { url: string; user: string; options: object }) {
    // The file that the server hands to everybody, not this checkout's sources.
    const sdk = (await import(`${url}/sdk.js`)) as typeof import('@parley/client-sdk')
    const token = async () => {
      const response = await fetch(`${url}/dev/token`, {
        method: 'POST',
        body: JSON.stringify({ user }),
      })
      const { token: issued } = (await response.json()) as { token: string }
      return issued
    }
    client = new sdk.CallClient({ url, token, ...options })
    client.on('incoming', (ringing) => {
      incoming = ringing
      watch(ringing)
    })
    await client.connect()
  },

  async call(users: string | string[]) {
    watch(await present(client).call(users, EVERYTHING))
  },

  async join(room: string) {
    watch(await present(client).join(room, EVERYTHING))
  },

  isRinging: () => incoming?.state === 'ringing',
  accept: () => present(incoming).accept(EVERYTHING),
  decline: () => present(incoming).decline(),
  hangup: () => present(call).hangup(),
  invite: (user: string) => present(call).invite(user),
  setMicrophone: (on: boolean) => present(call).setMicrophone(on),
  setCamera: (on: boolean) => present(call).setCamera(on),
  shareScreen: () => present(call).shareScreen(),

  /** What the page can see of its call. */
  look() {
    if (!call) return { state: 'none', others: [] }
    return {
      state: call.state,
      path: call.path,
      endReason: call.endReason,
      encrypted: call.encrypted,
      log,
      others: [...call.participants.values()].map((participant) => ({
        user: participant.user,
        tracks: [...participant.tracks.values()].map((track) => ({
          kind: track.kind,
          source: track.source,
          frames: framesOf(track),
          hz: hertzOf(track),
        })),
      })),
    }
  },
}

Object.assign(globalThis, { lab })

function watch(next: Call): void {
  call = next
  log.length = 0
  note(`state ${next.state}`)
  next.on('state', () => note(`state ${next.state}`))
  next.on('path', () => note(`path ${String(next.path)}`))
  next.on('track', show)
  for (const participant of next.participants.values()) {
    for (const track of participant.tracks.values()) show(track)
  }
}

function note(text: string): void {
  log.push(text)
}

function show(track: RemoteTrack): void {
  if (elements.has(track)) return
  const element = document.createElement(track.kind)
  element.autoplay = true
  element.style.width = '320px'
  element.style.height = '180px'
  document.body.append(element)
  elements.set(track, element)
  track.attach(element)
}

function framesOf(track: RemoteTrack): number {
  const element = elements.get(track)
  const isVideo = element instanceof HTMLVideoElement
  return isVideo ? element.getVideoPlaybackQuality().totalVideoFrames : 0
}

/** The loudest frequency of an audio track; 0 for silence. */
function hertzOf(track: RemoteTrack): number {
  if (track.kind !== 'audio' || !track.mediaStreamTrack) return 0
  context ??= new AudioContext()
  let ear = ears.get(track.mediaStreamTrack)
  if (!ear) {
    const source = context.createMediaStreamSource(new MediaStream([track.mediaStreamTrack]))
    const analyser = new AnalyserNode(context, { fftSize: FFT_SIZE, smoothingTimeConstant: 0 })
    source.connect(analyser)
    ear = { analyser, bins: new Float32Array(analyser.frequencyBinCount) }
    ears.set(track.mediaStreamTrack, ear)
  }
  ear.analyser.getFloatFrequencyData(ear.bins)
  let loudest = 0
  for (let bin = 1; bin < ear.bins.length; bin++) {
    if ((ear.bins[bin] ?? -Infinity) > (ear.bins[loudest] ?? -Infinity)) loudest = bin
  }
  const heard = (ear.bins[loudest] ?? -Infinity) > SILENCE_DB
  return heard ? (loudest * context.sampleRate) / FFT_SIZE : 0
}

function present<T>(thing: T | undefined): T {
  if (thing === undefined) throw new Error('the page has not got that far')
  return thing
}
