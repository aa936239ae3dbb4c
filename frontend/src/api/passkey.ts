// Passkeys between the API and the browser. Newer browsers translate from and to JSON themselves; for others we do.
import { Problem } from "./problem"

type Json = Record<string, unknown>
type Described = { id: string; type: "public-key"; transports?: AuthenticatorTransport[] }

const UNPADDED = /=+$/

function bytes(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"))
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0))
}

function text(buffer: ArrayBuffer | null): string | undefined {
  if (!buffer) return undefined
  const plain = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("")
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replace(UNPADDED, "")
}

function described(list: unknown): PublicKeyCredentialDescriptor[] {
  return ((list ?? []) as Described[]).map((one) => ({ ...one, id: bytes(one.id) }))
}

function creation(options: Json): PublicKeyCredentialCreationOptions {
  if (PublicKeyCredential.parseCreationOptionsFromJSON)
    return PublicKeyCredential.parseCreationOptionsFromJSON(
      options as unknown as PublicKeyCredentialCreationOptionsJSON,
    )
  const user = options.user as { id: string; name: string; displayName: string }
  return {
    ...(options as unknown as PublicKeyCredentialCreationOptions),
    challenge: bytes(String(options.challenge)),
    user: { ...user, id: bytes(user.id) },
    excludeCredentials: described(options.excludeCredentials),
  }
}

function request(options: Json): PublicKeyCredentialRequestOptions {
  if (PublicKeyCredential.parseRequestOptionsFromJSON)
    return PublicKeyCredential.parseRequestOptionsFromJSON(
      options as unknown as PublicKeyCredentialRequestOptionsJSON,
    )
  return {
    ...(options as unknown as PublicKeyCredentialRequestOptions),
    challenge: bytes(String(options.challenge)),
    allowCredentials: described(options.allowCredentials),
  }
}

function asJson(credential: PublicKeyCredential): Json {
  if (credential.toJSON) return credential.toJSON() as Json
  const { response } = credential
  const common = { id: credential.id, rawId: text(credential.rawId), type: credential.type }
  const clientDataJSON = text(response.clientDataJSON)
  if (response instanceof AuthenticatorAttestationResponse)
    return {
      ...common,
      response: {
        clientDataJSON,
        attestationObject: text(response.attestationObject),
        transports: response.getTransports?.() ?? [],
      },
    }
  const assertion = response as AuthenticatorAssertionResponse
  return {
    ...common,
    response: {
      clientDataJSON,
      authenticatorData: text(assertion.authenticatorData),
      signature: text(assertion.signature),
      userHandle: text(assertion.userHandle),
    },
  }
}

async function ceremony(begin: () => Promise<Credential | null>): Promise<Json> {
  try {
    const credential = await begin()
    if (credential instanceof PublicKeyCredential) return asJson(credential)
  } catch (cause) {
    const name = cause instanceof Error ? cause.name : ""
    if (name === "InvalidStateError") throw new Problem("passkey_known", 0, "", null, {})
    throw new Problem("passkey_cancelled", 0, "", null, { cause: String(cause) })
  }
  throw new Problem("passkey_cancelled", 0, "", null, {})
}

export function canUsePasskeys(): boolean {
  return typeof PublicKeyCredential !== "undefined"
}

/** Has a device make a passkey. Throws a Problem when the person or the device would not. */
export function makePasskey(options: Json): Promise<Json> {
  return ceremony(() => navigator.credentials.create({ publicKey: creation(options) }))
}

/** Has a device answer with a passkey that it holds. Throws a Problem when the person or the device would not. */
export function askPasskey(options: Json): Promise<Json> {
  return ceremony(() => navigator.credentials.get({ publicKey: request(options) }))
}
