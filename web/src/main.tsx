import { render } from 'preact'
import { App } from './app/app.tsx'
import { applyPrefs, readPrefs } from './app/prefs.ts'
import { createEngine } from './engine/engine.ts'
import { workerURL } from './trusted.ts'

applyPrefs(readPrefs()) // before anything is drawn

const root = document.getElementById('app')
if (root) render(<App engine={createEngine()} />, root)

if ('serviceWorker' in navigator) navigator.serviceWorker.register(workerURL()).catch(() => undefined) // it only saves loading
