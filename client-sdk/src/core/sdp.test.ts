import { expect, it } from 'vitest'
import { askForDtx, withoutAudioLevels } from './sdp.ts'

it('asks for DTX and FEC of Opus, and leaves all else alone', () => {
  const sdp = [
    'm=audio 9 UDP/TLS/RTP/SAVPF 111 63',
    'a=rtpmap:111 opus/48000/2',
    'a=fmtp:111 minptime=10;useinbandfec=0',
    'a=rtpmap:63 red/48000/2',
    'a=fmtp:63 111/111',
    '',
  ].join('\r\n')
  expect(askForDtx(sdp).split('\r\n')).toEqual([
    'm=audio 9 UDP/TLS/RTP/SAVPF 111 63',
    'a=rtpmap:111 opus/48000/2',
    'a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1',
    'a=rtpmap:63 red/48000/2',
    'a=fmtp:63 111/111',
    '',
  ])
})

it('says the same when said twice', () => {
  const sdp = 'a=rtpmap:9 OPUS/48000/2\r\na=fmtp:9 minptime=10\r\n'
  expect(askForDtx(askForDtx(sdp))).toBe(askForDtx(sdp))
})

it('audio levels are not offered where nobody reads them', () => {
  const kept = [
    'm=audio 9 UDP/TLS/RTP/SAVPF 111',
    'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
    '',
  ]
  const level = 'a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level'
  for (const line of [level, `${level} vad=on`, level.replace('1', '14/sendrecv')]) {
    const offered = [kept[0], line, ...kept.slice(1)].join('\r\n')
    expect(withoutAudioLevels(offered)).toBe(kept.join('\r\n'))
  }
})
