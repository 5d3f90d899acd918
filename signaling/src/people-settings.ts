import { setting, SettingsError } from '@parley/service'
import type { SettingValues } from '@parley/service'
import { isPushKey } from './wake/vapid.ts'

/** Shorter secrets can be guessed from one captured message. Characters. */
const SECRET_MIN_LENGTH = 16

const webUrl = (env: string, about: string) =>
  setting.custom<URL | undefined>(env, {
    about,
    fallback: undefined,
    expected: 'an http or https URL',
    parse: (text) => (/^https?:/.test(text) && URL.canParse(text) ? new URL(text) : undefined),
  })

/** What signaling reads about people who are not there. */
export const peopleSettings = {
  pushPrivateKey: setting.secret('PARLEY_PUSH_PRIVATE_KEY', {
    about:
      'Key that push services know this server by (VAPID); `npm run push-key` makes one. Without it no browser is woken; in development it is made up at each start.',
    minLength: 43,
  }),
  pushSubject: setting.custom<string | undefined>('PARLEY_PUSH_SUBJECT', {
    about: 'How push services reach the operator; needed with PARLEY_PUSH_PRIVATE_KEY.',
    fallback: undefined,
    expected: 'a mailto: or https: URL, as mailto:operator@example.org',
    parse: (text) => (/^(mailto:\S+@\S+|https:\/\/\S+)$/.test(text) ? text : undefined),
  }),
  pushAllowPrivate: setting.flag('PARLEY_PUSH_ALLOW_PRIVATE', {
    about:
      'Lets clients name push services at private addresses and without TLS; only for networks that are closed. On in development.',
    fallback: false,
  }),
  wakeUrl: webUrl(
    'PARLEY_WAKE_WEBHOOK_URL',
    "The app's gateway to APNs or FCM: told of each ring and each missed call, signed.",
  ),
  wakeSecrets: setting.secrets('PARLEY_WAKE_WEBHOOK_SECRET', {
    about: 'Signs what is sent to PARLEY_WAKE_WEBHOOK_URL; newest first.',
    minLength: SECRET_MIN_LENGTH,
  }),
  webhookUrl: webUrl(
    'PARLEY_WEBHOOK_URL',
    "The app's server: told of calls as they begin, are answered, missed and end, signed.",
  ),
  webhookSecrets: setting.secrets('PARLEY_WEBHOOK_SECRET', {
    about: 'Signs what is sent to PARLEY_WEBHOOK_URL; newest first.',
    minLength: SECRET_MIN_LENGTH,
  }),
  adminSecret: setting.secret('PARLEY_ADMIN_SECRET', {
    about: 'Bearer secret of the admin API; without it there is none.',
    minLength: SECRET_MIN_LENGTH,
  }),
  adminListen: setting.hostPort('PARLEY_ADMIN_LISTEN', {
    about: 'Address of its own for the admin API; on the public one when unset.',
    fallback: undefined,
  }),
  recordsDays: setting.integer('PARLEY_RECORDS_DAYS', {
    about: 'Days for which records of calls are kept: who and when, nothing else; 0 keeps none.',
    fallback: 7,
    min: 0,
    max: 3650,
  }),
  mailboxDays: setting.integer('PARLEY_MAILBOX_DAYS', {
    about: 'Days for which missed calls are kept; 0 keeps none.',
    fallback: 30,
    min: 0,
    max: 365,
  }),
}

type Values = SettingValues<typeof peopleSettings> & { readonly dev: boolean }

/** Throws `SettingsError` where settings do not go together. */
export function checkPeopleSettings(values: Values): void {
  const { pushPrivateKey, pushSubject, wakeUrl, wakeSecrets, dev } = values
  if (pushPrivateKey && !isPushKey(pushPrivateKey.reveal())) {
    throw problem(
      'PARLEY_PUSH_PRIVATE_KEY',
      '[secret]',
      'a key of 32 bytes as base64url, as `npm run push-key` makes it',
    )
  }
  if (pushPrivateKey && !pushSubject && !dev) {
    throw problem('PARLEY_PUSH_SUBJECT', '', 'a mailto: or https: URL, as push services demand it')
  }
  if (wakeUrl && wakeSecrets.length === 0) {
    throw problem('PARLEY_WAKE_WEBHOOK_SECRET', '', 'the secret of PARLEY_WAKE_WEBHOOK_URL')
  }
  if (values.webhookUrl && values.webhookSecrets.length === 0) {
    throw problem('PARLEY_WEBHOOK_SECRET', '', 'the secret of PARLEY_WEBHOOK_URL')
  }
  if (values.adminListen && !values.adminSecret) {
    throw problem('PARLEY_ADMIN_SECRET', '', 'the secret of the API on PARLEY_ADMIN_LISTEN')
  }
}

function problem(key: string, value: string, expected: string): SettingsError {
  return new SettingsError([{ key, value, expected }])
}
