import { CallError } from '../errors.ts'
import type { CallErrorCode } from '../errors.ts'
import type { Devices } from '../ports.ts'

/** The part of `navigator.mediaDevices` that is used; missing on pages without HTTPS. */
export type MediaDevicesLike = Pick<
  MediaDevices,
  'getUserMedia' | 'getDisplayMedia' | 'enumerateDevices'
>

const AUDIO: MediaTrackConstraints = {
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: true,
}
const VIDEO: MediaTrackConstraints = {
  width: { ideal: 1280 },
  height: { ideal: 720 },
  frameRate: { ideal: 30 },
}

/** Opens devices of the browser; failures become CallErrors that say what to do about them. */
export function browserDevices(find: () => MediaDevicesLike | undefined): Devices {
  const media = () => {
    const found = find()
    if (!found) throw new CallError('not-supported')
    return found
  }
  return {
    async open({ audio, video }) {
      const devices = media()
      try {
        const stream = await devices.getUserMedia({
          audio: audio && AUDIO,
          video: video && VIDEO,
        })
        return stream.getTracks()
      } catch (error) {
        throw await deviceError(error, devices, { audio, video })
      }
    },

    async openScreen() {
      const devices = media()
      try {
        const stream = await devices.getDisplayMedia({
          video: { frameRate: { ideal: 15 }, width: { max: 1920 }, height: { max: 1080 } },
          audio: true,
        })
        const [video] = stream.getVideoTracks()
        if (!video) throw new CallError('screen-denied')
        return { video, audio: stream.getAudioTracks()[0] }
      } catch (error) {
        if (error instanceof CallError) throw error
        const denied = error instanceof Error && error.name === 'NotAllowedError'
        throw new CallError(denied ? 'screen-denied' : 'not-supported', { cause: error })
      }
    },
  }
}

async function deviceError(
  cause: unknown,
  devices: MediaDevicesLike,
  wanted: { audio: boolean; video: boolean },
): Promise<CallError> {
  const name = cause instanceof Error ? cause.name : ''
  if (name === 'NotFoundError' || name === 'OverconstrainedError') {
    return new CallError(await missingDevice(devices, wanted), { cause })
  }
  if (name === 'NotReadableError' || name === 'AbortError') {
    return new CallError('device-busy', { cause })
  }
  return new CallError('media-denied', { cause })
}

async function missingDevice(
  devices: MediaDevicesLike,
  { audio, video }: { audio: boolean; video: boolean },
): Promise<CallErrorCode> {
  if (!video) return 'no-microphone'
  if (!audio) return 'no-camera'
  const known = await devices.enumerateDevices().catch(() => [])
  return known.some(({ kind }) => kind === 'audioinput') ? 'no-camera' : 'no-microphone'
}
