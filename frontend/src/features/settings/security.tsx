import { Password } from "./password"
import { Sessions } from "./sessions"

/** The ways into one's account, and where one has come in. */
export default function Security() {
  return (
    <>
      <div className="grid gap-10 lg:grid-cols-2 lg:gap-12">
        <Password />
      </div>
      <Sessions />
    </>
  )
}
