/** What two people compare: the code of a call, or the number of the two of them. */
export type CodeKind = 'call' | 'pair'

/** Letters, digits and colons only: QR codes hold these in the least room. */
const prefixes: Readonly<Record<CodeKind, string>> = {
  call: 'PARLEY:CALL:',
  pair: 'PARLEY:PAIR:',
}

/** `short`: so far the same, and not all of it. `other-kind`: the other one of the two codes. */
export type Comparison = 'same' | 'different' | 'short' | 'other-kind' | 'nothing'

/** What the QR code of a code or number says. */
export function qrText(kind: CodeKind, code: string): string {
  return prefixes[kind] + digitsOf(code)
}

/**
 * Compares one's own code with what was scanned, pasted or typed as somebody reads it out; spaces,
 * dashes and the like do not matter.
 */
export function compare(kind: CodeKind, own: string, given: string): Comparison {
  const text = given.trim().toUpperCase()
  const other = kind === 'call' ? prefixes.pair : prefixes.call
  if (text.startsWith(other)) return 'other-kind'
  const scanned = text.startsWith(prefixes[kind])
  const theirs = digitsOf(scanned ? text.slice(prefixes[kind].length) : text)
  const ours = digitsOf(own)
  if (theirs === '') return scanned || text !== '' ? 'different' : 'nothing'
  if (theirs === ours) return 'same'
  return ours.startsWith(theirs) && !scanned ? 'short' : 'different'
}

/** Groups of digits, as they are read out. */
export function groupsOf(code: string): readonly string[] {
  return code.split(' ')
}

function digitsOf(text: string): string {
  return text.replaceAll(/[^0-9]/g, '')
}
