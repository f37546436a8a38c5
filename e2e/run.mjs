// Runs the story and the looks at every screen, in real browsers against the real binary: node e2e/run.mjs [name …].
// The database is SQLite, or the PostgreSQL that WARD_TEST_POSTGRES names, which must be empty: so one story then.

import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const lock = createHash('sha256').update(readFileSync(join(here, 'package-lock.json'))).digest('hex')
const stamp = join(here, 'node_modules', '.lock-hash') // as build/web.go marks what it installed
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
  const installed = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: here, stdio: 'inherit' })
  if (installed.status !== 0) process.exit(1)
  writeFileSync(stamp, lock)
}

const wanted = process.argv.slice(2)
const stories = readdirSync(here).filter((name) => name.endsWith('.story.mjs') && (wanted.length === 0 || wanted.some((part) => name.includes(part)))).sort()
let passed = 0
let failed = 0
for (const name of stories) {
  const { steps } = await import(`./${name}`)
  const told = await steps(process.env.WARD_TEST_POSTGRES ?? '')
  passed += told.passed
  failed += told.failed
}
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed > 0 || passed === 0 ? 1 : 0)
