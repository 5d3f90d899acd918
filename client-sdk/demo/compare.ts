import type { Call, Participant } from '../src/index.ts'
import { compare, groupsOf, qrText } from './comparison.ts'
import type { CodeKind, Comparison } from './comparison.ts'
import { el, fill } from './dom.ts'
import { icon } from './icons.ts'
import { identityOf } from './lock.ts'
import { announce, attempt, toast } from './notices.ts'
import { qrCode } from './qr.ts'
import { canScan, scan } from './scanner.ts'

/** What is compared, and with whom. */
export type Compared =
  | { readonly kind: 'call'; readonly call: Call; readonly code: string }
  | {
      readonly kind: 'pair'
      readonly call: Call
      readonly code: string
      readonly person: Participant
    }

const resultWords: Readonly<Record<Comparison, (kind: CodeKind) => string>> = {
  nothing: () => '',
  short: () => 'The same so far. Go on.',
  same: () => 'They are the same.',
  different: () =>
    'They are not the same. Check each digit; if they stay different, somebody may sit between you: hang up.',
  'other-kind': (kind) =>
    kind === 'call'
      ? 'That is a safety number. Ask for the call code.'
      : 'That is the call code. Ask for the safety number.',
}

/** Digits in groups, which screen readers say one by one. */
export function codeBlock(code: string): HTMLElement {
  const groups = groupsOf(code)
  return el(
    'div',
    { class: 'code', 'data-code': code, 'data-groups': groups.length },
    ...groups.map((group) =>
      el(
        'span',
        {},
        el('span', { 'aria-hidden': 'true' }, group),
        el('span', { class: 'visually-hidden' }, `${Array.from(group).join(' ')}, `),
      ),
    ),
  )
}

/** Shows a code in digits and as a QR code, and compares it with what the other side shows. */
export function compareSheet(compared: Compared): void {
  const { kind, code, call } = compared
  const whose = compared.kind === 'pair' ? compared.person.user : 'somebody else in the call'
  const title = compared.kind === 'pair' ? `Verify ${whose}` : 'Compare the call code'
  const name = compared.kind === 'pair' ? 'safety number' : 'call code'
  const result = el('p', { class: 'result', role: 'status' })
  const closing = new AbortController()
  const video = el('video', { playsinline: true, muted: true, autoplay: true, hidden: true })
  const input = el('input', {
    id: 'theirs',
    autocomplete: 'off',
    inputmode: 'numeric',
    spellcheck: 'false',
  })
  const judge = (given: string) => {
    const verdict = compare(kind, code, given)
    result.dataset['verdict'] = verdict
    result.textContent = resultWords[verdict](kind)
    // Nobody marks by habit what was just seen to be different.
    if (verify) verify.hidden = verdict === 'different'
    leave.hidden = verdict !== 'different'
    if (verdict === 'same') verify?.focus()
    return verdict
  }
  input.addEventListener('input', () => judge(input.value))
  const scanButton = el(
    'button',
    { class: 'button', type: 'button', onclick: () => void startScan() },
    icon('camera'),
    'Scan theirs',
  )
  const startScan = async () => {
    scanButton.disabled = true
    video.hidden = false
    result.textContent = 'Hold the other screen before the camera.'
    const stopping = new AbortController()
    closing.signal.addEventListener('abort', () => stopping.abort())
    const stop = () => {
      stopping.abort()
      video.hidden = true
      scanButton.disabled = false
    }
    try {
      await scan(video, stopping.signal, (text) => {
        if (judge(text) === 'same') stop()
      })
    } catch {
      stop()
      result.textContent = 'The camera cannot be used. Type or paste the digits instead.'
    }
  }
  const leave = el(
    'button',
    { class: 'button danger', type: 'button', hidden: true, onclick: () => void call.hangup() },
    icon('hangup'),
    'Hang up',
  )
  const verify =
    compared.kind === 'pair'
      ? verifyButton(compared, () => {
          announce(`${whose} is verified`)
          sheet.close()
        })
      : undefined
  const sheet = el(
    'dialog',
    { class: 'sheet compare', 'aria-labelledby': 'compare-title' },
    el(
      'div',
      { class: 'content' },
      el('h2', { id: 'compare-title' }, title),
      el(
        'p',
        { class: 'hint' },
        compared.kind === 'pair'
          ? `${whose} opens the same page about you. The digits must be the same on both screens, in this call and in later ones.`
          : 'Everybody in the call must see these digits.',
      ),
      el(
        'div',
        { class: 'shown' },
        qrCode(qrText(kind, code), `The ${name} as a QR code`),
        codeBlock(code),
      ),
      el(
        'div',
        { class: 'ways' },
        canScan() && scanButton,
        el(
          'button',
          {
            class: 'button',
            type: 'button',
            onclick: () =>
              void navigator.clipboard.writeText(code).then(
                () => toast('Copied.'),
                () => toast('The browser does not let this page copy.'),
              ),
          },
          icon('copy'),
          'Copy',
        ),
      ),
      video,
      el(
        'div',
        { class: 'field' },
        el('label', { for: 'theirs' }, `Or type the ${name} that ${whose} reads out`),
        input,
      ),
      result,
      el(
        'div',
        { class: 'choices' },
        verify,
        leave,
        el(
          'button',
          { class: 'button quiet', type: 'button', onclick: () => sheet.close() },
          'Close',
        ),
      ),
    ),
  )
  const offs = [
    call.on('verification', () => closeIfStale(compared, sheet)),
    call.on('state', (state) => {
      if (state === 'ended') sheet.close()
    }),
  ]
  const opener = document.activeElement instanceof HTMLElement ? document.activeElement : undefined
  sheet.addEventListener('close', () => {
    closing.abort()
    for (const off of offs) off()
    sheet.remove()
    focusAgain(opener)
  })
  document.body.append(sheet)
  sheet.showModal()
}

/** Goes back to what the sheet was opened by, which may have been drawn anew since. */
function focusAgain(opener: HTMLElement | undefined): void {
  const key = opener?.dataset['key']
  const now = key === undefined ? undefined : `[data-key="${CSS.escape(key)}"]`
  const element = now === undefined ? opener : document.querySelector<HTMLElement>(now)
  element?.focus()
}

/** A code that is compared while it changes would be found different for no reason. */
function closeIfStale(compared: Compared, sheet: HTMLDialogElement): void {
  if (compared.kind !== 'call' || compared.call.verification === compared.code) return
  toast('The call code has changed, since somebody came or went. Compare the new one.')
  sheet.close()
}

function verifyButton(
  { call, person }: Extract<Compared, { kind: 'pair' }>,
  done: () => void,
): HTMLElement {
  const { id, user } = person
  const isHeld = () => identityOf(call, id)?.decision !== 'accept'
  const button = el('button', { class: 'button primary', type: 'button' })
  const held = isHeld()
  fill(button, icon('verified'), held ? 'The same: accept and verify' : 'Mark as verified')
  button.addEventListener('click', () => {
    void attempt(async () => {
      if (isHeld()) await call.acceptIdentity(id)
      await call.markVerified(id)
    }).then(() => {
      if (identityOf(call, id)?.state === 'verified') done()
      else toast(`${user} could not be marked: the number has changed. Open this again.`, 'alert')
    })
  })
  return button
}
