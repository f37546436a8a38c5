// Keeps the app itself on the device, so that it opens without a network. It never touches /api: what is in a chart is
// kept by the engine, sealed, or not at all.

/// <reference lib="webworker" />
declare const self: ServiceWorkerGlobalScope
declare const ASSETS: readonly string[]
declare const VERSION: string

const shelf = `ward-${VERSION}`

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(shelf).then((cache) => cache.addAll(['/', ...ASSETS])).then(() => self.skipWaiting()))
})

self.addEventListener('activate', (event) => {
  event.waitUntil(caches.keys().then((names) => Promise.all(names.filter((n) => n !== shelf).map((n) => caches.delete(n)))).then(() => self.clients.claim()))
})

self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url)
  if (event.request.method !== 'GET' || url.origin !== location.origin || url.pathname.startsWith('/api/')) return
  if (event.request.mode === 'navigate') {
    // The page from the network, so that a new version comes at once; from the device without one.
    event.respondWith(fetch(event.request).catch(async () => (await caches.match('/')) ?? Response.error()))
    return
  }
  event.respondWith(caches.match(event.request).then((kept) => kept ?? fetch(event.request)))
})

// Reminders come when Ward is closed: a neutral sentence, which only this browser can read.
self.addEventListener('push', (event) => {
  const { text, tag } = (event.data?.json() ?? {}) as { text?: unknown; tag?: unknown }
  if (typeof text === 'string') event.waitUntil(self.registration.showNotification('Ward', { body: text, tag: String(tag), icon: '/icons/ward-192.png' }))
})

self.addEventListener('notificationclick', (event) => {
  event.notification.close()
  event.waitUntil(self.clients.matchAll({ type: 'window' }).then((open) => open[0]?.focus() ?? self.clients.openWindow('/')))
})

export {}
