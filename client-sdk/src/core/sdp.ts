/**
 * Asks the other side to send Opus with discontinuous transmission and forward error correction:
 * parameters in a description say what its maker wants to receive, so this is put into what is
 * sent, never into what is set.
 */
export function askForDtx(sdp: string): string {
  const opus = new Set([...sdp.matchAll(/^a=rtpmap:(\d+) opus\//gim)].map(([, type]) => type))
  return sdp.replaceAll(/^a=fmtp:(\d+) ([^\r\n]*)/gm, (line, type: string, parameters: string) => {
    if (!opus.has(type)) return line
    const kept = parameters.split(';').filter((p) => !/^(usedtx|useinbandfec)=/.test(p))
    return `a=fmtp:${type} ${[...kept, 'useinbandfec=1', 'usedtx=1'].join(';')}`
  })
}

/**
 * Takes out the offer to tell the level of each audio packet (RFC 6464): it would stand in a header that
 * everybody on the way can read, and between two nobody asks who speaks.
 */
export function withoutAudioLevels(sdp: string): string {
  return sdp.replaceAll(
    /^a=extmap:\S+ urn:ietf:params:rtp-hdrext:ssrc-audio-level[^\r\n]*\r?\n/gm,
    '',
  )
}
