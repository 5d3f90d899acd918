import { CallClient } from '../src/index.ts'
import type { Call, CallMedia } from '../src/index.ts'
import { fill, part } from './dom.ts'
import { incomingSheet } from './incoming.ts'
import { lobbyScreen } from './lobby.ts'
import { attempt, toast } from './notices.ts'
import { deviceOfTab, fetchToken, readSettings } from './settings.ts'
import { stageScreen, titleOf } from './stage.ts'
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
  const device = deviceOfTab(user)
  const client = new CallClient({
    url: location.origin,
    token: () => fetchToken(user, device),
    device,
    iceTransportPolicy: settings.relay ? 'relay' : 'all',
    topology: settings.topology,
  })
  if (!(await attempt(() => client.connect()))) return false
  window.parley.client = client
  const url = new URL(location.href)
  url.searchParams.set('user', user)
  history.replaceState(null, '', url)
  run(client)
  return true
}

/** The lobby, and calls as they come and go. */
function run(client: CallClient): void {
  let stage: ReturnType<typeof stageScreen> | undefined
  const start = async (begin: () => Promise<Call>, called: readonly string[]) => {
    if (stage) return
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
  fill(app, lobby.element)

  const enter = (call: Call, called: readonly string[] = []) => {
    const focused = document.activeElement
    const cameFrom = focused instanceof HTMLElement ? focused.dataset['key'] : undefined
    window.parley.call = call
    const screen = stageScreen(call, client, called)
    stage = screen
    fill(app, screen.element)
    screen.focus()
    // Names, while the people are still there to be named.
    let name = titleOf(call, called)
    call.on('participant-joined', () => (name = titleOf(call, called)))
    const leave = () => {
      screen.close()
      stage = undefined
      window.parley.call = undefined
      lobby.render()
      fill(app, lobby.element)
      lobby.focus(cameFrom ?? (call.room === undefined ? undefined : 'join'))
      if (call.endReason) toast(`${wordsForEnd(call.endReason, name)}.`)
    }
    if (call.state === 'ended') leave()
    else
      call.on('state', (state) => {
        if (state === 'ended') leave()
      })
  }

  client.on('incoming', (call) => incomingSheet(call, enter))
  client.on('presence', lobby.render)
  client.on('connection', (state) => {
    lobby.render()
    if (stage && state === 'reconnecting') toast('The server is away. The call goes on meanwhile.')
  })
  client.on('error', ({ code }) => {
    lobby.render()
    toast(wordsForError(code), 'alert')
  })
}
