/** The relays among the servers that a browser may be sent to; those that only tell it its address are left out. */
export function relaysOf(servers: readonly RTCIceServer[]): RTCIceServer[] {
  return servers
    .map((s) => ({ ...s, urls: [s.urls].flat().filter((url) => /^turns?:/.test(url)) }))
    .filter((s) => s.urls.length > 0)
}
