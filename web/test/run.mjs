// Runs the tests of the app: node web/test/run.mjs [part of a name]. Each *.test.ts is bundled by the esbuild that
// also makes the app, since Node 20 takes no TypeScript, and run by node --test. The exit code is the tests'.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '..', '..')
const wanted = process.argv[2] ?? ''
const tests = readdirSync(here).filter((name) => name.endsWith('.test.ts') && name.includes(wanted))
if (tests.length === 0) {
  console.error(`no test of web/test is called ${wanted}*.test.ts`)
  process.exit(1)
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, WARD_ROOT: root } })
  if (error) console.error(`${command}: ${error.message}`)
  return status ?? 1
}

const built = mkdtempSync(join(tmpdir(), 'ward-test-'))
let status = run('go', [
  'run', 'github.com/evanw/esbuild/cmd/esbuild', ...tests.map((name) => join(here, name)), '--bundle', '--platform=node', '--format=esm',
  '--target=node20', '--out-extension:.js=.mjs', `--outdir=${built}`, '--log-level=warning', '--sourcemap=inline',
])
if (status === 0) status = run(process.execPath, ['--enable-source-maps', '--test', ...tests.map((name) => join(built, name.replace(/ts$/, 'mjs')))])
rmSync(built, { recursive: true, force: true })
process.exit(status)
