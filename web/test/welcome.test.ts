import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newID, random, recipientOf } from '../src/seal/bytes.ts'
import { invitationIdentity, inviterOf, lockFile, lockKey, newLockIdentity, readLockFile, sealTo, welcomeFile } from '../src/seal/keys.ts'

const key = await lockKey(newID(), newID(), 1, await newLockIdentity())
const identity = await invitationIdentity(random(16))
const sealed = async (file: Uint8Array): Promise<Uint8Array> => sealTo(file, await recipientOf(identity))

test('a welcome says who invites and holds the key', async () => {
  const welcome = await sealed(welcomeFile(key, 'د. نور الخطيب'))
  assert.equal(await inviterOf(identity, welcome), 'د. نور الخطيب')
  assert.equal((await readLockFile(identity, welcome)).identity, key.identity)
})

test('the size of a welcome tells nothing of the name in it', () => {
  const sizes = ['Li', 'Dr Ada Okafor', 'نور', 'n'.repeat(500)].map((name) => welcomeFile(key, name).length)
  assert.equal(new Set(sizes).size, 1)
})

test('a welcome without a name opens, and names nobody', async () => {
  assert.equal(await inviterOf(identity, await sealed(lockFile(key))), '')
  assert.equal(await inviterOf(identity, await sealed(welcomeFile(key, 'n'.repeat(500)))), '')
})
