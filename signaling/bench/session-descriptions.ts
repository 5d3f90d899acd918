import { readFileSync } from 'node:fs'

const read = (name: string) => readFileSync(new URL(`testdata/${name}`, import.meta.url), 'utf8')

/** Chromium's own words for a call of microphone and camera. */
export const offerSdp = read('chromium-offer.sdp')
export const answerSdp = read('chromium-answer.sdp')

const lines = [
  '1536277176 1 udp 2122194687 192.0.2.2 38150 typ host generation 0',
  '2432138072 1 udp 2122265343 2001:db8::2 34446 typ host generation 0',
  '2772135468 1 tcp 1518214911 192.0.2.2 9 typ host tcptype active generation 0',
  '842163049 1 udp 1685987071 198.51.100.7 38150 typ srflx raddr 192.0.2.2 rport 38150 generation 0',
  '3098175849 1 udp 41885439 203.0.113.9 51412 typ relay raddr 198.51.100.7 rport 38150 generation 0',
  '1013728025 1 udp 25108223 203.0.113.9 62055 typ relay raddr 198.51.100.7 rport 40112 generation 0',
]

/** What a device behind a NAT, with a relay, finds on a bundled transport, as Chromium writes it. */
export const candidates = lines.map((line) => ({
  candidate: `candidate:${line} ufrag qWCY network-id 1`,
  sdpMid: '0',
  sdpMLineIndex: 0,
  usernameFragment: 'qWCY',
}))
