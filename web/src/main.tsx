import { render } from 'preact'
import { App } from './app/app.tsx'
import { applyPrefs, readPrefs } from './app/prefs.ts'
import { createEngine } from './engine/engine.ts'
import { scriptURL } from './trusted.ts'

applyPrefs(readPrefs()) // before anything is drawn

const root = document.getElementById('app')
if (root) render(<App engine={createEngine()} />, root)

if ('serviceWorker' in navigator) navigator.serviceWorker.register(scriptURL('service')).catch(() => undefined) // it only saves loading
