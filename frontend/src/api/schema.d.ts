/* Provisional: written by hand from the contract until `npm run api` can generate it from ../openapi/management.json. */
type Query<Q> = { parameters: { query?: Q; header?: never; path?: never; cookie?: never } }
type Path<P> = { parameters: { path: P; query?: never; header?: never; cookie?: never } }
type Sends<B> = { requestBody: { content: { "application/json": B } } }
type Gives<R> = { responses: { 200: { headers: object; content: { "application/json": R } } } }
type Nothing = { responses: { 204: { headers: object; content?: never } } }
type Page<T> = { items: T[]; next_cursor: string | null }
type Paging = { cursor?: string; limit?: number }
type Role = "user" | "operator" | "owner"

type Tokens = { access_token: string; token_type: string; expires_in: number }
type Me = {
  user: { id: string; email: string; role: Role }
  account: { id: string; group: string }
  accounts: { id: string; name: string; kind: string; team_role: string | null }[]
}
type Wallet = {
  balance: number
  held: number
  available: number
  reward_balance: number
  used_total: string
  currency: string
}
type Transfer = {
  id: string
  kind: string
  amount: number
  balance_after: number
  reference: string
  created_at: string
}
type RateLimits = { requests_per_minute?: number | null; concurrency?: number | null }
type Key = {
  id: string
  name: string
  prefix: string
  status: string
  spend_limit: number | null
  spent: number
  remaining: number | null
  expires_at: string | null
  models: string[] | null
  allowed_ips: string[] | null
  group: string | null
  rate_limits: RateLimits | null
  last_used_at: string | null
  created_at: string
}
type KeyInput = {
  name: string
  spend_limit?: number | null
  expires_at?: string | null
  models?: string[] | null
  allowed_ips?: string[] | null
  group?: string | null
  rate_limits?: RateLimits | null
}
type KeyChange = Partial<KeyInput> & { status?: "active" | "disabled" }
type Meters = Record<string, number>
type UsageItem = {
  request_id: string
  created_at: string
  model: string
  key_id: string
  status: string
  usage: Meters
  usage_source: string
  cost: number
  charged: number
  latency_ms: number | null
  first_token_ms: number | null
  is_streaming: boolean
  endpoint?: string
}
type Attempt = {
  channel_id: string
  channel: string
  status?: number | null
  error?: string | null
  latency_ms: number
}
type Line = { meter: string; quantity: number; rate: number; per: number; amount: string }
type Receipt = UsageItem & {
  lines: Line[]
  subtotal: string
  multiplier_micros: number
  rate_card_id: string | null
  group: string
  attempts?: Attempt[] | null
}
type Rates = Record<string, { rate: number; per: number }>
type Tier = {
  when: { input_tokens_above?: number; service_tier?: string; endpoint?: string }
  rates: Rates
}
type PricedModel = {
  model: string
  vendor: string | null
  rates: Rates
  multiplier_micros: number
  tiers?: Tier[]
  context_window?: number | null
  description?: string | null
}
type Pricing = {
  group: string
  groups: { name: string; label: string | null; multiplier_micros: number }[]
  models: PricedModel[]
}
type Status = {
  name: string
  version: string
  mode: string
  currency: string
  quota_per_unit: number
  sign_up: string
  topup_enabled: boolean
  referral_enabled: boolean
  links: Record<string, string>
}
type Session = {
  id: string
  created_at: string
  last_seen_at: string | null
  user_agent: string | null
  ip: string | null
  is_current: boolean
}
type TopUp = { is_enabled: boolean; redemption_enabled: boolean; methods: { id: string; label: string }[] }

export interface paths {
  "/api/v1/status": { get: Query<never> & Gives<Status> }
  "/api/v1/auth/login": { post: Sends<{ email: string; password: string }> & Gives<Tokens> }
  "/api/v1/auth/register": {
    post: Sends<{ email: string; password: string; referral_code?: string }> & Gives<Tokens>
  }
  "/api/v1/auth/refresh": { post: Gives<Tokens> }
  "/api/v1/auth/logout": { post: Nothing }
  "/api/v1/me": { get: Query<never> & Gives<Me> }
  "/api/v1/me/sessions": { get: Query<never> & Gives<Page<Session>> }
  "/api/v1/me/sessions/{id}": { delete: Path<{ id: string }> & Nothing }
  "/api/v1/me/password": {
    post: Sends<{ current_password: string; new_password: string }> & Nothing
  }
  "/api/v1/wallet": { get: Query<never> & Gives<Wallet> }
  "/api/v1/wallet/transfers": { get: Query<Paging & { kind?: string }> & Gives<Page<Transfer>> }
  "/api/v1/keys": {
    get: Query<Paging> & Gives<Page<Key>>
    post: Sends<KeyInput> & Gives<Key & { key: string | null }>
  }
  "/api/v1/keys/{id}": {
    patch: Path<{ id: string }> & Sends<KeyChange> & Gives<Key>
    delete: Path<{ id: string }> & Nothing
  }
  "/api/v1/usage": {
    get: Query<
      Paging & { model?: string; key_id?: string; from?: string; to?: string; status?: string }
    > &
      Gives<Page<UsageItem>>
  }
  "/api/v1/usage/{request_id}": { get: Path<{ request_id: string }> & Gives<Receipt> }
  "/api/v1/usage/summary": {
    get: Query<{ group_by: string; tz?: string; from?: string; to?: string }> &
      Gives<{
        items: { key: string; requests: number; cost: string; charged: string; usage: Meters }[]
        total: { requests: number; cost: string; charged: string; usage: Meters }
      }>
  }
  "/api/v1/usage/exports": { post: Sends<Record<string, string>> & Gives<{ url: string }> }
  "/api/v1/redemptions": { post: Sends<{ code: string }> & Gives<{ amount: number; balance: number }> }
  "/api/v1/topup": { get: Query<never> & Gives<TopUp> }
  "/api/v1/pricing": { get: Query<{ group?: string }> & Gives<Pricing> }
  "/api/v1/pricing/estimate": {
    post: Sends<{ model: string; usage: Meters; group?: string; requests?: number }> &
      Gives<{ cost: number; subtotal: string; lines: Line[] }>
  }
}
