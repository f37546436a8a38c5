// Passkeys: WebAuthn with PRF in the same ceremony. What PRF gives never leaves this file but as an age identity, and
// never goes to the server.

import { b64, unb64, type Bytes } from '../seal/bytes.ts'
import { passkeyIdentity, prfSalt } from '../seal/keys.ts'
import { EngineProblem } from './problem.ts'

interface PRFResults { prf?: { enabled?: boolean; results?: { first?: BufferSource } } }

interface OptionsJSON {
  challenge: string
  rp?: { id?: string; name: string }
  rpId?: string
  user?: { id: string; name: string; displayName: string }
  excludeCredentials?: { id: string; type: 'public-key'; transports?: AuthenticatorTransport[] }[]
  allowCredentials?: { id: string; type: 'public-key'; transports?: AuthenticatorTransport[] }[]
  extensions?: Record<string, unknown>
  [more: string]: unknown
}

const bytesOf = (source: BufferSource): Bytes =>
  source instanceof ArrayBuffer ? new Uint8Array(source) : new Uint8Array(source.buffer as ArrayBuffer, source.byteOffset, source.byteLength).slice()

const descriptor = (d: { id: string; type: 'public-key'; transports?: AuthenticatorTransport[] }): PublicKeyCredentialDescriptor => ({
  id: unb64(d.id), type: d.type, ...(d.transports && { transports: d.transports }),
})

export interface Made { readonly credential: object; readonly identity: string }

function need(): void {
  if (typeof PublicKeyCredential === 'undefined') throw new EngineProblem('no-webauthn', 'this browser has no passkeys')
}

/** Makes a passkey, named for the person on this device, and gives the identity that its PRF makes. */
export async function makePasskey(options: OptionsJSON, name: string): Promise<Made> {
  need()
  const user = options.user ?? { id: '', name: '', displayName: '' }
  const salt = await prfSalt()
  const credential = (await navigator.credentials.create({
    publicKey: {
      ...(options as unknown as PublicKeyCredentialCreationOptions),
      challenge: unb64(options.challenge),
      user: { id: unb64(user.id), name: name || user.name, displayName: name || user.displayName },
      excludeCredentials: (options.excludeCredentials ?? []).map(descriptor),
      extensions: { credProps: true, prf: { eval: { first: salt } } } as AuthenticationExtensionsClientInputs,
    },
  })) as PublicKeyCredential | null
  if (!credential) throw new EngineProblem('cancelled', 'no passkey was made')
  const results = credential.getClientExtensionResults() as PRFResults
  const response = credential.response as AuthenticatorAttestationResponse
  const identity = results.prf?.results?.first
    ? await passkeyIdentity(bytesOf(results.prf.results.first))
    : results.prf?.enabled
      ? await evaluate(credential, options.rp?.id, salt) // some authenticators evaluate only when they sign in
      : undefined
  if (identity === undefined) throw new EngineProblem('no-prf', 'this passkey cannot unlock')
  return {
    identity,
    credential: {
      id: credential.id, rawId: b64(new Uint8Array(credential.rawId)), type: credential.type,
      ...(credential.authenticatorAttachment && { authenticatorAttachment: credential.authenticatorAttachment }),
      response: {
        clientDataJSON: b64(new Uint8Array(response.clientDataJSON)), attestationObject: b64(new Uint8Array(response.attestationObject)),
        transports: response.getTransports?.() ?? [],
      },
      clientExtensionResults: { prf: { enabled: true } },
    },
  }
}

async function evaluate(credential: PublicKeyCredential, rpId: string | undefined, salt: Bytes): Promise<string | undefined> {
  const again = (await navigator.credentials.get({
    publicKey: {
      challenge: crypto.getRandomValues(new Uint8Array(32)), // checked by nobody: this only evaluates the PRF
      allowCredentials: [{ id: credential.rawId, type: 'public-key' }], userVerification: 'required',
      ...(rpId !== undefined && { rpId }), extensions: { prf: { eval: { first: salt } } } as AuthenticationExtensionsClientInputs,
    },
  })) as PublicKeyCredential | null
  const first = (again?.getClientExtensionResults() as PRFResults | undefined)?.prf?.results?.first
  return first ? passkeyIdentity(bytesOf(first)) : undefined
}

/** Signs in with whichever passkey the person chooses. */
export async function usePasskey(options: OptionsJSON): Promise<Made> {
  const credential = await ask(options, { prf: { eval: { first: await prfSalt() } } } as AuthenticationExtensionsClientInputs)
  const first = (credential.getClientExtensionResults() as PRFResults).prf?.results?.first
  if (!first) throw new EngineProblem('no-prf', 'this passkey cannot unlock here')
  return { identity: await passkeyIdentity(bytesOf(first)), credential: shown(credential) }
}

/** Touches a passkey of whoever is signed in, which opens nothing. */
export async function touchPasskey(options: OptionsJSON, signal: AbortSignal): Promise<object> {
  return shown(await ask(options, {}, signal))
}

async function ask(options: OptionsJSON, extensions: AuthenticationExtensionsClientInputs, signal?: AbortSignal): Promise<PublicKeyCredential> {
  need()
  const credential = (await navigator.credentials.get({
    publicKey: {
      ...(options as unknown as PublicKeyCredentialRequestOptions),
      challenge: unb64(options.challenge), allowCredentials: (options.allowCredentials ?? []).map(descriptor), extensions,
    },
    ...(signal && { signal }),
  })) as PublicKeyCredential | null
  if (!credential) throw new EngineProblem('cancelled', 'no passkey was used')
  return credential
}

/** What a passkey answered, as the server takes it: without what its extensions gave. */
function shown(credential: PublicKeyCredential): object {
  const response = credential.response as AuthenticatorAssertionResponse
  return {
    id: credential.id, rawId: b64(new Uint8Array(credential.rawId)), type: credential.type,
    response: {
      clientDataJSON: b64(new Uint8Array(response.clientDataJSON)), authenticatorData: b64(new Uint8Array(response.authenticatorData)),
      signature: b64(new Uint8Array(response.signature)), ...(response.userHandle && { userHandle: b64(new Uint8Array(response.userHandle)) }),
    },
    clientExtensionResults: {},
  }
}

/** What this device offers, to explain before asking. */
export async function passkeySupport(): Promise<{ webauthn: boolean; platform: boolean; prf: 'yes' | 'no' | 'unknown' }> {
  if (typeof PublicKeyCredential === 'undefined') return { webauthn: false, platform: false, prf: 'no' }
  const platform = await PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable().catch(() => false)
  const ask = (PublicKeyCredential as unknown as { getClientCapabilities?: () => Promise<Record<string, boolean>> }).getClientCapabilities
  const known = ask ? await ask.call(PublicKeyCredential).catch(() => ({}) as Record<string, boolean>) : {}
  const prf = known['extension:prf']
  return { webauthn: true, platform, prf: prf === undefined ? 'unknown' : prf ? 'yes' : 'no' }
}
