/* Addresses of the contract that ../openapi/management.json does not have yet. Goes when they come. */
import type { paths as generated } from "./schema"

type Sends<B> = { requestBody: { content: { "application/json": B } } }
type Gives<R> = { responses: { 200: { headers: object; content: { "application/json": R } } } }
type Nothing = { responses: { 204: { headers: object; content?: never } } }
type Query<Q> = { parameters: { query?: Q; header?: never; path?: never; cookie?: never } }
type Page<T> = { items: T[]; next_cursor: string | null }
type Batch = {
  id: string
  name: string
  amount: number
  count: number
  uses_per_code: number
  uses_per_account: number
  groups: string[] | null
  expires_at: string | null
  revoked_at: string | null
  redeemed: number
  created_at: string
}

interface provisional {
  "/api/v1/redemptions": { post: Sends<{ code: string }> & Gives<{ amount: number; balance: number }> }
  "/api/v1/topup": {
    get: Query<never> &
      Gives<{ is_enabled: boolean; redemption_enabled: boolean; methods: { id: string; label: string }[] }>
  }
  "/api/v1/admin/redemption-batches": {
    get: Query<{ cursor?: string; limit?: number }> & Gives<Page<Batch>>
    post: Sends<{
      name: string
      amount: number
      count: number
      expires_at?: string | null
      uses_per_code?: number
      uses_per_account?: number
      groups?: string[] | null
    }> &
      Gives<Batch & { codes: string[] | null }>
  }
  "/api/v1/admin/redemption-batches/{batch_id}": {
    delete: { parameters: { path: { batch_id: string } } } & Nothing
  }
}

export type paths = generated & provisional
