import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openMD } from '../src/engine/openmd.ts'

test('an export from the browser says how to open it as one from the command does', () => {
  assert.equal(openMD, readFileSync(join(process.env['WARD_ROOT'] ?? '.', 'seal', 'OPEN.md'), 'utf8'))
})
