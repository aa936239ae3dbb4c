import { useSuspenseQuery } from "@tanstack/react-query"
import { Authenticator } from "./authenticator"
import { Identities } from "./identities"
import { Passkeys } from "./passkeys"
import { Password } from "./password"
import { securityQuery } from "./security-query"
import { Sessions } from "./sessions"

/** The ways into one's account, and where one has come in. */
export default function Security() {
  const { data: security } = useSuspenseQuery(securityQuery)
  return (
    <>
      <div className="grid gap-10 lg:grid-cols-2 lg:gap-12">
        <Password hasOne={security.has_password} />
        <Authenticator security={security} />
      </div>
      <Passkeys security={security} />
      <Identities security={security} />
      <Sessions />
    </>
  )
}
