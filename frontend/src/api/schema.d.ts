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
  account: { id: string; name: string; group: string; status: string }
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
  balance_after: number | null
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
  rate_limits: RateLimits
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
  group: string | null
  groups: { name: string; label: string; multiplier_micros: number }[]
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
  last_used_at: string
  expires_at: string
  user_agent: string
  address: string | null
  is_current: boolean
}
type TopUp = { is_enabled: boolean; redemption_enabled: boolean; methods: { id: string; label: string }[] }

type AccountLine = {
  id: string
  name: string
  kind: string
  group: string
  status: "active" | "paused"
  balance: number
  held: number
  available: number
  reward_balance: number
  overrun: number
  members: { user_id: string; email: string; team_role: string; role: Role; status: string }[]
  created_at: string
}
type ChannelDraft = {
  name: string
  provider: string
  base_url?: string
  credentials?: string[]
  models?: string[] | Record<string, string>
  groups?: string[]
  priority?: number
  weight?: number
  enabled?: boolean
}
type Channel = {
  id: string
  name: string
  provider: string
  base_url: string
  credentials: { id: string; hint: string }[]
  models: Record<string, string>
  groups: string[]
  priority: number
  weight: number
  enabled: boolean
  created_at: string
  updated_at: string
}
type GroupChanges = {
  label?: string
  multiplier_micros?: number
  models?: string[] | null
  is_public?: boolean
  usable_by?: string[]
}
type GroupView = {
  name: string
  label: string
  multiplier_micros: number
  models: string[] | null
  is_public: boolean
  usable_by: string[]
  overrides: Record<string, number>
  created_at: string
}
type RateMap = { [Meter in string]?: number }
type TierDraft = { when: Tier["when"]; rates: RateMap }
type RateCard = {
  id: string
  model: string
  version: number
  rates: RateMap
  tiers: TierDraft[]
  effective_at: string
  created_at: string
  created_by: string | null
}
type ModelChanges = {
  vendor?: string | null
  description?: string | null
  context_window?: number | null
  max_output_tokens?: number | null
  media_tokens_max?: number | null
  enabled?: boolean
}
type ModelView = {
  model: string
  vendor: string | null
  description: string | null
  context_window: number | null
  max_output_tokens: number | null
  media_tokens_max: number | null
  enabled: boolean
  created_at: string
  rate_card: RateCard | null
}
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
  created_at: string
}

export interface paths {
  "/api/v1/admin/accounts": {
    get: Query<Paging & { q?: string; group?: string; status?: "active" | "paused" }> & Gives<Page<AccountLine>>
  }
  "/api/v1/admin/accounts/{account_id}": {
    patch: Path<{ account_id: string }> &
      Sends<{ group?: string; status?: "active" | "paused" }> &
      Gives<AccountLine>
  }
  "/api/v1/admin/accounts/{account_id}/adjustments": {
    post: Path<{ account_id: string }> &
      Sends<{ amount: number; reason: string; allow_partial?: boolean }> &
      Gives<{ amount: number; balance: number }>
  }
  "/api/v1/admin/channels": {
    get: Query<Paging> & Gives<Page<Channel>>
    post: Sends<ChannelDraft> & Gives<Channel>
  }
  "/api/v1/admin/channels/{channel_id}": {
    patch: Path<{ channel_id: string }> & Sends<Partial<ChannelDraft>> & Gives<Channel>
    delete: Path<{ channel_id: string }> & Nothing
  }
  "/api/v1/admin/channels/{channel_id}/test": {
    post: Path<{ channel_id: string }> &
      Sends<{ model?: string | null }> &
      Gives<{
        ok: boolean
        model: string
        upstream_model: string
        status: number | null
        latency_ms: number
        error: string | null
      }>
  }
  "/api/v1/admin/groups": {
    get: Query<Paging> & Gives<Page<GroupView>>
    post: Query<{ create?: "only" }> & Sends<GroupChanges & { name: string }> & Gives<GroupView>
  }
  "/api/v1/admin/groups/{name}": {
    patch: Path<{ name: string }> & Sends<GroupChanges> & Gives<GroupView>
    delete: Path<{ name: string }> & Nothing
  }
  "/api/v1/admin/models": {
    get: Query<Paging> & Gives<Page<ModelView>>
    post: Query<{ create?: "only" }> & Sends<ModelChanges & { model: string }> & Gives<ModelView>
  }
  "/api/v1/admin/models/{model}": {
    patch: Path<{ model: string }> & Sends<ModelChanges> & Gives<ModelView>
    delete: Path<{ model: string }> & Nothing
  }
  "/api/v1/admin/rate-cards": {
    get: Query<Paging & { model?: string }> & Gives<Page<RateCard>>
    post: Sends<{
      model: string
      rates: RateMap
      effective_at?: string | null
      tiers?: TierDraft[]
    }> &
      Gives<RateCard>
  }
  "/api/v1/admin/redemption-batches": {
    get: Query<Paging> & Gives<Page<Batch>>
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
    delete: Path<{ batch_id: string }> & Nothing
  }
  "/api/v1/status": { get: Query<never> & Gives<Status> }
  "/api/v1/auth/login": { post: Sends<{ email: string; password: string }> & Gives<Tokens> }
  "/api/v1/auth/register": {
    post: Sends<{ email: string; password: string; referral_code?: string }> & Gives<Tokens>
  }
  "/api/v1/auth/refresh": { post: Gives<Tokens> }
  "/api/v1/auth/logout": { post: Nothing }
  "/api/v1/me": { get: Query<never> & Gives<Me> }
  "/api/v1/me/sessions": { get: Query<never> & Gives<Page<Session>> }
  "/api/v1/me/sessions/{session_id}": { delete: Path<{ session_id: string }> & Nothing }
  "/api/v1/me/password": {
    post: Sends<{ current_password: string; new_password: string }> & Nothing
  }
  "/api/v1/wallet": { get: Query<never> & Gives<Wallet> }
  "/api/v1/wallet/transfers": { get: Query<Paging & { kind?: string }> & Gives<Page<Transfer>> }
  "/api/v1/keys": {
    get: Query<Paging> & Gives<Page<Key>>
    post: Sends<KeyInput> & Gives<Key & { key: string | null }>
  }
  "/api/v1/keys/{key_id}": {
    patch: Path<{ key_id: string }> & Sends<KeyChange> & Gives<Key>
    delete: Path<{ key_id: string }> & Nothing
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
        items: {
          key: string
          split?: string | null
          requests: number
          cost: string
          charged: string
          usage: Meters
          failed?: number
        }[]
        total: { requests: number; cost: string; charged: string; usage: Meters; failed?: number }
      }>
  }
  "/api/v1/usage/exports": { post: Sends<Record<string, string>> & Gives<{ url: string }> }
  "/api/v1/redemptions": { post: Sends<{ code: string }> & Gives<{ amount: number; balance: number }> }
  "/api/v1/topup": { get: Query<never> & Gives<TopUp> }
  "/api/v1/pricing": { get: Query<{ group?: string }> & Gives<Pricing> }
  "/api/v1/pricing/estimate": {
    post: Sends<{ model: string; usage: Meters; group?: string; requests?: number }> &
      Gives<{
        group: string
        multiplier_micros: number
        cost: number
        subtotal: string
        lines: Line[]
      }>
  }
}
