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
