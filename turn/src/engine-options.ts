import { randomBytes } from 'node:crypto'
import { networkInterfaces } from 'node:os'
import type { TurnConfig } from './config.ts'
import { newCommonsMemory } from './core/commons.ts'
import type { EngineKeys, EngineOptions, EngineRelay } from './engine.ts'
import { loadCertificate } from './io/tls.ts'
import type { Family, IpAddress } from './wire/index.ts'
import { parseAddress, parseSocketAddress } from './wire/index.ts'

/**
 * Turns a configuration into what the engines of one server start from. Throws `StartError` when
 * certificate and key do not fit.
 */
export function engineOptions(config: TurnConfig, workers: number): EngineOptions {
  return {
    worker: 0,
    listeners: config.listeners,
    sharesPorts: workers > 1,
    keys: engineKeys(config),
    realm: config.realm,
    defaultFamily: config.defaultFamily,
    endsWithCredential: config.endsWithCredential,
    maxCredentialMs: config.maxCredentialSeconds * 1_000,
    relays: engineRelays(config),
    ownAddresses: ownAddresses(config),
    limits: config.limits,
    datagrams: config.datagrams,
    memory: newCommonsMemory({
      workers,
      ports: config.relayPorts,
      seed: randomBytes(4).readUInt32BE(0),
    }),
    nonceKey: randomBytes(32),
    drain: undefined,
  }
}

/** The part of a configuration that running engines can take over. */
export function engineKeys({ tls, secrets, users, allowPeers, denyPeers }: TurnConfig): EngineKeys {
  return {
    credentials: {
      secrets: secrets.map((secret) => secret.reveal()),
      users: users.map(({ name, password }) => ({ name, password: password.reveal() })),
    },
    certificate: tls && loadCertificate(tls.certFile, tls.keyFile),
    allowPeers,
    denyPeers,
  }
}

function engineRelays({ relays }: TurnConfig): EngineOptions['relays'] {
  const result: Partial<Record<Family, EngineRelay>> = {}
  for (const family of [4, 6] as const) {
    const relay = relays[family]
    const bound = relay && parseAddress(relay.host)
    const announced = relay && parseAddress(relay.announced)
    if (bound === undefined || announced === undefined) continue
    result[family] = { host: relay?.host ?? '', bound, announced }
  }
  return result
}

/** Every address that leads to this machine, as far as it can know. */
function ownAddresses({ relays, listeners }: TurnConfig): readonly IpAddress[] {
  const texts = [
    ...Object.values(networkInterfaces()).flatMap((list) => list?.map((i) => i.address) ?? []),
    ...Object.values(relays).flatMap(({ host, announced }) => [host, announced]),
    ...listeners.map(({ host }) => host),
  ]
  return texts.map(parseSocketAddress).filter((address) => address !== undefined)
}
