import assert from 'node:assert/strict'
import { test } from 'node:test'
import { b64, newID, random, recipientOf } from '../src/seal/bytes.ts'
import { invitationIdentity, lockFile, lockKey, namesIn, newLockIdentity, readLockFile, sealTo, welcomeFile } from '../src/seal/keys.ts'

const key = await lockKey(newID(), newID(), 1, await newLockIdentity())
const identity = await invitationIdentity(random(16))
const sealed = async (file: Uint8Array): Promise<Uint8Array> => sealTo(file, await recipientOf(identity))

const salt = b64(random(32))

test('a welcome says who invites, how they call the invited, and holds the key', async () => {
  const welcome = await sealed(welcomeFile(key, 'د. نور الخطيب', { name: 'Li Wei', salt }))
  assert.deepEqual(await namesIn(identity, welcome), { from: 'د. نور الخطيب', name: 'Li Wei', salt })
  assert.equal((await readLockFile(identity, welcome)).identity, key.identity)
})

test('the size of a welcome tells nothing of the names in it', () => {
  const sizes = ['Li', 'Dr Ada Okafor', 'نور', 'n'.repeat(500)].flatMap((name) => [welcomeFile(key, name, { name: 'Li', salt }).length, welcomeFile(key, 'Li', { name, salt }).length])
  assert.equal(new Set(sizes).size, 1)
})

test('a welcome without a name opens, and names nobody', async () => {
  assert.deepEqual(await namesIn(identity, await sealed(lockFile(key))), { from: '', name: '', salt: '' })
  assert.deepEqual(await namesIn(identity, await sealed(welcomeFile(key, 'n'.repeat(500), { name: 'n'.repeat(500), salt }))), { from: '', name: '', salt })
})
