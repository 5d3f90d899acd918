import { memoryIdentityStore } from '../e2ee/identity/identity.ts'
import type { IdentityStore } from '../e2ee/identity/identity.ts'

const DATABASE = 'parley-identity'
const TABLE = 'values'

/**
 * Keeps identities in IndexedDB, which holds keys that cannot be read. Where there is none, as in
 * some private windows, they live as long as the page.
 */
export function browserIdentityStore(): IdentityStore {
  let opened: Promise<IdentityStore> | undefined
  const store = () =>
    (opened ??= open().then(
      (database) => tableOf(database),
      () => memoryIdentityStore(),
    ))
  return {
    get: async (name) => (await store()).get(name),
    set: async (name, value) => (await store()).set(name, value),
    add: async (name, value) => (await store()).add(name, value),
    delete: async (name) => (await store()).delete(name),
  }
}

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1)
    request.onupgradeneeded = () => request.result.createObjectStore(TABLE)
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error('no IndexedDB'))
  })
}

function tableOf(database: IDBDatabase): IdentityStore {
  const table = (mode: IDBTransactionMode) => database.transaction(TABLE, mode).objectStore(TABLE)
  return {
    get: (name) => settled(table('readonly').get(name)),
    async set(name, value) {
      await settled(table('readwrite').put(value, name))
    },
    async add(name, value) {
      // One transaction, so that two tabs agree on who was first.
      const values = table('readwrite')
      const known: unknown = await settled(values.get(name))
      if (known !== undefined) return known
      await settled(values.add(value, name))
      return value
    },
    async delete(name) {
      await settled(table('readwrite').delete(name))
    },
  }
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error('IndexedDB has failed'))
  })
}
