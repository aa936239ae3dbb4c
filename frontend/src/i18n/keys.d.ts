// Makes a missing or misspelt key an error of the type checker. English is the measure; a test holds Chinese to it.
import "i18next"
import type admin from "./locales/en/admin.json"
import type common from "./locales/en/common.json"
import type dashboard from "./locales/en/dashboard.json"
import type home from "./locales/en/home.json"
import type keys from "./locales/en/keys.json"
import type pricing from "./locales/en/pricing.json"
import type referral from "./locales/en/referral.json"
import type settings from "./locales/en/settings.json"
import type signIn from "./locales/en/sign-in.json"
import type topup from "./locales/en/topup.json"
import type usage from "./locales/en/usage.json"

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "common"
    resources: {
      admin: typeof admin
      common: typeof common
      dashboard: typeof dashboard
      home: typeof home
      keys: typeof keys
      pricing: typeof pricing
      referral: typeof referral
      settings: typeof settings
      "sign-in": typeof signIn
      topup: typeof topup
      usage: typeof usage
    }
  }
}
