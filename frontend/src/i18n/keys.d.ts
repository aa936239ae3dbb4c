// Makes a missing or misspelt key an error of the type checker. English is the measure; a test holds Chinese to it.
import "i18next"
import type admin from "./locales/en/admin.json"
import type alerts from "./locales/en/alerts.json"
import type auditLog from "./locales/en/audit-log.json"
import type channels from "./locales/en/channels.json"
import type codes from "./locales/en/codes.json"
import type common from "./locales/en/common.json"
import type costs from "./locales/en/costs.json"
import type dashboard from "./locales/en/dashboard.json"
import type home from "./locales/en/home.json"
import type identityProviders from "./locales/en/identity-providers.json"
import type invitation from "./locales/en/invitation.json"
import type keys from "./locales/en/keys.json"
import type mails from "./locales/en/mails.json"
import type margins from "./locales/en/margins.json"
import type orders from "./locales/en/orders.json"
import type paymentMethods from "./locales/en/payment-methods.json"
import type policies from "./locales/en/policies.json"
import type priceImports from "./locales/en/price-imports.json"
import type pricing from "./locales/en/pricing.json"
import type referral from "./locales/en/referral.json"
import type referrals from "./locales/en/referrals.json"
import type security from "./locales/en/security.json"
import type settings from "./locales/en/settings.json"
import type signIn from "./locales/en/sign-in.json"
import type team from "./locales/en/team.json"
import type tokens from "./locales/en/tokens.json"
import type topup from "./locales/en/topup.json"
import type usage from "./locales/en/usage.json"
import type users from "./locales/en/users.json"

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "common"
    resources: {
      admin: typeof admin
      alerts: typeof alerts
      "audit-log": typeof auditLog
      channels: typeof channels
      codes: typeof codes
      common: typeof common
      costs: typeof costs
      dashboard: typeof dashboard
      home: typeof home
      invitation: typeof invitation
      "identity-providers": typeof identityProviders
      keys: typeof keys
      mails: typeof mails
      margins: typeof margins
      orders: typeof orders
      "payment-methods": typeof paymentMethods
      policies: typeof policies
      "price-imports": typeof priceImports
      pricing: typeof pricing
      referral: typeof referral
      referrals: typeof referrals
      security: typeof security
      settings: typeof settings
      "sign-in": typeof signIn
      topup: typeof topup
      team: typeof team
      tokens: typeof tokens
      usage: typeof usage
      users: typeof users
    }
  }
}
