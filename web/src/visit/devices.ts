// Which devices a person chose for visits, and whether they come with camera and microphone on. Kept on the device, by
// the names that the browser gives them, which mean nothing elsewhere.

import type { Devices } from './media.ts'

const name = 'ward-devices'

const usual: Devices = { camera: undefined, microphone: undefined, speaker: undefined, cameraOn: true, microphoneOn: true }

export function readDevices(): Devices {
  try {
    return { ...usual, ...(JSON.parse(localStorage.getItem(name) ?? '{}') as Partial<Devices>) }
  } catch {
    return usual // storage is closed
  }
}

export function keepDevices(change: Partial<Devices>): Devices {
  const all = { ...readDevices(), ...change }
  try {
    localStorage.setItem(name, JSON.stringify(all))
  } catch {
    // they last for this visit
  }
  return all
}
