// Names for the shapes of the API, taken from the generated addresses so that they cannot drift from them.
import type { paths } from "./schema"

type Json<T> = T extends { content: { "application/json": infer Body } } ? Body : never
type Succeeds<Op> = Op extends { responses: infer R }
  ? 200 extends keyof R
    ? Json<R[200]>
    : 201 extends keyof R
      ? Json<R[201]>
      : never
  : never
type Item<List> = List extends { items: (infer T)[] } ? T : never
type Sent<Op> = Op extends { requestBody?: infer B } ? Json<NonNullable<B>> : never

export type Me = Succeeds<paths["/api/v1/me"]["get"]>
export type Wallet = Succeeds<paths["/api/v1/wallet"]["get"]>
export type Transfer = Item<Succeeds<paths["/api/v1/wallet/transfers"]["get"]>>
export type Key = Item<Succeeds<paths["/api/v1/keys"]["get"]>>
export type Budget = Key["budgets"][number]
export type Alert = Item<Succeeds<paths["/api/v1/alerts"]["get"]>>
export type AlertInput = Sent<paths["/api/v1/alerts"]["post"]>
export type Delivery = Item<Succeeds<paths["/api/v1/alerts/deliveries"]["get"]>>
export type KeyInput = Sent<paths["/api/v1/keys"]["post"]>
export type KeyChange = Sent<paths["/api/v1/keys/{key_id}"]["patch"]>
export type Pricing = Succeeds<paths["/api/v1/pricing"]["get"]>
export type PricedModel = Pricing["models"][number]
export type Estimate = Succeeds<paths["/api/v1/pricing/estimate"]["post"]>
export type EstimateInput = Sent<paths["/api/v1/pricing/estimate"]["post"]>
export type Status = Succeeds<paths["/api/v1/status"]["get"]>
export type Security = Succeeds<paths["/api/v1/me/security"]["get"]>
export type Passkey = Security["passkeys"][number]
export type Identity = Security["identities"][number]
export type Session = Item<Succeeds<paths["/api/v1/me/sessions"]["get"]>>
export type Token = Item<Succeeds<paths["/api/v1/tokens"]["get"]>>
export type NewToken = Succeeds<paths["/api/v1/tokens"]["post"]>
export type Member = Item<Succeeds<paths["/api/v1/accounts/{account_id}/members"]["get"]>>
export type TeamRole = Member["team_role"]
export type Invitation = Item<Succeeds<paths["/api/v1/accounts/{account_id}/invitations"]["get"]>>
export type InvitationOffer = Succeeds<paths["/api/v1/invitations"]["get"]>
export type UsageItem = Item<Succeeds<paths["/api/v1/usage"]["get"]>>
export type Receipt = Succeeds<paths["/api/v1/usage/{request_id}"]["get"]>
export type Summary = Succeeds<paths["/api/v1/usage/summary"]["get"]>
export type Offer = Succeeds<paths["/api/v1/topup"]["get"]>["methods"][number]
export type Quote = Succeeds<paths["/api/v1/topup/quote"]["post"]>
export type Order = Succeeds<paths["/api/v1/topup/orders/{order_id}"]["get"]>
export type Referral = Succeeds<paths["/api/v1/referral"]["get"]>
export type Reward = Item<Succeeds<paths["/api/v1/referral/rewards"]["get"]>>
export type NextStep = NonNullable<Order["next"]>

// The operator's.
export type Account = Item<Succeeds<paths["/api/v1/admin/accounts"]["get"]>>
export type User = Item<Succeeds<paths["/api/v1/admin/users"]["get"]>>
export type Channel = Item<Succeeds<paths["/api/v1/admin/channels"]["get"]>>
export type ChannelDraft = Sent<paths["/api/v1/admin/channels"]["post"]>
export type Credential = Channel["credentials"][number]
export type ChannelTest = Succeeds<paths["/api/v1/admin/channels/{channel_id}/test"]["post"]>
export type ProbeWish = Sent<paths["/api/v1/admin/channels/{channel_id}/test"]["post"]>
export type Discovery = Succeeds<paths["/api/v1/admin/channels/discover"]["post"]>
export type Provider = Item<Succeeds<paths["/api/v1/admin/providers"]["get"]>>
export type Group = Item<Succeeds<paths["/api/v1/admin/groups"]["get"]>>
export type GroupChanges = Sent<paths["/api/v1/admin/groups/{name}"]["patch"]>
export type Model = Item<Succeeds<paths["/api/v1/admin/models"]["get"]>>
export type ModelChanges = Sent<paths["/api/v1/admin/models/{model}"]["patch"]>
export type RateCard = Item<Succeeds<paths["/api/v1/admin/rate-cards"]["get"]>>
export type Batch = Item<Succeeds<paths["/api/v1/admin/redemption-batches"]["get"]>>
export type BatchDraft = Sent<paths["/api/v1/admin/redemption-batches"]["post"]>
export type Redemption = Item<Succeeds<paths["/api/v1/admin/redemptions"]["get"]>>
export type FoundCode = Succeeds<paths["/api/v1/admin/redemption-codes/find"]["post"]>
export type BroughtPerson = Item<Succeeds<paths["/api/v1/admin/referrals"]["get"]>>
export type AdminReward = BroughtPerson["rewards"][number]
export type BatchChanges = Sent<paths["/api/v1/admin/redemption-batches/{batch_id}"]["patch"]>
export type AdminOrder = Item<Succeeds<paths["/api/v1/admin/orders"]["get"]>>
export type AdminOrderDetail = Succeeds<paths["/api/v1/admin/orders/{order_id}"]["get"]>
export type PaymentMethod = Item<Succeeds<paths["/api/v1/admin/payment-methods"]["get"]>>
export type MethodDraft = Sent<paths["/api/v1/admin/payment-methods"]["post"]>
export type Processor = Item<Succeeds<paths["/api/v1/admin/payment-processors"]["get"]>>
export type NewBatch = Succeeds<paths["/api/v1/admin/redemption-batches"]["post"]>
export type Act = Item<Succeeds<paths["/api/v1/admin/audit-log"]["get"]>>
export type IdentityProvider = Item<Succeeds<paths["/api/v1/admin/identity-providers"]["get"]>>
export type IdentityProviderInput = Sent<paths["/api/v1/admin/identity-providers"]["post"]>
export type PriceSources = Succeeds<paths["/api/v1/admin/price-imports/sources"]["get"]>
export type PriceImport = Item<Succeeds<paths["/api/v1/admin/price-imports"]["get"]>>
export type PriceImportDraft = Sent<paths["/api/v1/admin/price-imports"]["post"]>
export type PriceLine = Item<Succeeds<paths["/api/v1/admin/price-imports/{import_id}/lines"]["get"]>>
export type MarginReport = Succeeds<paths["/api/v1/admin/margins"]["get"]>
export type Margin = MarginReport["items"][number]
export type ChannelCosts = Succeeds<paths["/api/v1/admin/channels/{channel_id}/costs"]["get"]>
export type ChannelCost = ChannelCosts["items"][number]
