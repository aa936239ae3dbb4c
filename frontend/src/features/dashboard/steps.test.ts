import { expect, test } from "vitest"
import type { Key, Wallet } from "../../api/types"
import { stepsDone } from "./steps"

const wallet = (balance: number, used = "0") => ({ balance, used_total: used }) as Wallet
const key = (spend_limit: number | null, status = "active") =>
  ({ status, spend_limit, last_used_at: null }) as Key

test("nothing is done at the beginning", () => {
  const done = stepsDone({ wallet: wallet(0), keys: [], hasCalled: false, hasFollowed: false })
  expect(Object.values(done)).toEqual([false, false, false, false, false])
})

test("quota that is used up was added all the same", () => {
  const done = stepsDone({ wallet: wallet(0, "12"), keys: [], hasCalled: false, hasFollowed: false })
  expect(done).toMatchObject({ quota: true, call: true, key: false })
})

test("limits are done when every key that works has one", () => {
  const done = (keys: Key[]) =>
    stepsDone({ wallet: wallet(1), keys, hasCalled: true, hasFollowed: true }).limits
  expect(done([key(5), key(null, "disabled")])).toBe(true)
  expect(done([key(5), key(null)])).toBe(false)
})
