// Someone who was taken out of a visit and whom the server lets in again: a browser of theirs that checks nothing and
// joins the group by itself, with the admission that they had. Bundled by stranger.mjs.

import {
  createGroupInfoWithExternalPubAndRatchetTree, decodeMlsMessage, defaultCapabilities, defaultLifetime, encodeMlsMessage, generateKeyPackageWithKey, getCiphersuiteFromName,
  getCiphersuiteImpl, joinGroupExternal, mlsExporter,
} from 'ts-mls'
import { b64, utf8 } from '../web/src/seal/bytes.ts'
import { write } from '../web/src/seal/statements.ts'
import { writeIdentity } from '../web/src/visit/credential.ts'
import { outType } from '../web/src/visit/out.ts'

const base64 = (bytes) => btoa(String.fromCharCode(...bytes))
const hex = (bytes) => [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('')

/** Makes the commit, the state that others would join by after it, and the media keys that it leads to. */
export async function intrude({ info, admission, admitted }) {
  const { org, visit, member, card } = JSON.parse(admission.split('\n')[1])
  const pair = await new Promise((resolve, reject) => {
    const open = indexedDB.open('ward')
    open.onerror = () => reject(open.error)
    open.onsuccess = () => {
      const get = open.result.transaction('keys').objectStore('keys').get('browser')
      get.onsuccess = () => { open.result.close(); resolve(get.result) }
    }
  })
  const sign = async (data) => new Uint8Array(await crypto.subtle.sign('Ed25519', pair.privateKey, data))
  const cs = await getCiphersuiteImpl(getCiphersuiteFromName('MLS_256_XWING_AES256GCM_SHA512_Ed25519'))
  const key = await cs.signature.keygen()
  const visitor = await write('ward/visitor/1', { org, visit, member, person: member, card, leaf: b64(key.publicKey), time: new Date().toISOString() }, sign)
  const browser = b64(new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey)))
  const identity = writeIdentity({ visitor: visitor.text, browser, admission, admitted })
  const leaf = await generateKeyPackageWithKey({ credentialType: 'basic', identity }, { ...defaultCapabilities(), extensions: [outType] }, defaultLifetime, [], key, cs)
  const [message] = decodeMlsMessage(Uint8Array.from(atob(info), (c) => c.charCodeAt(0)), 0)
  const { newState, publicMessage } = await joinGroupExternal(message.groupInfo, leaf.publicPackage, leaf.privatePackage, false, cs)
  const groupInfo = await createGroupInfoWithExternalPubAndRatchetTree(newState, [], cs)
  const keys = await Promise.all(newState.ratchetTree.flatMap((node, i) => {
    if (node?.nodeType !== 'leaf') return []
    const { visitor } = JSON.parse(new TextDecoder().decode(node.leaf.credential.identity))
    const whose = JSON.parse(visitor.split('\n')[1]).member
    return [mlsExporter(newState.keySchedule.exporterSecret, 'ward/visit-media/1', utf8(`${i / 2} ${whose}`), 32, cs).then((k) => ({ epoch: Number(newState.groupContext.epoch), leaf: i / 2, key: hex(k) }))]
  }))
  return {
    commit: base64(encodeMlsMessage({ version: 'mls10', wireformat: 'mls_public_message', publicMessage })),
    groupInfo: base64(encodeMlsMessage({ version: 'mls10', wireformat: 'mls_group_info', groupInfo })), keys,
  }
}
