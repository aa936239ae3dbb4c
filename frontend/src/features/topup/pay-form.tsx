import { CreditCard, Landmark, Mail, QrCode, WalletCards } from "lucide-react"
import { useTranslation } from "react-i18next"
import type { Offer } from "../../api/types"
import { useLedger } from "../../components/amount"
import { Field } from "../../components/field"
import { Input } from "../../components/input"
import { useSiteLinks } from "../../components/site-links"
import { minorText, moneyText, shortMoney } from "../../format/minor"
import { currencySign, exactAmount } from "../../format/quota"
import { bonusPercent, type Chosen, typedProblem } from "./choice"

type Change = (change: Partial<Chosen>) => void

function Packages({ method, chosen, onChange }: { method: Offer; chosen: Chosen; onChange: Change }) {
  const { t } = useTranslation("topup")
  const { unit, sign } = useLedger()
  if (method.packages.length === 0) return null
  return (
    <fieldset className="presets">
      <legend className="legend">{t("pay.amount")}</legend>
      {method.packages.map((one) => {
        const percent = bonusPercent(one.quota, one.bonus_quota)
        return (
          <label key={one.id} className="preset">
            <input
              type="radio"
              className="sr-only"
              name="package"
              checked={chosen.package === one.id}
              onChange={() => onChange({ package: one.id, typed: "" })}
            />
            <b className="fig">{shortMoney(one.amount, method.currency, method.exponent)}</b>
            <span>
              {one.label}
              {percent && <i>{t("pay.bonus", { percent })}</i>}
            </span>
            <span className="sr-only">
              {t("pay.brings", { amount: `${sign}${exactAmount(one.quota + one.bonus_quota, unit)}` })}
            </span>
          </label>
        )
      })}
    </fieldset>
  )
}

function Custom({ method, chosen, onChange }: { method: Offer; chosen: Chosen; onChange: Change }) {
  const { t } = useTranslation("topup")
  if (!method.custom_amount) return null
  const { currency, exponent } = method
  const bounds = {
    minimum: moneyText(Math.max(1, method.minimum ?? 1), currency, exponent),
    maximum: method.maximum === null ? "" : moneyText(method.maximum, currency, exponent),
  }
  const problem = typedProblem(method, chosen)
  const sign = currencySign(currency)
  return (
    <Field
      label={method.packages.length > 0 ? t("pay.another") : t("pay.amount")}
      help={method.maximum === null ? t("pay.from", bounds) : t("pay.fromTo", bounds)}
      error={problem && t(`pay.problem.${problem}`, bounds)}
      className="max-w-72"
    >
      {(ids) => (
        <Input
          {...ids}
          inputMode="decimal"
          autoComplete="off"
          placeholder={minorText(Math.max(1, method.minimum ?? 10 ** exponent), exponent)}
          value={chosen.typed}
          onChange={(event) => onChange({ typed: event.target.value, package: null })}
          before={<span className="affix">{sign}</span>}
          after={sign === currency ? undefined : <span className="affix">{currency}</span>}
        />
      )}
    </Field>
  )
}

function feeText(method: Offer): string | null {
  const { fixed = 0, micros = 0 } = method.fee
  const parts = [
    ...(micros > 0 ? [`${micros / 10_000}%`] : []),
    ...(fixed > 0 ? [moneyText(fixed, method.currency, method.exponent)] : []),
  ]
  return parts.length > 0 ? parts.join(" + ") : null
}

const ICONS = [CreditCard, WalletCards, QrCode, Landmark] as const

function Methods({ methods, method, onChange }: { methods: Offer[]; method: Offer; onChange: Change }) {
  const { t } = useTranslation("topup")
  return (
    <fieldset className="methods">
      <legend className="legend">{t("pay.with")}</legend>
      {methods.map((one, position) => {
        const Icon = ICONS[position % ICONS.length] ?? CreditCard
        const fee = feeText(one)
        return (
          <label key={one.id} className="method">
            <input
              type="radio"
              className="dotbox"
              name="method"
              checked={one.id === method.id}
              onChange={() => onChange({ method: one.id })}
            />
            <Icon className="i" aria-hidden="true" />
            <b>{one.label}</b>
            <span>
              {one.text}
              {fee && <i>{t("pay.fee", { fee })}</i>}
            </span>
          </label>
        )
      })}
    </fieldset>
  )
}

/** Method, package or amount. Everything shown is what the operator entered; the exact price stands on the slip. */
export function PayForm({
  methods,
  method,
  chosen,
  onChange,
}: {
  methods: Offer[]
  method: Offer
  chosen: Chosen
  onChange: Change
}) {
  return (
    <div className="grid gap-6">
      <Packages method={method} chosen={chosen} onChange={onChange} />
      <Custom method={method} chosen={chosen} onChange={onChange} />
      <Methods methods={methods} method={method} onChange={onChange} />
    </div>
  )
}

/** No method is switched on: says so, and whom to ask. */
export function NothingToPayWith({ canRedeem }: { canRedeem: boolean }) {
  const { t } = useTranslation("topup")
  const contact = useSiteLinks().find(({ name }) => ["contact", "support"].includes(name.toLowerCase()))
  return (
    <div className="none">
      <CreditCard className="i" aria-hidden="true" />
      <div>
        <h3>{t("pay.none")}</h3>
        <p>{canRedeem ? t("pay.noneText") : t("pay.noneTextOff")}</p>
        {contact && (
          <a className="btn mt-3" href={contact.href}>
            <Mail className="i" aria-hidden="true" />
            {t("pay.ask")}
          </a>
        )}
      </div>
    </div>
  )
}
