import { render } from 'preact'
import { App } from './app/app.tsx'
import { createEngine } from './engine/engine.ts'
import { workerURL } from './trusted.ts'

const root = document.getElementById('app')
if (root) render(<App engine={createEngine()} />, root)

if ('serviceWorker' in navigator) navigator.serviceWorker.register(workerURL()).catch(() => undefined) // it only saves loading
