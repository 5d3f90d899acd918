import { CallClient } from '../src/index.ts'
import type { Call, CallMedia } from '../src/index.ts'
import { approvalsPanel } from './approvals.ts'
import { deviceName } from './device.ts'
import { fill, part } from './dom.ts'
import { elsewherePanel } from './elsewhere.ts'
import { hallwayScreen } from './hallway.ts'
import { incomingSheet } from './incoming.ts'
import { lobbyScreen } from './lobby.ts'
import { missedPanel } from './missed.ts'
import { attempt, toast } from './notices.ts'
import { fetchToken, readSettings } from './settings.ts'
import { stageScreen, titleOf } from './stage.ts'
import { renewWaking } from './wake.ts'
import { welcomeScreen } from './welcome.ts'
import { wordsForEnd, wordsForError } from './words.ts'

declare global {
  interface Window {
    /** For tests and the console. */
    parley: { client: CallClient | undefined; call: Call | undefined }
  }
}

const app = part('app')
const settings = readSettings(location.search)
window.parley = { client: undefined, call: undefined }

if (settings.user === undefined) fill(app, welcomeScreen(signIn))
else if (!(await signIn(settings.user))) fill(app, welcomeScreen(signIn))

async function signIn(user: string): Promise<boolean> {
  const client = new CallClient({
    url: location.origin,
    token: () => fetchToken(user),
    device: await deviceName(),
    iceTransportPolicy: settings.relay ? 'relay' : 'all',
    topology: settings.topology,
    encryption: settings.encryption,
  })
  if (!(await attempt(() => client.connect()))) return false
  window.parley.client = client
  const url = new URL(location.href)
  url.searchParams.set('user', user)
  history.replaceState(null, '', url)
  run(client)
  void renewWaking(client)
  return true
}

/** The lobby, and calls as they come and go. */
function run(client: CallClient): void {
  let stage: ReturnType<typeof stageScreen> | undefined
  const start = async (begin: () => Promise<Call>, called: readonly string[]) => {
    await attempt(async () => enter(await begin(), called))
  }
  const lobby = lobbyScreen(client, settings.room, {
    call: (user, media) => void start(() => client.call(user, media), [user]),
    join: (room, media: CallMedia) => void start(() => client.join(room, media), []),
    reconnect: () => void attempt(() => client.connect()),
    signOut: () => {
      void client.close()
      location.search = ''
    },
  })
  const elsewhere = elsewherePanel(client, (begin, called) => void start(begin, called))
  const missed = missedPanel(client, {
    callBack: (user, media) => void start(() => client.call(user, media), [user]),
  })
  const approvals = approvalsPanel(client)
  client.identity.on('changed', approvals.render)
  const above = [elsewhere, missed, approvals].map(({ element }) => element)
  lobby.element.querySelector('.columns')?.before(...above)
  fill(app, lobby.element)

  const enter = (call: Call, called: readonly string[] = []) => {
    // The call before goes on, on hold; the stage is for one at a time.
    stage?.close()
    const focused = document.activeElement
    const cameFrom = focused instanceof HTMLElement ? focused.dataset['key'] : undefined
    window.parley.call = call
    if (call.state === 'waiting') {
      wait(call)
      return
    }
    const screen = stageScreen(call, client, {
      called,
      show: (other) => enter(other),
    })
    stage = screen
    fill(app, screen.element)
    screen.focus()
    // Names, while the people are still there to be named.
    let name = titleOf(call, called)
    const rename = () => {
      if (call.participants.size > 0) name = titleOf(call, called)
    }
    call.on('participant-joined', rename)
    call.on('participant-left', rename)
    const leave = () => {
      if (stage !== screen) return
      screen.close()
      stage = undefined
      window.parley.call = undefined
      if (call.endReason) toast(`${wordsForEnd(call.endReason, name)}.`)
      const next = client.calls.find(({ self }) => self !== undefined)
      if (next) {
        enter(next)
        return
      }
      lobby.render()
      missed.render()
      fill(app, lobby.element)
      lobby.focus(cameFrom ?? (call.room === undefined ? undefined : 'join'))
    }
    if (call.state === 'ended') leave()
    else
      call.on('state', (state) => {
        if (state === 'ended') leave()
      })
  }

  const wait = (call: Call) => {
    stage = undefined
    const hallway = hallwayScreen(call)
    fill(app, hallway.element)
    hallway.focus()
    const off = call.on('state', (state) => {
      off()
      if (state !== 'ended') {
        enter(call)
        return
      }
      if (call.endReason) toast(`${wordsForEnd(call.endReason, call.room ?? '')}.`)
      window.parley.call = undefined
      lobby.render()
      fill(app, lobby.element)
      lobby.focus('join')
    })
  }

  client.on('incoming', (call) => incomingSheet(call, enter))
  client.on('resumed', (call) => enter(call))
  client.on('presence', lobby.render)
  client.on('other-calls', elsewhere.render)
  client.on('connection', (state) => {
    lobby.render()
    if (stage && state === 'reconnecting') toast('The server is away. The call goes on meanwhile.')
  })
  client.on('error', ({ code }) => {
    lobby.render()
    toast(wordsForError(code), 'alert')
  })
}
